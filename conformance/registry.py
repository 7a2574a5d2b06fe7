"""The frameworks that come with the suite, by name: where the adapter is, how to get the framework.

This is the driver's side; nothing here imports a framework.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from cases.family import PROFILES
from conformance.frameworks.interface import Implementation


@dataclass(frozen=True)
class Framework:
    """A registered framework: where its adapter is, and how to get the framework itself."""

    name: str
    adapter: str
    install: str
    search: tuple[str, ...] = ()
    """Folders to look for the adapter's module in, beside the worker's own path."""

    def modes(self, profile: str, *, asked_since: str = PROFILES[0]) -> Sequence[str]:
        """The modes in which a profile asks what is asked since the profile ``asked_since``.

        A mode that begins in a later profile stays as far behind: what ``quick`` asks of ``jit``,
        ``standard`` asks op by op, where every shape is compiled many times.
        """
        ahead = PROFILES.index(profile) - PROFILES.index(asked_since)
        return tuple(m for m, smallest in self._class.modes.items() if PROFILES.index(smallest) <= ahead)

    @property
    def autodiff(self) -> bool:
        return bool(self._class.autodiff)

    @property
    def moving(self) -> Sequence[str]:
        """Which of ``jvp`` and ``hvp`` it computes."""
        return tuple(getattr(self._class, "moving", ()))

    @property
    def layouts(self) -> frozenset[str]:
        """Memory layouts that its tensors can have, beside contiguous ones."""
        return frozenset(getattr(self._class, "layouts", ()))

    @property
    def implementations(self) -> Sequence[Implementation]:
        """Declared implementations. Does not import the framework itself."""
        return tuple(self._class.implementations)

    @property
    def _class(self):  # type: ignore[no-untyped-def]  # a class that satisfies Adapter
        module, _, name = self.adapter.partition(":")
        return getattr(importlib.import_module(module), name)


def _shipped(name: str, adapter: str) -> Framework:
    return Framework(name, f"conformance.frameworks.{name}:{adapter}", f"pip install {name}")


FRAMEWORKS: dict[str, Framework] = {
    f.name: f
    for f in (
        _shipped("tensorflow", "TensorFlow"),
        _shipped("torch", "Torch"),
        _shipped("jax", "Jax"),
        _shipped("numpy", "NumPy"),
    )
}
