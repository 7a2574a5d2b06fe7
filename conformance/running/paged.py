"""Batches that lie in a file, and are in memory while they are looked at, to leave room."""

from __future__ import annotations

import copy
import mmap
import pickle
import zlib
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from xent_conformance.cases.case import Ask, Batch, Case
from xent_conformance.cases.told import Rows, Told, given_of
from xent_conformance.reference.inputs import Inputs
from xent_conformance.running.columns import filed
from xent_conformance.running.pages import Pages, damaged

MOST = 2**25
"""Bytes of arrays that stay in memory: all of ``quick``."""

TOGETHER = 2**24
"""Bytes that are mapped together: a map has a descriptor of its own, and a process may have a thousand."""

_ARRAYS = ("logits", "labels", "cotangent", "tangent")
_SUM = 4
"""Bytes of a checksum."""

_MADE = [
    name for name, made in vars(Inputs).items() if isinstance(made, cached_property) and name != "digest"
]
"""What inputs keep that is made of their arrays, and as large."""


class Paged:
    """Takes batches; where their arrays are more than ``most`` bytes, they go into an unnamed file.

    Whoever looks at an array or a case has it read; :meth:`let_go` has it forgotten again. What is said of so
    many batches goes there too.
    """

    def __init__(self, folder: Path | None = None, most: int = MOST, together: int = TOGETHER) -> None:
        """``folder``: where the file lies; unsaid, where temporary files do, which may be memory."""
        self.pages, self._most, self._together = Pages(folder), most, together
        self._waiting: list[_Mine] = []
        self._moved: list[_Mine] = []
        self._size = 0

    def batch(self, batch: Batch) -> Batch:
        """The same batch, whose arrays are moved when there are enough of them."""
        mine = _Mine.of(batch)
        self._waiting.append(mine)
        self._size += batch.nbytes
        if self._size > (self._together if self.large else self._most):
            self._move()
        return mine

    @property
    def large(self) -> bool:
        """Whether anything is in the file."""
        return bool(self.pages)

    def column(self, column: pl.Series) -> pl.Series:
        """A column of the table of verdicts; in the file where the corpus is. Raises RunFileError."""
        return filed(column, self.pages) if self.large else column

    def settle(self) -> None:
        """Nobody comes any more: what waits is moved, where others were."""
        if self.large and self._waiting:
            self._move()
        self.let_go()

    def let_go(self) -> None:
        """What was looked at need not stay in memory, nor what was made of it."""
        for batch in self._moved:
            batch.let_go()
        self.pages.let_go()

    def _move(self) -> None:
        """Those that wait go into the file; where the disk is full, they stay."""
        moved, self._waiting, self._size = self._waiting, [], 0
        words = [batch.words() for batch in moved]
        # the arrays of all, one after the other, and then their words
        arrays = (getattr(batch.inputs, name).tobytes() for batch in moved for name in _ARRAYS)
        try:
            pages = self.pages.add(chain(arrays, words))
        except OSError:
            return
        self._moved += moved
        at = 0
        for batch in moved:
            at = batch.move(pages, at)
        for batch, told in zip(moved, words, strict=True):
            batch.page, batch.whose = (pages, at, at + len(told)), None
            at += len(told)
            batch.let_go()


class _Mine(Told):
    """A batch of ours. Once it is moved, its arrays are views of the file, and what it says is read there."""

    page: tuple[mmap.mmap, int, int] | None = None
    """Where its words are."""
    whose: Batch | None = None
    """The one that it is, until it is moved."""

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """The same, which may be moved: the corpus may keep the one that it has made."""
        mine = cls.made(batch.family, copy.copy(batch.inputs), batch.form, batch.id, outside=batch.outside)
        mine.whose = batch
        return mine

    def told(self) -> Rows:
        """Its cases, and of each what was given. Raises RunFileError."""
        assert self.page is not None  # or it were :attr:`whose`
        pages, begin, end = self.page
        checksum, told = pages[begin : begin + _SUM], pages[begin + _SUM : end]
        if zlib.crc32(told).to_bytes(_SUM) == checksum:
            whose, cases, given = pickle.loads(told)  # the file has no name: nobody else writes it
            if whose == self.id:
                return cases, given
        raise damaged(f"what {self.id} asks")

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        return super().cases if self.whose is None else self.whose.cases

    @cached_property
    def asks(self) -> Sequence[Ask]:
        return super().asks if self.whose is None else self.whose.asks

    def words(self) -> bytes:
        """What :meth:`told` reads: whose it is, its cases, and what else tells its asks."""
        told = pickle.dumps((self.id, self.cases, given_of(self)), pickle.HIGHEST_PROTOCOL)
        return zlib.crc32(told).to_bytes(_SUM) + told

    def move(self, pages: mmap.mmap, at: int) -> int:
        """Its arrays are those that begin there; where the next one's do. Raises RunFileError."""
        for name in _ARRAYS:
            array = getattr(self.inputs, name)
            if pages[at : at + array.nbytes] != array.tobytes():
                raise damaged(f"the {name} of {self.id}")
            object.__setattr__(self.inputs, name, np.ndarray(array.shape, array.dtype, pages, at))
            at += array.nbytes
        return at

    def let_go(self) -> None:
        """What can be had from the file again is forgotten."""
        for name in _MADE:
            vars(self.inputs).pop(name, None)
        for name in ("cases", "asks", "_clauses"):
            vars(self).pop(name, None)
