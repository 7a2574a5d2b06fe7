"""Pieces that are computed once, know what they read, and can be replaced one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np

T = TypeVar("T")

_BITS: dict[str, int] = {}
"""A bit for each name of a piece: a set of pieces is a whole number, and its union an ``or``."""


class piece(Generic[T]):  # noqa: N801  a decorator, as property is
    """A property that is computed once and remembers which others it was made of."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.bit = _BITS.setdefault(name, 1 << len(_BITS))

    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    @overload
    def __get__(self, of: Pieces, owner: type) -> T: ...
    def __get__(self, of: Pieces | None, owner: type) -> Self | T:
        if of is None:
            return self
        made_of = of._made_of.get(self.name)
        if made_of is None:
            made_of = of._make(self)
        if of._making:
            of._making[-1] |= made_of | self.bit
        found: T = of._held[self.name]
        return found


class Pieces:
    """An object of pieces. ``but`` is the same with some of them replaced: what was made of those is made
    anew, everything else is shared."""

    def __init__(self) -> None:
        self._held: dict[str, Any] = {}
        self._made_of: dict[str, int] = {}
        self._making: list[int] = []

    def _make(self, p: piece[Any]) -> int:
        """Computes a piece; what it was made of."""
        self._making.append(0)
        try:
            self._held[p.name] = p.compute(self)
        finally:
            made_of = self._making.pop()
        self._made_of[p.name] = made_of
        return made_of

    def but(self, **replaced: Any) -> Self:
        """``self`` where every piece that is replaced is, bit for bit, the one that is there."""
        held = self._held
        new = [name for name, value in replaced.items() if name not in held or not _same(held[name], value)]
        if not new:
            return self
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        gone = 0
        for name in new:
            gone |= _BITS[name]
        other._made_of = {name: of for name, of in self._made_of.items() if not of & gone}
        other._held = {name: held[name] for name in other._made_of} | replaced
        other._made_of |= dict.fromkeys(replaced, 0)
        other._making = []
        return other


def _same(old: Any, new: Any) -> bool:
    """Whether nothing that is computed of one would be another of the other."""
    if old is new:
        return True
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        alike = old.dtype == new.dtype and old.shape == new.shape
        return bool(alike and old.tobytes() == new.tobytes())
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and bool(old == new)
