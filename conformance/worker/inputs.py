"""The arrays of one call: its own, which it may not change, and which are looked at when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.worker.bits import Mask, other_bits
from xent_conformance.worker.delivery import CHANGED


class Inputs:
    """``own`` are for the call: a kernel that writes into what it is given must be able to, to be seen.

    What came through a pipe cannot be written into, and is copied; what was laid out for the call can, and
    keeps its layout: it is remembered instead. One array under two names stays one (SPEC.md 7.12).
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self._before = {name: a.copy(order="K") if a.flags.writeable else a for name, a in arrays.items()}

    @cached_property
    def own(self) -> Mapping[str, Array]:
        """The arrays to call with."""
        copied = {id(a): a if a.flags.writeable else a.copy(order="K") for a in self._arrays.values()}
        return {name: copied[id(a)] for name, a in self._arrays.items()}

    def changed(self) -> dict[str, Mask]:
        """``name#changed`` of every array that was changed: where."""
        other = {name: a for name, a in self.own.items() if not _same(self._before[name], a)}
        where = {name: other_bits(self._before[name], a) for name, a in other.items()}
        return {name + CHANGED: mask for name, mask in where.items() if np.any(mask)}


def _same(a: Array, b: Array) -> bool:
    """Whether two arrays are one, byte for byte, as they nearly always are; where not, their bits may be."""
    return (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()
