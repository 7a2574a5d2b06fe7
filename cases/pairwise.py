"""Covering arrays: few rows in which all that can meet does.

A row gives every axis one of its values. Rows are made one at a time for the first meeting that is still
missing, and each takes along as many others as it can. Nothing is drawn: the same axes give the same rows on
every machine and with every version of anything, as the bits of the corpus must.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
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
    groups = [*itertools.combinations(axes, 2), *map(tuple, also)]
    wanted = dict.fromkeys(meetings(axes, groups))
    missing = _Missing(wanted, groups)
    for row in rows:
        missing.meets(row)
    for meeting in wanted:
        if meeting in missing:
            found = _completed(axes, rules, dict(meeting), missing)
            if found is None:
                missing.drop(meeting)
                continue
            rows.append(found)
            missing.meets(found)
    return rows


def meetings(axes: Axes, groups: Iterable[Sequence[str]]) -> Iterator[Meeting]:
    """All values of each group of axes, with each other."""
    for group in groups:
        for values in itertools.product(*(axes[a] for a in group)):
            yield tuple(zip(group, values, strict=True))


def possible(axes: Axes, rules: Sequence[Rule], meeting: Meeting) -> bool:
    """Whether some row holds it."""
    return _completed(axes, rules, dict(meeting), _Missing((), ())) is not None


def met(rows: Iterable[Row], group: Sequence[str]) -> set[Meeting]:
    """What meets in these rows, of a group of axes."""
    return {tuple((a, row[a]) for a in group) for row in rows}


class _Missing:
    """The meetings that no row holds yet, by each value that takes part in them."""

    def __init__(self, meetings: Iterable[Meeting], groups: Sequence[Sequence[str]]) -> None:
        self._groups = groups
        self._of: dict[tuple[str, str], set[Meeting]] = defaultdict(set)
        for meeting in meetings:
            for taking_part in meeting:
                self._of[taking_part].add(meeting)

    def __contains__(self, meeting: Meeting) -> bool:
        return meeting in self._of[meeting[0]]

    def drop(self, meeting: Meeting) -> None:
        for taking_part in meeting:
            self._of[taking_part].discard(meeting)

    def meets(self, row: Row) -> None:
        """Drop all that a whole row holds."""
        held = {axis: (axis, value) for axis, value in row.items()}
        for group in self._groups:
            meeting = tuple(map(held.__getitem__, group))
            if meeting in self:
                self.drop(meeting)

    def gained(self, row: Row, axis: str, value: str) -> int:
        """How many a row that is not yet whole holds, once the axis has the value."""
        tried = {*row.items(), (axis, value)}
        return sum(map(tried.issuperset, self._of[axis, value]))


def _completed(
    axes: Axes, rules: Sequence[Rule], row: dict[str, str], missing: _Missing
) -> dict[str, str] | None:
    """The row with a value for every axis, most useful values first; None where no row keeps to the rules."""
    if not all(rule.allows(row) for rule in rules):
        return None
    return _with_the_rest(axes, rules, row, missing)


def _with_the_rest(
    axes: Axes, rules: Sequence[Rule], row: dict[str, str], missing: _Missing
) -> dict[str, str] | None:
    """The same, of a row that keeps to the rules so far."""
    axis = next((a for a in axes if a not in row), None)
    if axis is None:
        return {a: row[a] for a in axes}
    concerned = [rule for rule in rules if axis in rule.axes]
    # a stable sort: of equals the first
    for value in sorted(axes[axis], key=lambda v: missing.gained(row, axis, v), reverse=True):
        tried = {**row, axis: value}
        if all(rule.allows(tried) for rule in concerned):
            found = _with_the_rest(axes, rules, tried, missing)
            if found is not None:
                return found
    return None
