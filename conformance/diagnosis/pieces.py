"""Pieces that are computed once, know what they read, and can be replaced one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class piece(Generic[T]):  # noqa: N801  a decorator, as property is
    """A property that is computed once and remembers which others it was made of."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    @overload
    def __get__(self, of: Pieces, owner: type) -> T: ...
    def __get__(self, of: Pieces | None, owner: type) -> Self | T:
        return self if of is None else of._of(self.name, self.compute)


class Pieces:
    """An object of pieces. ``but`` is the same with some of them replaced: what was made of those is made
    anew, everything else is shared."""

    def __init__(self) -> None:
        self._held: dict[str, Any] = {}
        self._made_of: dict[str, set[str]] = {}
        self._making: list[str] = []

    def _of(self, name: str, compute: Callable[[Any], T]) -> T:
        if name not in self._held:
            self._making.append(name)
            self._made_of[name] = set()
            try:
                self._held[name] = compute(self)
            finally:
                self._making.pop()
        for maker in self._making:
            self._made_of[maker] |= {name, *self._made_of[name]}
        found: T = self._held[name]
        return found

    def but(self, **replaced: Any) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        kept = [name for name, of in self._made_of.items() if name in self._held and not of & replaced.keys()]
        other._held = {name: self._held[name] for name in kept} | replaced
        other._made_of = {name: self._made_of[name] for name in kept} | {name: set() for name in replaced}
        other._making = []
        return other
