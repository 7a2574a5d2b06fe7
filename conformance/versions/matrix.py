"""Several runs of one framework, a version each, as one table: what every implementation does in each.

A pure function of run files. It counts and places; it decides nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from packaging.version import InvalidVersion, Version

from xent_conformance.decision.compare import compare
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import worst_first
from xent_conformance.reports.run.words import FAULTS, Outcome, Status
from xent_conformance.reports.text.wording import Answer
from xent_conformance.reports.views.comparison import APART, Change
from xent_conformance.reports.views.versions import Cell, Lifetime, Line, Versions

MEASURED = "ordinary"
"""The family on which the worst error of an implementation is told."""

_CAUSE = ("operator", "implementation", "formulation", "output", "clause", "level", "symptom")
_ASKED = ("operator", "implementation", "output")


def by_version(runs: Sequence[Run]) -> list[Run]:
    """The runs, oldest version first; versions that are no versions come last, by name."""

    def key(run: Run) -> tuple[bool, Version, str]:
        text = version_of(run)
        try:
            return False, Version(text), text
        except InvalidVersion:
            return True, Version("0"), text

    return sorted(runs, key=key)


def version_of(run: Run) -> str:
    """The version that the run's workers said."""
    return next((str(f["version"]) for f in run.header["frameworks"]), "none")


def versions(runs: Sequence[Run], command: str = "") -> Versions:
    """The table of ``runs``, which are of one framework; ``command`` is what asks them again."""
    runs = by_version(runs)
    changed = [None, *(_changed(a, b) for a, b in itertools.pairwise(runs))]
    cells = [_cells(run, bits) for run, bits in zip(runs, changed, strict=True)]
    doors = {name: formulation for run in runs for name, formulation in _doors(run)}
    lines = [Line(name, doors[name], tuple(found.get(name) for found in cells)) for name in sorted(doors)]
    return Versions(
        framework=next((str(f["framework"]) for r in runs for f in r.header["frameworks"]), "none"),
        versions=tuple(map(version_of, runs)),
        environments=tuple(_environment(run) for run in runs),
        complete=tuple(run.complete for run in runs),
        profile=str(runs[-1].header["selection"]["profile"]),
        date=str(runs[-1].header["created"])[:10],
        command=command,
        lines=tuple(sorted(lines, key=lambda line: (line.control, line.implementation))),
        lifetimes=tuple(_lifetimes(runs)),
    )


def _environment(run: Run) -> Mapping[str, str]:
    workers = run.header["frameworks"]
    return {k: str(v) for k, v in workers[0]["environment"].items()} if workers else {}


def _doors(run: Run) -> list[tuple[str, str]]:
    return list(run.verdicts.select("implementation", "formulation").unique().sort("implementation").rows())


def _changed(old: Run, new: Run) -> dict[str, tuple[int, ...]]:
    """By implementation: verdicts with other bits, those compared, those worse, those better."""
    pairs = compare(old, new).pairs.filter(~pl.col("change").is_in([change.value for change in APART]))
    other = pl.col("bits").ne_missing(pl.col("bits_old")) | (pl.col("outcome") != pl.col("outcome_old"))
    counted = pairs.group_by("implementation").agg(
        other.sum().alias("changed"),
        pl.len().alias("compared"),
        (pl.col("change") == Change.REGRESSED.value).sum().alias("regressed"),
        (pl.col("change") == Change.FIXED.value).sum().alias("fixed"),
    )
    return {name: tuple(counts) for name, *counts in counted.iter_rows()}


def _cells(run: Run, changed: Mapping[str, tuple[int, ...]] | None) -> dict[str, Cell]:
    found = {}
    for (name,), rows in run.verdicts.group_by(["implementation"]):
        status = dict(rows["status"].value_counts().iter_rows())
        against = (None,) * 4 if changed is None else changed.get(str(name), (0,) * 4)
        found[str(name)] = Cell(
            verdicts=rows.height,
            must=status.get(Status.BREAKS_MUST.value, 0),
            should=status.get(Status.BREAKS_SHOULD.value, 0),
            unsupported=status.get(Status.UNSUPPORTED.value, 0),
            worst=_worst(rows),
            **dict(zip(("changed", "compared", "regressed", "fixed"), against, strict=True)),
        )
    return found


def _worst(rows: pl.DataFrame) -> dict[str, float]:
    measured = rows.filter((pl.col("family") == MEASURED) & pl.col("ulps").is_not_nan())
    return dict(measured.group_by("dtype").agg(pl.col("ulps").max()).sort("dtype").iter_rows())


def _lifetimes(runs: Sequence[Run]) -> list[Lifetime]:
    """Every finding of any version; must before should, controls last, then by name."""
    found = [_faults(run) for run in runs]
    answered = [_answered(run) for run in runs]
    lives = []
    for cause in sorted({cause for faults in found for cause in faults}):
        named = dict(zip(_CAUSE, cause, strict=True))
        place = tuple(named[k] for k in _ASKED)
        counts = tuple(
            len(faults[cause]) if cause in faults else (0 if place in there else None)
            for faults, there in zip(found, answered, strict=True)
        )
        worst = next(faults[cause][0] for faults in reversed(found) if cause in faults)
        places = {_places(faults.get(cause, ())) for faults in found}
        lives.append(
            Lifetime(
                **named,
                counts=counts,
                case=worst["case"],
                answer=Answer.of(worst),
                steady=len(places) == 1,
            )
        )
    return sorted(lives, key=lambda f: (f.control, f.level != "must", f.implementation, f.clause, f.output))


def _places(rows: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, ...]]:
    return frozenset((row["case"], row["mode"], row["device"]) for row in rows)


def _faults(run: Run) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Verdicts that break a clause by cause, the worst first."""
    broken = worst_first(run.verdicts.filter(pl.col("status").is_in(FAULTS)))
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in broken.iter_rows(named=True):
        found.setdefault(tuple(str(row[k]) for k in _CAUSE), []).append(row)
    return found


def _answered(run: Run) -> set[tuple[str, ...]]:
    """Operator, implementation and output of which there is an answer: what is not offered has no faults."""
    offered = run.verdicts.filter(pl.col("outcome") != Outcome.UNSUPPORTED.value)
    return {tuple(map(str, row)) for row in offered.select(_ASKED).unique().iter_rows()}
