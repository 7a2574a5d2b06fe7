"""The compact protocol of Thrift, in which a Parquet file says what it holds: what is wanted, and no more.

Nothing takes more memory than is there: a count is believed as far as there are bytes.
Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import Any

Held = bytes | mmap.mmap

Wanted = Mapping[int, Any]
"""Of a structure the fields that are wanted, by number, each with what is wanted of it: ``int`` for the
number, ``bool`` for whether it is there, a structure's own fields, or, in a list of one, each entry's."""

MOST = 1 << 19
"""Values that are looked at, wanted or not: they are read one by one."""

DEEPEST = 16

_STOP, _YES, _NO, _BYTE, _NUMBERS, _DOUBLE, _BYTES = 0, 1, 2, 3, (4, 5, 6), 7, 8
_LISTS, _MAP, _STRUCTURE = (9, 10), 11, 12


class NoThrift(ValueError):
    """What is read is no such structure, or one without measure."""


class Reader:
    """Reads on from a place, up to an end."""

    def __init__(self, held: Held, at: int, end: int) -> None:
        self._held, self.at, self._end = held, at, end
        self._left = MOST

    def structure(self, wanted: Wanted, depth: int = 0) -> dict[int, Any]:
        """The fields that are wanted, of those that are there."""
        if depth > DEEPEST:
            raise NoThrift("it is nested too deep")
        found: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            if number in wanted:
                found[number] = self._value(head & 15, wanted[number], depth + 1)
            else:
                self._skip(head & 15, depth + 1)
        return found

    def _value(self, kind: int, wanted: Any, depth: int) -> Any:
        if wanted is bool:
            self._skip(kind, depth)
            return True
        self._looked()
        if kind in _NUMBERS and wanted is int:
            return self._signed()
        if kind == _STRUCTURE and isinstance(wanted, Mapping):
            return self.structure(wanted, depth)
        if kind in _LISTS and isinstance(wanted, list):
            entry, number = self._list()
            return [self._value(entry, wanted[0], depth) for _ in range(number)]
        raise NoThrift(f"a field of kind {kind}, where another is due")

    def _skip(self, kind: int, depth: int, *, in_list: bool = False) -> None:
        self._looked()
        if kind in (_YES, _NO):
            self._move(int(in_list))
        elif kind == _BYTE:
            self._move(1)
        elif kind in _NUMBERS:
            self._unsigned()
        elif kind == _DOUBLE:
            self._move(8)
        elif kind == _BYTES:
            self._move(self._count())
        elif kind == _STRUCTURE:
            self.structure({}, depth)
        elif depth > DEEPEST:
            raise NoThrift("it is nested too deep")
        elif kind in _LISTS:
            entry, number = self._list()
            for _ in range(number):
                self._skip(entry, depth + 1, in_list=True)
        elif kind == _MAP:
            self._skip_map(depth)
        else:
            raise NoThrift(f"a field of kind {kind}, which there is not")

    def _skip_map(self, depth: int) -> None:
        if number := self._count():
            kinds = self._byte()
            for _ in range(number):
                self._skip(kinds >> 4, depth + 1, in_list=True)
                self._skip(kinds & 15, depth + 1, in_list=True)

    def _list(self) -> tuple[int, int]:
        """What kind of entries, and how many."""
        head = self._byte()
        return head & 15, head >> 4 if head >> 4 < 15 else self._count()

    def _count(self) -> int:
        """A number of things that have a byte each at least."""
        number = self._unsigned()
        if number > self._end - self.at:
            raise NoThrift("it says that it holds more than is there")
        return number

    def _signed(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)

    def _unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
            if shift > 63:
                raise NoThrift("a number of too many bytes")

    def _looked(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise NoThrift(f"more than {MOST:,} values")

    def _byte(self) -> int:
        self._move(1)
        return self._held[self.at - 1]

    def _move(self, size: int) -> None:
        self.at += size
        if self.at > self._end:
            raise NoThrift("it ends in the middle")
