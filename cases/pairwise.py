"""Covering arrays: few rows in which all that can meet does.

A row gives every axis one of its values. Rows are made one at a time for the first meeting that is still
missing, and each takes along as many others as it can. Nothing is drawn: the same axes give the same rows on
every machine and with every version of anything, as the bits of the corpus must.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Axes = Mapping[str, Sequence[str]]
Row = Mapping[str, str]
Meeting = tuple[tuple[str, str], ...]
"""Values of some axes, in the order of the axes: ``(("layout", "strided"), ("reduction", "mean"))``."""


@dataclass(frozen=True)
class Rule:
    """What values of some axes may stand in one row: ``holds(value, …)``, in the order of ``axes``."""

    axes: tuple[str, ...]
    holds: Callable[..., bool]

    def allows(self, row: Row) -> bool:
        """Whether the row, as far as it goes, keeps to it."""
        return not all(a in row for a in self.axes) or self.holds(*(row[a] for a in self.axes))


def covering(
    axes: Axes, rules: Sequence[Rule], *, first: Iterable[Row] = (), also: Iterable[Sequence[str]] = ()
) -> list[dict[str, str]]:
    """Rows that keep to the rules, ``first`` those given, in which all pairs of values meet.

    ``also`` names axes of which more than pairs are to meet. What no row can hold is not asked.
    """
    rows = [dict(row) for row in first]
    groups = [*itertools.combinations(axes, 2), *also]
    wanted = dict.fromkeys(meetings(axes, groups))
    missing = _Missing(wanted)
    for group in groups:
        missing.remove(met(rows, group))
    for meeting in wanted:
        if meeting in missing:
            row = _completed(axes, rules, dict(meeting), missing)
            if row is None:
                missing.remove([meeting])
                continue
            rows.append(row)
            for group in groups:
                missing.remove(met([row], group))
    return rows


class _Missing:
    """Meetings that no row holds yet, found by any of their values."""

    def __init__(self, wanted: Iterable[Meeting]) -> None:
        self._of: dict[tuple[str, str], set[Meeting]] = {}
        for meeting in wanted:
            for value in meeting:
                self._of.setdefault(value, set()).add(meeting)

    def __contains__(self, meeting: Meeting) -> bool:
        return meeting in self._of[meeting[0]]

    def remove(self, held: Iterable[Meeting]) -> None:
        for meeting in held:
            for value in meeting:
                self._of.get(value, set()).discard(meeting)

    def held_with(self, row: Row, axis: str, value: str) -> int:
        """How many of them the row would hold as soon as the axis has the value."""
        tried = {**row, axis: value}
        return sum(all(tried.get(a) == v for a, v in m) for m in self._of.get((axis, value), ()))


def meetings(axes: Axes, groups: Iterable[Sequence[str]]) -> Iterator[Meeting]:
    """All values of each group of axes, with each other."""
    for group in groups:
        for values in itertools.product(*(axes[a] for a in group)):
            yield tuple(zip(group, values, strict=True))


def possible(axes: Axes, rules: Sequence[Rule], meeting: Meeting) -> bool:
    """Whether some row holds it."""
    return _completed(axes, rules, dict(meeting), _Missing(())) is not None


def met(rows: Iterable[Row], group: Sequence[str]) -> set[Meeting]:
    """What meets in these rows, of a group of axes."""
    return {tuple((a, row[a]) for a in group) for row in rows}


def _completed(
    axes: Axes, rules: Sequence[Rule], row: dict[str, str], missing: _Missing
) -> dict[str, str] | None:
    """The row with a value for every axis, most useful values first; None where no row keeps to the rules."""
    if not all(rule.allows(row) for rule in rules):
        return None
    open_ = [a for a in axes if a not in row]
    if not open_:
        return {a: row[a] for a in axes}
    axis = open_[0]

    def gain(value: str) -> int:
        return missing.held_with(row, axis, value)

    for value in sorted(axes[axis], key=gain, reverse=True):  # a stable sort: of equals the first
        found = _completed(axes, rules, {**row, axis: value}, missing)
        if found is not None:
            return found
    return None
