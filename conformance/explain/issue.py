"""``conformance explain --issue``: one wrong answer as the text of an issue for its framework's tracker."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from typing import Any

import polars as pl

from xent_conformance.cases.case import Batch, Case
from xent_conformance.explain.case import Answered, answers
from xent_conformance.explain.script.showing import door_of, shown
from xent_conformance.explain.script.worst import heaviest
from xent_conformance.explain.script.write import written
from xent_conformance.explain.wanted import Refused, Wanted
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.reports.run.words import FAULTS, Row
from xent_conformance.reports.text.trackers import tracker_of
from xent_conformance.reports.views.issue import issue_of
from xent_conformance.running.header import exhibits

AUTO = "auto"
"""The tracker of the implementation's own framework."""


def issue(batch: Batch, case: Case, wanted: Wanted, tracker: str = AUTO) -> tuple[str, str]:
    """The issue of the worst answer that is wanted, and why it has no script, if it has none. Asks it.

    Raises :class:`Refused` where nothing is wrong, or more than one implementation or device is named;
    :class:`~xent_conformance.discovery.names.UnknownName` for a name that nothing answers to; and
    :class:`~xent_conformance.reports.text.trackers.UnknownTracker`.
    """
    wanted = wanted.checked(batch.inputs.outputs)
    name, framework, _, device = wanted.alone()
    chosen, door = door_of(batch, name, framework)
    tracker = "" if tracker == AUTO else tracker
    tracker_of(tracker, chosen.name)  # refused before anybody is asked
    answered = _answered(batch, case, door.name, chosen.name, wanted)
    row = _row(answered, wanted, door.name)
    script, missing = "", ""
    try:
        shows = (door.name, chosen.name, row["mode"], device, row["output"], wanted.interpreters)
        script = written(shown(batch, case, *shows))
    except Refused as refused:
        missing = str(refused)
    run = _run(answered, row, batch, case)
    cause = answered.causes.get(row["cause"])
    return issue_of(run, row, cause, script or f"# none: {missing}").written(tracker), missing


def _answered(batch: Batch, case: Case, name: str, framework: str, wanted: Wanted) -> Answered:
    """Of the implementation, in all its modes: who is asked in one alone may be told another cause."""
    one = Wanted([glob.escape(name)], [framework], (), wanted.devices, "", wanted.interpreters)
    for answered in answers(batch, case, one):
        if not answered.rows:
            raise Refused(f"{framework} cannot be asked: {answered.absent or answered.lacks}")
        return answered
    raise Refused(f"{name} of {framework} is not asked about this case")


def _row(answered: Answered, wanted: Wanted, name: str) -> Row:
    """The heaviest of the verdicts that are meant, of those that break a clause."""
    meant = {"mode": "".join(wanted.modes), "output": wanted.output}
    asked = [r for r in answered.rows if all(value in ("", r[column]) for column, value in meant.items())]
    wrong = [r for r in asked if r["status"] in FAULTS]
    if not wrong:
        where = "".join(f" in {column} {value}" for column, value in meant.items() if value)
        raise Refused(f"{name} breaks no clause here{where}: there is nothing to report")
    return heaviest(wrong)


def _run(answered: Answered, row: Row, batch: Batch, case: Case) -> Run:
    """The verdict as a run file has it, with what a header says of it."""
    header: Mapping[str, Any] = {
        "selection": {"plugins": ()},
        "operators": {o.name: o.formula for o in OPERATORS.values()},
        "clauses": {c.id: {"level": c.level, "title": c.title, "text": c.text} for c in clauses().values()},
        "exhibits": exhibits([case.id], lambda _: (batch, case)),
        "frameworks": [answered.hello],
    }
    return Run(pl.DataFrame([dict(row)], schema=SCHEMA, orient="row"), (header,))
