"""The scorecard: frameworks by what they cost on ordinary logits, and what they do at the edges.

Every number is the worst found, of an implementation that users call, in any mode, on the device as it is;
of a kind of device that was asked under settings alone, such as ranks, a runtime or a driver, under each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import (
    JUDGED,
    ORDINARY,
    RIGHT_NUMBERS,
    Grade,
    Row,
    Status,
    Symptom,
)
from xent_conformance.reports.text.featured import COLUMNS, EDGES, GROUPS, Edge
from xent_conformance.reports.text.wording import DTYPES
from xent_conformance.reports.views.fair import as_they_are

SMALL = (Symptom.LOST_ACCURACY.value, Symptom.FLUSHED.value)
"""What 1.2 and 1.3 are about: small results that lost their digits. An error in ulps says nothing of them."""


_WORDS: Mapping[str, str] = {
    Symptom.NAN: "NaN",
    Symptom.INFINITE: "∞",
    Symptom.FINITE_FOR_INFINITE: "finite",
    Symptom.WRONG_INFINITY: "wrong ∞",
    Symptom.FINITE_FOR_NAN: "silent",
    Symptom.BEYOND_BOUND: "wrong",
    Symptom.UNWRITTEN: "unwritten",
    Symptom.LOST_ACCURACY: "lost",
    Symptom.FLUSHED: "0",
    Symptom.OTHER_BITS: "differs",
}
"""A fault in one word, worst first; others are named as they are."""


@dataclass(frozen=True)
class Cell:
    """The worst error of a framework in ulps, ``None`` where nothing was asked; of whom, and where.

    ``grade`` and ``status`` are of the worst row; ``small`` rows lost their digits or were flushed, and
    are not in ``ulps``. ``special``: the wrong special value that came back, in a word. ``beside``: what is
    wrong, in a word, where that number is within its bounds.
    """

    ulps: float | None = None
    grade: str = Grade.NONE
    status: str = ""
    special: str = ""
    beside: str = ""
    implementation: str = ""
    case: str = ""
    cause: str = ""
    small: int = 0


@dataclass(frozen=True)
class Behaviour:
    """What a framework does at an edge: ``broken`` of ``asked`` verdicts, the usual fault, its cause.

    Where a must clause is broken, ``word`` is of that, and ``also`` the usual fault by a should clause, if
    another. ``right_in``: modes in which the same calls conform.
    """

    asked: int = 0
    broken: int = 0
    level: str = ""
    word: str = ""
    cause: str = ""
    also: str = ""
    right_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One framework: a cell a group of operators and format, a behaviour an edge, and its causes by level.

    ``version``, ``device`` and ``machine`` are empty where they tell no two lines apart; where one has
    a setting, all tell their devices.
    """

    framework: str
    version: str
    device: str
    machine: str
    cells: tuple[Cell, ...]
    edges: tuple[Behaviour, ...]
    must: int
    should: int


@dataclass(frozen=True)
class Scorecard:
    """``columns``: the groups of operators that were asked, each with its formats."""

    columns: tuple[tuple[str, tuple[str, ...]], ...]
    edges: tuple[Edge, ...]
    lines: tuple[Line, ...]


def scorecard(run: Run, frameworks: Sequence[str], groups: Sequence[str] = COLUMNS) -> Scorecard:
    """One line a framework, version and device as it is; ``groups`` are names of :data:`GROUPS`."""
    judged = called(run).verdicts.filter(pl.col("status").is_in(JUDGED), as_they_are())
    ordinary = judged.filter(
        (pl.col("family") == ORDINARY) & (pl.col("output") == "value") & (pl.col("n") > 1)
    )
    columns = []
    for group in groups:
        formats = ordinary.filter(pl.col("operator").is_in(GROUPS[group]))["dtype"].unique().to_list()
        columns.append((group, tuple(d for d in DTYPES if d in formats)))
    columns = [(group, formats) for group, formats in columns if formats]
    edges = tuple(e for e in EDGES if judged["clause"].is_in(e.clauses).any())
    key = ["framework", "version", "device", "machine"]
    lines = []
    of = {f: i for i, f in enumerate(frameworks)}
    targets = (
        judged.select(key).unique().sort(pl.col("framework").replace_strict(of, default=len(of)), *key[1:])
    )
    several = {
        name: targets.group_by("framework").agg(pl.col(name).n_unique().alias("n")) for name in key[1:]
    }
    apart = {name: set(found.filter(pl.col("n") > 1)["framework"]) for name, found in several.items()}
    if targets["device"].cast(pl.String).str.contains("[", literal=True).any():
        apart["device"] = set(targets["framework"])  # side by side: else who stands on which is to be guessed
    for target in targets.iter_rows(named=True):
        mine = judged.filter(*(pl.col(k) == target[k] for k in key))
        plain = ordinary.filter(*(pl.col(k) == target[k] for k in key))
        broken = mine.filter(pl.col("cause") != "")
        must = set(broken.filter(pl.col("level") == "must")["cause"])
        lines.append(
            Line(
                framework=target["framework"],
                version=target["version"],
                device=target["device"] if target["framework"] in apart["device"] else "",
                machine=target["machine"] if target["framework"] in apart["machine"] else "",
                cells=tuple(_cell(plain, group, dtype) for group, formats in columns for dtype in formats),
                edges=tuple(_behaviour(mine, edge) for edge in edges),
                must=len(must),
                should=len(set(broken["cause"]) - must),
            )
        )
    return Scorecard(tuple(columns), edges, tuple(lines))


def _cell(plain: pl.DataFrame, group: str, dtype: str) -> Cell:
    rows = plain.filter(pl.col("operator").is_in(GROUPS[group]), pl.col("dtype") == dtype)
    small = rows.filter(pl.col("symptom").is_in(SMALL)).height
    rows = rows.filter(~pl.col("symptom").is_in(SMALL), pl.col("grade") != Grade.NONE)
    if rows.is_empty():
        return Cell(small=small)
    special = pl.col("grade") == Grade.WRONG_SPECIAL
    worst = rows.sort(special, "ulps", "case", descending=[True, True, False], nulls_last=True).row(
        0, named=True
    )
    wrong = worst["grade"] == Grade.WRONG_SPECIAL
    return Cell(
        ulps=None if wrong else worst["ulps"],
        grade=worst["grade"],
        status=worst["status"],
        special=word(worst) if wrong else "",
        beside=word(worst) if worst["symptom"] in RIGHT_NUMBERS else "",
        implementation=worst["implementation"],
        case=worst["case"],
        cause=worst["cause"],
        small=small,
    )


def _behaviour(mine: pl.DataFrame, edge: Edge) -> Behaviour:
    rows = mine.filter(pl.col("clause").is_in(edge.clauses))
    broken = rows.filter(pl.col("status") != Status.CONFORMS)
    if broken.is_empty():
        return Behaviour(asked=rows.height)
    must = broken.filter(pl.col("level") == "must")
    usual = _usual(broken if must.is_empty() else must)
    rest = broken.filter(pl.col("level") != "must")
    also = "" if must.is_empty() or rest.is_empty() else word(_usual(rest))
    return Behaviour(
        asked=rows.height,
        broken=broken.height,
        level="should" if must.is_empty() else "must",
        word=word(usual),
        cause=usual["cause"],
        also="" if also == word(usual) else also,
        right_in=_right_in(rows, broken),
    )


def _right_in(rows: pl.DataFrame, broken: pl.DataFrame) -> tuple[str, ...]:
    """Modes in which what is broken elsewhere was asked too, of the same implementations, and conforms."""
    call = ["implementation", "case", "output"]
    again = rows.join(broken.select(call).unique(), on=call, how="semi")
    modes = again.group_by("mode").agg((pl.col("status") != Status.CONFORMS).sum().alias("broken"))
    return tuple(modes.filter(pl.col("broken") == 0).sort("mode")["mode"])


def _usual(rows: pl.DataFrame) -> Row:
    """The symptom and the cause of most of these rows."""
    found = rows.group_by("symptom", "cause").len()
    return found.sort("len", "symptom", "cause", descending=[True, False, False]).row(0, named=True)


def word(row: Row) -> str:
    """The fault of a row in one word."""
    return _WORDS.get(row["symptom"], str(row["symptom"]))
