"""The sweeps on the page: of what every number of a format was asked, with the largest error there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xent_conformance.reports.html.marks import LEVEL, Mark
from xent_conformance.reports.text.numbers import count, ulps
from xent_conformance.reports.text.swept import name, where


@dataclass(frozen=True)
class Broken:
    """A clause that is broken, how, and by how many numbers."""

    mark: Mark
    clause: str
    told: str


@dataclass(frozen=True)
class SweptRow:
    """An output in numbers: how many are correctly rounded, and an ulp or more off; where it is worst."""

    implementation: str
    output: str
    exact: str
    off: str
    worst: str
    at: str
    got: str
    right: str
    broken: tuple[Broken, ...]


@dataclass(frozen=True)
class Swept:
    """All of one format, of each framework with where it was asked. ``of``: how many numbers there are."""

    dtype: str
    of: str
    groups: tuple[tuple[str, str, tuple[SweptRow, ...]], ...]


def swept(documents: Sequence[Mapping[str, Any]]) -> tuple[Swept, ...]:
    """A table for each format, widest first, in the order of the documents (docs/JSON.md)."""
    formats = sorted({d["asked"]["dtype"] for d in documents}, key=lambda dtype: (dtype != "float32", dtype))
    found = []
    for dtype in formats:
        mine = [d for d in documents if d["asked"]["dtype"] == dtype]
        places = {_place(d): [e for e in mine if _place(e) == _place(d)] for d in mine}
        numbers = max(part["elements"] for d in mine for part in d["parts"])
        groups = tuple(
            (framework, told, tuple(_row(d, part) for d in of for part in d["parts"]))
            for (framework, told), of in places.items()
        )
        found.append(Swept(dtype, count(numbers), groups))
    return tuple(found)


def _place(document: Mapping[str, Any]) -> tuple[str, str]:
    asked, answered = document["asked"], document["answered"]
    there = answered["environment"]
    processor = f"{there['processor']} ({there['instructions']})"
    device = there.get(asked["device"])
    machine = (
        f"{asked['device']}, {device}, beside {processor}" if device else f"{asked['device']}, {processor}"
    )
    return answered["framework"], f"{answered['version']}, {asked['mode']}, {machine}"


def _row(document: Mapping[str, Any], part: Mapping[str, Any]) -> SweptRow:
    grades, at = part["grades"], part["maximum"]
    return SweptRow(
        implementation=document["asked"]["implementation"],
        output=name(part).replace("_", " "),
        exact=_share(grades["exact"], part["elements"]),
        off=count(grades["accurate"] + grades["stable"] + grades["divergent"]),
        worst="none" if at is None else ulps(at["ulps"]),
        at="" if at is None else where(at),
        got="" if at is None else at["got"],
        right="" if at is None else at["right"],
        broken=tuple(
            Broken(LEVEL[b["level"]], b["clause"], f"{b['symptom']} {count(b['count'])}")
            for b in part["broken"]
        ),
    )


def _share(some: int, of: int) -> str:
    """Per cent with one digit, never 100 while one is missing."""
    return "all" if some == of else f"{min(some / of * 100, 99.9):.1f} %"
