"""The issue of a cause, from the run file alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.run import commands
from xent_conformance.reports.run.beside import Build, machines
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.issue import Issue, seen_in
from xent_conformance.reports.text.trackers import TRACKERS, tracker_of
from xent_conformance.reports.views.causes import Cause, worst_verdict


def issue_text(run: Run, cause: Cause, tracker: str = "", script: str = "") -> str:
    """The text of an upstream issue: its title on the first line, then the body in the tracker's own form.

    It is about the worst answer of a framework that is reported there, or about the worst of all where the
    cause shows in none of them. Without a script, the command that prints it stands in its place. Raises
    :class:`~xent_conformance.reports.text.trackers.UnknownTracker` for a name that is none and, where none is
    named, for a framework without one.
    """
    form = tracker_of(tracker, cause.framework)
    row = worst_verdict(run, cause.id, form.has) or worst_verdict(run, cause.id)
    assert row is not None, "a cause is of some verdict"
    return issue_of(run, row, cause, script).written(tracker)


@dataclass(frozen=True)
class ShownIssue:
    """An issue that a page shows; ``of_shown``: it is of the very row that the page shows of the cause."""

    text: str
    of_shown: bool


def shown_issue(run: Run, cause: Cause, shown: Row) -> ShownIssue:
    """Of the row that is shown, as its script is, in the form of its framework's own tracker.

    Where that has none, of the worst row of a framework that has one; where the cause shows in none, empty.
    """
    reported = trackers(cause)
    if any(TRACKERS[name].has(shown["framework"]) for name in reported):
        return ShownIssue(issue_of(run, shown, cause).written(), True)
    return ShownIssue(issue_text(run, cause, reported[0]) if reported else "", False)


def trackers(cause: Cause) -> tuple[str, ...]:
    """The trackers that a cause can be reported to: those of the frameworks where it shows."""
    return tuple(name for name, t in TRACKERS.items() if any(map(t.has, cause.frameworks)))


def issue_of(run: Run, row: Row, cause: Cause | None, script: str = "") -> Issue:
    """What an issue about a verdict is made of; ``cause``: what is wrong, where it has a name."""
    command = commands.script(run, row)
    return Issue(
        row=row,
        formula=run.header["operators"].get(row["operator"], row["operator"]),
        clause=run.clause(row["clause"]),
        asked=next((h["exhibits"][row["case"]] for h in run.headers if row["case"] in h["exhibits"]), None),
        environment=_environment(run, row),
        cause=cause.title if cause else str(row["symptom"]),
        hypothesis=cause.hypothesis if cause else "",
        sentence=cause.sentence if cause else "",
        seen=_seen(run, row, cause) if cause else "",
        script=script or (f"# {command}" if command else ""),
    )


def _seen(run: Run, row: Row, cause: Cause) -> str:
    """Where the cause shows in the framework of the verdict, and which others it shows in."""
    here = run.verdicts.filter(pl.col("cause") == cause.id, pl.col("framework") == row["framework"])
    names, dtypes = (here[column].unique().sort().to_list() for column in ("implementation", "dtype"))
    return seen_in(names, dtypes, [f for f in cause.frameworks if f != row["framework"]])


def _environment(run: Run, row: Row) -> Mapping[str, str]:
    """Of the worker that answered, on the machine of the verdict, with its variant if it was one."""
    told: dict[str, Any] = {}
    for header, called in zip(run.headers, machines(run.headers), strict=True):
        for worker in header["frameworks"]:
            build = Build.of(worker)
            named = build[:2] == (row["framework"], row["version"])
            here = called.get(build, build.processor) == row["machine"]
            if named and (not told or (here and _is_variant(worker, row))):
                told = worker["environment"]
    return {str(k): str(v) for k, v in told.items()}


def _is_variant(worker: Mapping[str, Any], row: Row) -> bool:
    """Whether it was asked the device of the verdict, which may be one under a setting."""
    return f"[{worker['variant']}]" in row["device"] if worker.get("variant") else "[" not in row["device"]
