"""Framework against framework: the largest distance found between any two answers to one element.

Both answers may be right: their errors may have different signs. So the verdict on each stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import STATUS, Mark, case_id
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.html.sections.sides import SideBySide, side_by_side
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import NOTHING, count, shortest, ulps
from xent_conformance.reports.text.wording import DTYPES, OUTPUTS, in_order, words

Place = tuple[str, str, int]
"""Case, output and element."""


@dataclass(frozen=True)
class Asked:
    """One of the two that were compared; ``mark`` is the verdict on its whole row."""

    implementation: str
    where: str
    got: str
    mark: Mark | None


@dataclass(frozen=True)
class Worst:
    """The worst found for an operator and a format on a device (or between two): which two, and where."""

    operator: str
    dtype: str
    device: str
    output: str
    ulps: str
    right: str
    sides: tuple[Asked, Asked]
    case: str
    case_link: str
    rank: int | None
    """Of the finding whose case it is, if it is one's."""
    index: str


@dataclass(frozen=True)
class PairRow:
    """Two frameworks, or two devices of one: the worst found in each format."""

    operator: str
    pair: str
    cells: tuple[tuple[str, str], ...]
    """Ulps and the output they were found in; empty where the two were not compared."""


@dataclass(frozen=True)
class Against:
    """``values`` and ``gradients`` of two frameworks; ``devices``: one door on two, where it differs."""

    values: tuple[Worst, ...]
    gradients: tuple[Worst, ...]
    devices: tuple[Worst, ...]
    equal: str
    dtypes: tuple[str, ...]
    pairs: tuple[PairRow, ...]
    sides: SideBySide


def view(material: Material) -> Against:
    """The largest distances found; a row may point at its case, if the page shows that."""
    run = material.run
    found = [d for h in run.headers for d in h.get("distances", [])]
    order = list(run.header["operators"])
    book = _Book.of(run, found, material.ranks)
    between = [d for d in found if d["framework_a"] != d["framework_b"]]
    within = [d for d in found if d["framework_a"] == d["framework_b"]]
    dtypes = in_order(list({d["dtype"] for d in found}), list(DTYPES))
    return Against(
        values=tuple(book.worst(d) for d in _worst([d for d in between if _of_value(d)], order)),
        gradients=tuple(book.worst(d) for d in _worst([d for d in between if not _of_value(d)], order)),
        devices=tuple(book.worst(d) for d in _worst([d for d in within if d["ulps"] > 0], order)),
        equal=_equal(within),
        dtypes=tuple(dtypes),
        pairs=tuple(_pairs(found, order, dtypes)),
        sides=side_by_side(run, material.naming),
    )


@dataclass(frozen=True)
class _Book:
    """What the verdicts say of the rows that were compared."""

    right: dict[Place, float]
    status: dict[tuple[str, ...], str]
    ranks: Mapping[str, int]

    @classmethod
    def of(cls, run: Run, found: Sequence[Row], ranks: Mapping[str, int]) -> _Book:
        places = pl.Series([d["case"] for d in found], dtype=pl.String).unique()
        rows = run.verdicts.filter(pl.col("case").is_in(places.implode()))
        graded = rows.filter(pl.col("grade") != "none")
        who = ["case", "output", "framework", "implementation", "mode", "device"]
        return cls(
            # the exact value of an element is the same whoever was asked, if it decided any verdict
            {(c, o, i): v for c, o, i, v in graded.select("case", "output", "index", "rounded").iter_rows()},
            {tuple(row[:-1]): row[-1] for row in rows.select(*who, "status").iter_rows()},
            ranks,
        )

    def worst(self, d: Row) -> Worst:
        right = self.right.get((d["case"], d["output"], d["index"]))
        return Worst(
            operator=d["operator"],
            dtype=d["dtype"],
            device=_device(d),
            output=words(d["output"]),
            ulps=_apart(d),
            right=NOTHING if right is None else shortest(right, d["dtype"]),
            sides=(self._asked(d, "a"), self._asked(d, "b")),
            case=d["case"],
            case_link=case_id(d["case"]),
            rank=self.ranks.get(d["case"]),
            index=count(d["index"]),
        )

    def _asked(self, d: Row, side: str) -> Asked:
        who = [str(d[f"{k}_{side}"]) for k in ("framework", "implementation", "mode", "device")]
        status = self.status.get((d["case"], d["output"], *who))
        return Asked(
            implementation=who[1],
            where=f"{who[2]} · {who[3]}",
            got=shortest(d[f"got_{side}"], d["dtype"]),
            mark=None if status is None else STATUS[status],
        )


def _worst(found: Sequence[Row], order: Sequence[str]) -> list[Row]:
    """The largest of each operator, format and device, in that order."""
    largest: dict[tuple[Any, ...], Row] = {}
    for d in found:
        key = (d["operator"], d["dtype"], _device(d))
        if key not in largest or d["ulps"] > largest[key]["ulps"]:
            largest[key] = d
    operators = in_order([k[0] for k in largest], order)
    dtypes = in_order([k[1] for k in largest], list(DTYPES))
    return [
        largest[key]
        for key in sorted(largest, key=lambda k: (operators.index(k[0]), dtypes.index(k[1]), k[2]))
    ]


def _pairs(found: Sequence[Row], order: Sequence[str], dtypes: Sequence[str]) -> Iterable[PairRow]:
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for d in sorted(found, key=lambda d: in_order([d["output"]], OUTPUTS)):
        worst = groups.setdefault((d["operator"], _pair(d)), {})
        if d["dtype"] not in worst or d["ulps"] > worst[d["dtype"]]["ulps"]:
            worst[d["dtype"]] = d
    operators = in_order([operator for operator, _ in groups], order)
    for operator, pair in sorted(groups, key=lambda k: (operators.index(k[0]), k[1])):
        here = groups[operator, pair]
        cells = tuple(
            (_apart(here[dtype]), words(here[dtype]["output"])) if dtype in here else ("", "")
            for dtype in dtypes
        )
        yield PairRow(operator, pair, cells)


def _apart(d: Row) -> str:
    """The distance; in words where one of the two has none to the other."""
    if math.isfinite(d["ulps"]):
        return ulps(d["ulps"])
    return "one is NaN" if math.isnan(d["got_a"]) or math.isnan(d["got_b"]) else "one is infinite"


def _of_value(d: Row) -> bool:
    """Gradients stand apart: many are exactly zero or nearly, and any error is a great many ulps of that."""
    return bool(d["output"] == "value")


def _device(d: Row) -> str:
    a, b = d["device_a"], d["device_b"]
    return str(a) if a == b else f"{a} ↔ {b}"


def _pair(d: Row) -> str:
    if d["framework_a"] == d["framework_b"]:
        return f"{d['framework_a']}: {_device(d)}"
    return f"{d['framework_a']} ↔ {d['framework_b']} on {_device(d)}"


def _equal(within: Sequence[Row]) -> str:
    if not within:
        return "No framework was asked on more than one device or variant in this run."
    same = sum(d["ulps"] == 0 for d in within)
    total = count(len(within))
    of = "one for each operator, output, format and pair of devices"
    return f"Of {total} comparisons ({of}), {count(same)} found the same numbers throughout."


SECTION = Section("against", "Framework against framework", "against.html", view, folded=True)
