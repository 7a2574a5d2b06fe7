"""The frameworks that come with the suite, by name: where the adapter is, how to get the framework.

Plug-ins are added by ``plugins`` beside it. This is the driver's side; nothing here imports a framework.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xent_conformance.asking.process import Launch
from xent_conformance.cases.family import PROFILES
from xent_conformance.frameworks.interface import Implementation, Variant


@dataclass(frozen=True)
class Framework:
    """A registered framework, or one of its variants: where its adapter is, and how to get it.

    ``optional``: its absence is recorded, and makes a run incomplete only where it was asked for by
    name. ``variant``: a setting of its devices, one worker process each.
    """

    name: str
    adapter: str
    install: str
    search: tuple[str, ...] = ()
    """Folders to look for the adapter's module in, beside the worker's own path."""
    optional: bool = False
    variant: str = ""
    behind: int = 0
    """By how many profiles less it is asked: a variant that nobody named asks what comes before."""
    interpreter: str = sys.executable
    """The Python that its worker runs under: another one has other versions."""

    @property
    def key(self) -> str:
        """``torch``, or ``torch[isa=avx2]``."""
        return f"{self.name}[{self.variant}]" if self.variant else self.name

    @property
    def variants(self) -> Mapping[str, Variant]:
        """Settings of its devices that change arithmetic, by name."""
        return dict(getattr(self.kind, "variants", {}))

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that are set before its worker starts."""
        fixed: Mapping[str, str] = getattr(self.kind, "environment_before", {})
        return {**fixed, **(self.variants[self.variant].environment if self.variant else {})}

    def under(self, variant: str, *, behind: int = 0) -> Framework:
        """The framework with its devices under that setting."""
        return replace(self, variant=variant, behind=behind)

    def run_by(self, interpreter: str | None) -> Framework:
        """The framework as another Python has it; as this one has it where none is named."""
        return self if interpreter is None else replace(self, interpreter=interpreter)

    def launch(self) -> Launch:
        """How its worker is started. Where our Python looks for modules is no business of another's."""
        ours = self.interpreter == sys.executable
        alone = {} if ours else {"PYTHONPATH": "", "PYTHONHOME": ""}
        return Launch(self.adapter, self.interpreter, self.search, {**alone, **self.environment})

    def device(self, device: str) -> str:
        """``cpu``, or ``cpu[isa=avx2]``."""
        return f"{device}[{self.variant}]" if self.variant else device

    def asks(self, implementation: str, mode: str, dtype: str) -> bool:
        """Whether the mode is for that implementation and that format."""
        restricted: Mapping[str, frozenset[str]] = getattr(self.kind, "restricted", {})
        formats: Mapping[str, frozenset[str]] = getattr(self.kind, "formats", {})
        return (mode not in restricted or implementation in restricted[mode]) and (
            mode not in formats or dtype in formats[mode]
        )

    @property
    def widening(self) -> frozenset[str]:
        """Modes whose results may be of a wider type than the logits."""
        return frozenset(getattr(self.kind, "widening", ()))

    def modes(
        self, profile: str, *, asked_since: str = PROFILES[0], door_since: str = PROFILES[0]
    ) -> Sequence[str]:
        """The modes in which a profile asks what is asked since the profile ``asked_since``.

        A mode, or a door, that begins in a later profile stays as far behind: what ``quick`` asks of
        ``jit``, ``standard`` asks op by op, where every shape is compiled many times.
        """
        late = PROFILES.index(asked_since) + PROFILES.index(door_since)
        ahead = PROFILES.index(profile) - late - self.behind
        touched = self.variants[self.variant].modes if self.variant else ()
        return tuple(
            mode
            for mode, smallest in self.kind.modes.items()
            if PROFILES.index(smallest) <= ahead and (not touched or mode in touched)
        )

    @property
    def autodiff(self) -> bool:
        return bool(self.kind.autodiff)

    @property
    def moving(self) -> Sequence[str]:
        """Which of ``jvp`` and ``hvp`` it computes."""
        return tuple(getattr(self.kind, "moving", ()))

    @property
    def layouts(self) -> frozenset[str]:
        """Memory layouts that its tensors can have, beside contiguous ones."""
        return frozenset(getattr(self.kind, "layouts", ()))

    @property
    def implementations(self) -> Sequence[Implementation]:
        """Declared implementations. Does not import the framework itself."""
        return tuple(self.kind.implementations)

    @property
    def kind(self) -> Any:
        """The adapter's class. Imports its module, not the framework."""
        module, _, name = self.adapter.partition(":")
        return getattr(importlib.import_module(module), name)


def _shipped(
    name: str, adapter: str, *, optional: bool = False, file: str = "", package: str = ""
) -> Framework:
    module = f"xent_conformance.frameworks.{file or name}"
    return Framework(name, f"{module}:{adapter}", f"pip install {package or name}", optional=optional)


FRAMEWORKS: dict[str, Framework] = {
    f.name: f
    for f in (
        _shipped("tensorflow", "TensorFlow"),
        _shipped("torch", "Torch"),
        _shipped("jax", "Jax"),
        _shipped("numpy", "NumPy"),
        _shipped("scipy", "SciPy", optional=True),
        _shipped("optax", "Optax", optional=True),
        _shipped(
            "keras-tensorflow", "KerasTensorFlow", optional=True, file="keras", package="keras tensorflow"
        ),
        _shipped("keras-torch", "KerasTorch", optional=True, file="keras", package="keras torch"),
        _shipped("keras-jax", "KerasJax", optional=True, file="keras", package="keras jax"),
        _shipped("mlx", "Mlx", optional=True, package="'mlx[cpu]'"),
        _shipped("paddle", "Paddle", optional=True, package="paddlepaddle"),
        _shipped("tinygrad", "Tinygrad", optional=True),
        _shipped("onnx", "OnnxReference", optional=True),
        _shipped("onnxruntime", "OnnxRuntime", optional=True, file="onnx", package="onnxruntime onnx"),
    )
}
