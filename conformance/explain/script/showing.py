"""What a script is to show: which call, which output, which element, and what is right there.

The framework is asked, so that a script shows what this version returns: first with the row alone, since
that is the shorter script, and with the whole batch where the fault needs the row's neighbours.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xent_conformance.asking.connection import Connection, FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import connect
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.discovery.names import check_name
from xent_conformance.discovery.seats import seats, wanted_devices
from xent_conformance.explain.changing import changed, kind, seen
from xent_conformance.explain.script.again import SOMETIMES, Again, kind_of, otherwise
from xent_conformance.explain.script.asked import Asked
from xent_conformance.explain.script.given import Given, given
from xent_conformance.explain.script.pairs import Pair, found
from xent_conformance.explain.script.right import NOTHING, Right, right_of
from xent_conformance.explain.script.shown import Shown
from xent_conformance.explain.script.worst import worst_of
from xent_conformance.explain.wanted import Refused
from xent_conformance.frameworks.interface import Array, Implementation, Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.repeated import EQUAL_CLASSES, equal_inputs
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Row, Status, Symptom

_THIS_PYTHON: Mapping[str, str] = {}


def check_showable(batch: Batch, case: Case) -> None:
    """Raise :class:`Refused` where no script could show the case, whoever answers it."""
    if batch.form.wrong:
        raise Refused("arguments that do not fit are described, not measured; see them without --script")


def shown(
    batch: Batch,
    case: Case,
    implementation: str,
    framework: str = "",
    mode: str = "",
    device: str = "cpu",
    output: str = "",
    interpreters: Mapping[str, str] = _THIS_PYTHON,
) -> Shown:
    """What the named implementation's script is to show: that output, or the worst.

    ``interpreters``: by framework, the Python that has it, where it is not ours. Raises :class:`Refused`.
    """
    check_showable(batch, case)
    chosen, door = door_of(batch, implementation, framework)
    seat = next(iter(seats(chosen, [device], Profile.FULL)), None)
    if seat is None:
        raise Refused(f"{chosen.name} has no device {device!r} (`conformance list devices` shows all)")
    try:
        connection = connect(seat.run_by(interpreters.get(chosen.name)))
    except (FrameworkAbsent, WorkerLost) as absent:
        raise Refused(f"{chosen.name} does not start: {absent}; add it with: {chosen.install}") from None
    try:
        return shown_by(connection, seat, door, batch, case, mode, device, output)
    finally:
        connection.close()


def shown_by(
    connection: Connection,
    seat: Seat,
    door: Implementation,
    batch: Batch,
    case: Case,
    mode: str = "",
    device: str = "cpu",
    output: str = "",
    judged: Sequence[Row] = (),
) -> Shown:
    """The same, of a worker that is there; ``judged``: the verdicts that it got on the case before.

    Where it gets others now, that is what is shown.
    """
    check_showable(batch, case)
    modes = seat.modes(Profile.FULL)
    mode = check_name("mode", mode or modes[0], modes)
    (there, *_) = wanted_devices(seat, connection.hello["devices"], [device]) or [""]
    asked = questions(seat, batch, [there] if there else [], [door.name], Profile.FULL)
    asked = [q for q in asked if q.mode == mode]
    if not asked:
        raise Refused(
            f"{door.name} of {seat.name} is not asked about this case in mode {mode} on "
            f"{device}; its modes are {', '.join(modes)}, "
            f"its devices here {', '.join(connection.hello['devices'])}"
        )
    judge = Judge(Oracle(default_cache()).truth(batch.inputs))
    return _Showing(Asked(seat, connection, batch, case, door, asked[0]), judge, judged).shown(output)


def door_of(batch: Batch, name: str, framework: str) -> tuple[Framework, Implementation]:
    """The one implementation of that name, which the batch's operator must have."""
    if framework:
        framework = check_name("framework", framework, FRAMEWORKS)
    every = [
        (f, i)
        for f in FRAMEWORKS.values()
        for i in f.declaration.implementations
        if framework in ("", f.name)
    ]
    name = check_name("implementation", name, dict.fromkeys(i.name for _, i in every))
    found = [(f, i) for f, i in every if i.name == name and i.operator == batch.operator]
    if not found:
        raise Refused(f"{name} does not compute {batch.operator} (`conformance list implementations`)")
    if len(found) > 1:
        options = ", ".join(f.name for f, _ in found)
        raise Refused(f"{name} is in {options}: say which with --framework")
    return found[0]


@dataclass(frozen=True)
class _Showing:
    """What is to be shown of what is asked; ``judged``: the verdicts that it got on the case before."""

    asked: Asked
    judge: Judge
    judged: Sequence[Row]

    def shown(self, output: str = "") -> Shown:
        """That output, or the worst one, by as few rows as show it."""
        asked, every = self.asked, self.asked.every(self.judge)
        worst = worst_of([*self.judged, *every], asked.door.name, output)
        output = str(worst["output"])
        question = replace(
            asked.question,
            outputs=(output,),
            withheld=(),
            manner=replace(asked.question.manner, again="", rows=0),
        )
        for was, now in changed(self.judged, every):
            if was["output"] == output and kind(was) != kind(now):
                return self._sometimes(worst, question, seen(was, now))
        way = kind_of(asked.batch, worst)
        if way:
            return self._again(worst, question, way)
        if worst["symptom"] == Symptom.OTHER_BITS:
            return self._twice(worst, question)
        for take in asked.ways():
            row, dtype = asked.row(self.judge, question, take)
            if kind(row) != kind(worst):
                continue
            call = self._given(question, take, row)
            right = right_of(self.judge, asked.case, row)
            measured = row["grade"] != "none" and right is not NOTHING
            if measured and right.agrees(row["got"]) != (row["status"] == Status.CONFORMS):
                continue
            return self._shown(question, row, right, call, dtype, take)
        raise Refused(
            f"what {asked.door.name} returns in a run ({output}: {worst['symptom']}) is not what it returns "
            "where the row, or its batch, is asked for this output alone; see it without --script"
        )

    def _given(self, question: Question, take: Array, row: Row) -> Given:
        """The call with these rows, and where in its output the element of this verdict lies."""
        asked, output = self.asked, str(row["output"])
        return given(asked.batch, asked.case, asked.door, question, take, int(row["index"]), output)

    def _shown(
        self, question: Question, row: Row, right: Right, call: Given, dtype: np.dtype[Any], take: Array,
        pair: Pair | Again | None = None,
    ) -> Shown:  # fmt: skip
        asked = self.asked
        many = len(take) > len(asked.batch.inputs)
        return Shown(
            asked.batch, asked.case, asked.seat, asked.door, question.mode,
            asked.seat.device(question.device), str(asked.connection.hello["version"]), row, right, *call,
            dtype, repeated=len(take) if many else 0, pair=pair,
        )  # fmt: skip

    def _twice(self, worst: Row, question: Question) -> Shown:
        """Two answers to the case with other bits. Raises :class:`Refused` where no two calls show them."""
        asked = self.asked
        form, batch, case = asked.batch.form, asked.batch, asked.case
        every = np.arange(len(batch.inputs))
        vector = form.each and form.shape == ()
        filled = np.resize(every, max(form.filled or 64, len(every)))
        takes = [np.array([case.row])] if vector else [every, filled]
        alike = equal_inputs(batch, case) if worst["clause"] == EQUAL_CLASSES else {}
        pair = None
        rows = form.shape is None and not (form.each or batch.inputs.attributes.grouped)
        if vector or (rows and batch.inputs.copies == 1):
            ask = functools.partial(asked.returned, question)
            pair = found(ask, takes, case.row, len(every), alike, vector=vector)
        if pair is None:
            raise Refused(
                f"{asked.door.name} returns other bits than it should ({worst['clause']}), and not where two "
                "plain calls are compared; see it without --script"
            )
        call = self._given(question, pair.take, worst)
        returned = asked.returned(question, pair.take)
        assert returned is not None, "it was compared"
        right = right_of(self.judge, case, worst)
        return self._shown(question, worst, right, call, returned.dtype, pair.take, pair)

    def _again(self, worst: Row, question: Question, kind: str) -> Shown:
        """A call, and the same once more. Raises :class:`Refused` where a new process does not show it."""
        asked, ways = self.asked, self.asked.ways()
        ask = functools.partial(asked.once_more, question)
        kept = worst["status"] == Status.CONFORMS
        take = ways[0] if kept else otherwise(ask, str(worst["output"]), kind, ways)
        if take is None:
            raise Refused(
                f"{asked.door.name} returned other bits than it should ({worst['clause']}) in a run, and not "
                "where a new process asks the same; see it without --script"
            )
        return self._once_more(worst, question, take, Again(kind, len(take)))

    def _sometimes(self, worst: Row, question: Question, seen: str) -> Shown:
        """A call, and the same until it gives other bits: what it gave in a run it does not give now."""
        ways = self.asked.ways()
        take = next((take for take in ways if self.asked.changes(question, take)), ways[-1])
        return self._once_more(worst, question, take, Again(SOMETIMES, len(take), seen))

    def _once_more(self, worst: Row, question: Question, take: Array, again: Again) -> Shown:
        """A call that is made again, with these rows."""
        call = self._given(question, take, worst)
        right = right_of(self.judge, self.asked.case, worst)
        return self._shown(question, worst, right, call, self.asked.batch.inputs.format.dtype, take, again)
