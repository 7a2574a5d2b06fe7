"""Asks an adapter the ordinary rows, and says what its mistakes look like by the suite's own judge.

An adapter that mixes up an axis, the labels or a keyword is wrong on most rows; a framework's own fault
shows on few, and is what a run is for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, batches_of, families
from xent_conformance.cases.profile import Profile
from xent_conformance.check_plugin.calls import PLAIN, About
from xent_conformance.discovery.declaration import Declaration
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.discovery.problems import Problem
from xent_conformance.frameworks.interface import Adapter, Implementation
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import asked_and_judged
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.words import Outcome, Status
from xent_conformance.reports.text.wording import Answer

EASY = "ordinary"
"""The family of plain rows."""

Rows = list[Mapping[str, Any]]


def values(kind: Any, adapter: Adapter) -> Iterator[About]:
    """Outputs that are wrong on most easy rows, and keywords that are declared and not taken.

    Naive formulations are passed over: they are controls, and wrong on easy rows already.
    """
    ask = _Asking(kind, adapter)
    for i in (i for i in adapter.implementations if i.formulation != "naive"):
        found: dict[tuple[str, str], Rows] = defaultdict(list)
        for keyword, batch in _easy(i):
            for row in ask.rows(i, batch):
                found[keyword, row["output"]].append(row)
        for (keyword, output), rows in found.items():
            for problem in _of_rows(keyword, output, rows):
                yield i.name, problem


class _Asking:
    """The adapter in its first mode on its first device."""

    def __init__(self, kind: Any, adapter: Adapter) -> None:
        self.connection = InProcess(lambda: adapter)
        self.device = self.connection.hello["devices"][0]
        declared = Declaration.of(kind)
        first = {next(iter(declared.modes)): Profile.QUICK}
        name = declared.name
        self.seat = Seat(Framework(name, "", "", given=replace(declared, modes=first)))
        self.oracle = Oracle(default_cache())

    def rows(self, i: Implementation, batch: Batch) -> Iterator[Mapping[str, Any]]:
        """The verdicts on one batch, as a run would give them."""
        asked = questions(self.seat, batch, [self.device], [i.name], Profile.FULL)
        judge = Judge(self.oracle.truth(batch.inputs))
        asked = [q for q in asked if q.operator == i.operator]
        yield from asked_and_judged(self.seat, self.connection, batch, asked, judge).rows()


def _easy(i: Implementation) -> Iterator[tuple[str, Batch]]:
    """The ordinary rows of two classes or more, and for each keyword the first batch that gives it."""
    op = OPERATORS[i.operator]
    for n in families()[EASY].lengths(op, Profile.QUICK):
        if n > 1 or op.elementwise:
            for batch in batches_of(op, families()[EASY], FORMATS[PLAIN], n):
                yield "", batch
    wanted = set(i.takes)
    for batch in batches(Profile.QUICK, operators=[op.name], dtypes=[PLAIN]):
        for keyword in wanted & _keywords(batch, i):
            wanted.discard(keyword)
            yield keyword, batch


def _keywords(batch: Batch, i: Implementation) -> set[str]:
    """What a batch gives an implementation beside logits and labels, where it gives one thing alone."""
    given = set(batch.inputs.attributes.given) | ({"out"} if batch.form.out else set())
    if batch.form.shape and not batch.form.class_axis_is_last and not OPERATORS[i.operator].elementwise:
        given.add("axis")
    return given if batch.inputs.logits.size and given <= i.takes and len(given) == 1 else set()


def _of_rows(keyword: str, output: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    wrong = [r for r in rows if r["status"] == Status.BREAKS_MUST and r["outcome"] != Outcome.REFUSED]
    refused = [row for row in rows if row["outcome"] == Outcome.REFUSED]
    if len(wrong) * 2 > len(rows):
        row = max(wrong, key=lambda r: (r["ulps"] == r["ulps"], r["ulps"]))
        given = f" with {keyword!r}" if keyword else ""
        yield Problem(
            f"{output}{given} is wrong on {len(wrong)} of {len(rows)} easy rows, by clause {row['clause']}: "
            f"{Answer.of(row).graded}",
            f"see the row with `{commands.line('explain', row['case'])}`",
        )
    if keyword and output == "value" and refused:
        yield Problem(
            f"takes {keyword!r}, but the value cannot be had with it ({refused[0]['message']})",
            f"pass `call.keywords` on, or leave {keyword!r} out of `takes`",
        )
