"""Batches whose arrays lie in a file, and are in memory while they are looked at, to leave room."""

from __future__ import annotations

import copy
import mmap
import tempfile
import weakref
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import of_batch
from xent_conformance.reference.inputs import Inputs

MOST = 2**25
"""Bytes of arrays that stay in memory: all of ``quick``."""

TOGETHER = 2**24
"""Bytes that are mapped together: a map has a descriptor of its own, and a process may have a thousand."""

_ALIGNED = mmap.ALLOCATIONGRANULARITY
_ARRAYS = ("logits", "labels", "cotangent", "tangent")

_MADE = [
    name for name, made in vars(Inputs).items() if isinstance(made, cached_property) and name != "digest"
]
"""What inputs keep that is made of their arrays, and as large."""


class Paged:
    """Takes batches; where their arrays are more than ``most`` bytes, they go into an unnamed file.

    Whoever looks at an array has it read; :meth:`let_go` has it forgotten again.
    """

    def __init__(self, folder: Path | None = None, most: int = MOST, together: int = TOGETHER) -> None:
        """``folder``: where the file lies; unsaid, where temporary files do, which may be memory."""
        self._folder, self._most, self._together = folder, most, together
        self._file: IO[bytes] | None = None
        self._maps: list[mmap.mmap] = []
        self._waiting: list[Batch] = []
        self._moved: list[Inputs] = []
        self._size = 0

    def batch(self, batch: Batch) -> Batch:
        """The same batch, whose arrays are moved when there are enough of them."""
        # the corpus may keep the one that it has made, and gives it to others
        mine = copy.copy(batch)
        object.__setattr__(mine, "inputs", copy.copy(batch.inputs))
        self._waiting.append(mine)
        self._size += batch.nbytes
        if self._size > (self._together if self._maps else self._most):
            self._move()
        return mine

    @property
    def large(self) -> bool:
        """Whether anything is in the file."""
        return bool(self._maps)

    def settle(self) -> None:
        """Nobody comes any more: what waits is moved, where others were."""
        if self.large and self._waiting:
            self._move()

    def let_go(self) -> None:
        """What was looked at need not stay in memory, nor what was made of it."""
        for inputs in self._moved:
            for name in _MADE:
                vars(inputs).pop(name, None)
        if hasattr(mmap, "MADV_DONTNEED"):  # elsewhere the system takes it when it needs room
            for pages in self._maps:
                pages.madvise(mmap.MADV_DONTNEED)

    def _move(self) -> None:
        """The arrays of those that wait go into the file; where the disk is full, they stay."""
        moved, self._waiting, self._size = self._waiting, [], 0
        try:
            pages = self._written(moved)
        except OSError:
            return
        self._maps.append(pages)
        self._moved += [batch.inputs for batch in moved]
        at = 0
        for batch in moved:
            for name in _ARRAYS:
                array = getattr(batch.inputs, name)
                view = np.frombuffer(pages, array.dtype, array.size, at).reshape(array.shape)
                object.__setattr__(batch.inputs, name, view)
                at += array.nbytes
            asks = tuple(of_batch(ask, batch.inputs, row) for row, ask in enumerate(batch.asks))
            object.__setattr__(batch, "asks", asks)

    def _written(self, batches: list[Batch]) -> mmap.mmap:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # it ends with us
            weakref.finalize(self, self._file.close)
        begin = -(-self._file.seek(0, 2) // _ALIGNED) * _ALIGNED
        self._file.seek(begin)
        for batch in batches:
            for name in _ARRAYS:
                self._file.write(np.ascontiguousarray(getattr(batch.inputs, name)).tobytes())
        self._file.flush()
        size = sum(batch.nbytes for batch in batches)
        return mmap.mmap(self._file.fileno(), size, offset=begin, access=mmap.ACCESS_READ)
