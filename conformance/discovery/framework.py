"""The frameworks that come with the suite, and the seats in which they are asked.

A framework is what is declared: where its adapter is, how to get it. A seat is what one worker runs: a
framework under one setting of its devices, by one Python. Plug-ins are added by ``plugins`` beside it. This
is the driver's side; nothing here imports a framework.
"""

from __future__ import annotations

import functools
import importlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from packaging.requirements import Requirement

from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.declaration import Declaration
from xent_conformance.worker.apart import APART


@dataclass(frozen=True)
class Launch:
    """How to start a worker. ``environment`` is added to this process's own.

    ``search`` are folders before the worker's own path, ``lent`` are after it. Where one of ``imports`` is
    not there, the framework is absent, and nothing of it is imported.
    """

    adapter: str
    interpreter: str = sys.executable
    search: Sequence[str] = ()
    lent: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    imports: Sequence[str] = ()


@dataclass(frozen=True)
class Framework:
    """A registered framework: where its adapter is, ``MODULE:CLASS``, and how to get it.

    ``optional``: that it is there and cannot be imported makes a run incomplete only where it was asked for
    by name. That it is not there at all does so for every framework alike.
    """

    name: str
    adapter: str
    install: str
    search: tuple[str, ...] = ()
    """Folders to look for the adapter's module in, beside the worker's own path."""
    optional: bool = False
    also: tuple[str, ...] = ()
    """Other names by which people mean it, in small letters."""
    given: Declaration | None = None
    """What it declares, where that is not what the adapter's class says."""

    @cached_property
    def declaration(self) -> Declaration:
        """What its adapter declares. Imports the adapter's module, not the framework."""
        return self.given or _declared(self.adapter_class())

    @property
    def shipped(self) -> bool:
        """Whether its adapter comes with the suite."""
        return self.adapter.startswith("xent_conformance.frameworks.")

    @property
    def distributions(self) -> tuple[str, ...]:
        """What ``install`` names, without versions and extras."""
        return tuple(Requirement(word).name for word in shlex.split(self.install)[2:])

    def adapter_class(self) -> Any:
        """The adapter's class; its framework is imported when it is made."""
        module, _, name = self.adapter.partition(":")
        return getattr(importlib.import_module(module), name)


_declared = functools.cache(Declaration.of)


@dataclass(frozen=True)
class Seat:
    """What one worker runs: a framework, a setting of its devices, and the Python that has it.

    ``behind``: by how many profiles less it is asked; a variant that nobody named asks what comes before.
    ``apart``: the one mode that it is for, of which the profile takes no more than a glance.
    """

    framework: Framework
    variant: str = ""
    behind: int = 0
    interpreter: str = sys.executable
    apart: str = ""

    @property
    def name(self) -> str:
        """Of the framework."""
        return self.framework.name

    @property
    def key(self) -> str:
        """``torch``, ``torch[isa=avx2]``, or ``torch compile``."""
        return f"{self.device(self.name)} {self.apart}".rstrip()

    @property
    def declaration(self) -> Declaration:
        """What the framework declares."""
        return self.framework.declaration

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that are set before its worker starts."""
        declared = self.declaration
        return {
            **declared.environment,
            **(declared.variants[self.variant].environment if self.variant else {}),
        }

    def run_by(self, interpreter: str | None) -> Seat:
        """The seat as another Python has it; as this one has it where none is named."""
        return self if interpreter is None else replace(self, interpreter=interpreter)

    def install(self, lacks: str = "") -> str:
        """What adds it, or what else its worker lacks, to the Python that it is asked of."""
        line = f"pip install {lacks}" if lacks else self.framework.install
        ours = self.interpreter == sys.executable
        return line if ours else line.replace("pip ", f"{shlex.quote(self.interpreter)} -m pip ", 1)

    def launch(self) -> Launch:
        """How its worker is started. Where our Python looks for modules is no business of another's."""
        ours = self.interpreter == sys.executable
        alone = {} if ours else {"PYTHONPATH": "", "PYTHONHOME": ""}
        f = self.framework
        told = {APART: self.apart} if self.apart else {}
        environment = {**alone, **told, **self.environment}
        return Launch(
            f.adapter,
            self.interpreter,
            f.search,
            environment=environment,
            imports=self.declaration.imports,
        )

    def device(self, device: str) -> str:
        """``cpu``, or ``cpu[isa=avx2]``."""
        return f"{device}[{self.variant}]" if self.variant else device

    def modes(
        self,
        profile: str,
        *,
        asked_since: str = Profile.QUICK,
        door_since: str = Profile.QUICK,
        at_once: bool = True,
    ) -> Sequence[str]:
        """The modes that are asked in it: those of the declaration that the variant touches."""
        declared = self.declaration
        touched = declared.variants[self.variant].modes if self.variant else ()
        asked = declared.asked_modes(
            profile, asked_since=asked_since, door_since=door_since, behind=self.behind, at_once=at_once
        )
        return tuple(mode for mode in asked if not touched or mode in touched)


def _shipped(
    name: str, adapter: str, *also: str, optional: bool = False, file: str = "", package: str = ""
) -> Framework:
    module = f"xent_conformance.frameworks.{file or name}"
    install = f"pip install {package or name}"
    return Framework(name, f"{module}:{adapter}", install, optional=optional, also=also)


FRAMEWORKS: dict[str, Framework] = {
    f.name: f
    for f in (
        _shipped("tensorflow", "TensorFlow", "tf"),
        _shipped("torch", "Torch", "pytorch"),
        _shipped("jax", "Jax"),
        _shipped("numpy", "NumPy", "np"),
        _shipped("scipy", "SciPy", optional=True),
        _shipped("optax", "Optax", optional=True),
        _shipped(
            "keras-tensorflow", "KerasTensorFlow", optional=True, file="keras", package="keras tensorflow"
        ),
        _shipped("keras-torch", "KerasTorch", optional=True, file="keras", package="keras torch"),
        _shipped("keras-jax", "KerasJax", optional=True, file="keras", package="keras jax"),
        _shipped("mlx", "Mlx", optional=True, package="'mlx[cpu]'"),
        _shipped("paddle", "Paddle", "paddlepaddle", optional=True, package="paddlepaddle"),
        _shipped("tinygrad", "Tinygrad", optional=True),
        _shipped("onnx", "OnnxReference", optional=True),
        _shipped("onnxruntime", "OnnxRuntime", "ort", optional=True, file="onnx", package="onnxruntime onnx"),
        _shipped("sklearn", "SkLearn", "scikit-learn", optional=True, package="scikit-learn"),
        _shipped("xgboost", "XGBoost", "xgb", optional=True),
        _shipped("trl", "Trl", optional=True, file="language_models"),
        _shipped(
            "transformers",
            "Transformers",
            "hf",
            optional=True,
            file="language_models",
            package="transformers torch",
        ),
        _shipped("verl", "Verl", optional=True, file="language_models", package="verl torch"),
        _shipped("openvino", "OpenVino", optional=True, file="runtimes", package="openvino onnx"),
        _shipped(
            "onnxruntime-webgpu",
            "OnnxRuntimeWebGpu",
            optional=True,
            file="onnx_webgpu",
            package="onnxruntime-webgpu onnx",
        ),
        _shipped("ncnn", "Ncnn", optional=True),
        _shipped("tract", "Tract", optional=True, file="runtimes", package="tract onnx"),
        _shipped("executorch", "ExecuTorch", optional=True, package="executorch torch"),
        _shipped("litert", "LiteRT", "tflite", optional=True, package="ai-edge-litert"),
        _shipped(
            "onnxruntime-web",
            "OnnxRuntimeWeb",
            "ort-web",
            optional=True,
            file="onnxruntime_web",
            package="playwright onnx",
        ),
        _shipped("tfjs", "TfJs", "tensorflow.js", "tensorflow-js", optional=True, package="playwright"),
        _shipped("loss-parallel", "LossParallel", optional=True, file="loss_parallel", package="torch"),
        _shipped(
            "megatron",
            "Megatron",
            "megatron-core",
            "megatron-lm",
            optional=True,
            package="megatron-core torch",
        ),
        _shipped("jax-sharded", "JaxSharded", optional=True, file="jax_sharded", package="jax"),
        _shipped("liger", "Liger", "liger-kernel", optional=True, package="liger-kernel torch"),
    )
}
