"""What a script is to show: which call, which output, which element, and what is right there.

The framework is asked, so that a script shows what this version returns: first with the row alone, since
that is the shorter script, and with the whole batch where the fault needs the row's neighbours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of
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
from xent_conformance.explain.script.pairs import Pair, found
from xent_conformance.explain.script.right import NOTHING, Right, right_of
from xent_conformance.explain.script.shown import Shown
from xent_conformance.explain.wanted import Refused
from xent_conformance.frameworks.interface import Array, Implementation, Question
from xent_conformance.frameworks.layer import named_parts
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.repeated import EQUAL_CLASSES, equal_inputs
from xent_conformance.judging.rows import answered, asked_and_judged, verdicts
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import GRADES, Outcome, Row, Status, Symptom
from xent_conformance.worker.bits import other_bits
from xent_conformance.worker.delivery import Delivery

_HEAVY = (Status.BREAKS_MUST, Status.BREAKS_SHOULD, Status.CONFORMS)
"""What a script can show, the heaviest first."""


TRIES = 200
"""So often a call is repeated to see whether few rows show what differs from call to call."""

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
    check_name("mode", mode or modes[0], modes)
    (there, *_) = wanted_devices(seat, connection.hello["devices"], [device]) or [""]
    asked = questions(seat, batch, [there] if there else [], [door.name], Profile.FULL)
    asked = [q for q in asked if q.mode == (mode or modes[0])]
    if not asked:
        raise Refused(
            f"{door.name} of {seat.name} is not asked about this case in mode {mode or modes[0]} on "
            f"{device}; its modes are {', '.join(modes)}, "
            f"its devices here {', '.join(connection.hello['devices'])}"
        )
    return _Asked(seat, connection, batch, case, door, asked[0], judged).shown(output)


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
    check_name("implementation", name, dict.fromkeys(i.name for _, i in every))
    found = [(f, i) for f, i in every if i.name == name and i.operator == batch.operator]
    if not found:
        raise Refused(f"{name} does not compute {batch.operator} (`conformance list implementations`)")
    if len(found) > 1:
        options = ", ".join(f.name for f, _ in found)
        raise Refused(f"{name} is in {options}: say which with --framework")
    return found[0]


_Called = tuple[Mapping[str, Array], Mapping[str, Any], tuple[int, ...], tuple[int | slice, ...]]


@dataclass
class _Asked:
    """One implementation in one mode, and its worker."""

    seat: Seat
    connection: Connection
    batch: Batch
    case: Case
    door: Implementation
    question: Question
    judged: Sequence[Row] = ()

    def shown(self, output: str = "") -> Shown:
        """That output, or the worst one, by as few rows as show it."""
        truth = Oracle(default_cache()).truth(self.batch.inputs)
        judge = Judge(truth)
        every = self._every(judge)
        worst = self._worst([*self.judged, *every], output)
        output = str(worst["output"])
        question = replace(
            self.question,
            outputs=(output,),
            withheld=(),
            manner=replace(self.question.manner, again="", rows=0),
        )
        for was, now in changed(self.judged, every):
            if was["output"] == output and kind(was) != kind(now):
                return self._sometimes(judge, worst, question, seen(was, now))
        way = kind_of(self.batch, worst)
        if way:
            return self._again(judge, worst, question, way)
        if worst["symptom"] == Symptom.OTHER_BITS:
            return self._twice(judge, worst, question)
        for take in self._ways():
            row, dtype = self._row(judge, question, take)
            if kind(row) != kind(worst):
                continue
            arrays, keywords, shape, place = self._call(question, take, int(row["index"]), output)
            right = right_of(judge, self.case, row)
            measured = row["grade"] != "none" and right is not NOTHING
            if measured and right.agrees(row["got"]) != (row["status"] == Status.CONFORMS):
                continue
            return self._shown(question, row, right, (arrays, keywords, shape, place), dtype, take)
        raise Refused(
            f"what {self.door.name} returns in a run ({output}: {worst['symptom']}) is not what it returns "
            "where the row, or its batch, is asked for this output alone; see it without --script"
        )

    def _shown(
        self, question: Question, row: Row, right: Right, called: _Called, dtype: np.dtype[Any], take: Array,
        pair: Pair | Again | None = None,
    ) -> Shown:  # fmt: skip
        many = len(take) > len(self.batch.inputs)
        return Shown(
            self.batch, self.case, self.seat, self.door, question.mode, self.seat.device(question.device),
            str(self.connection.hello["version"]), row, right, *called, dtype,
            repeated=len(take) if many else 0, pair=pair,
        )  # fmt: skip

    def _twice(self, judge: Judge, worst: Row, question: Question) -> Shown:
        """Two answers to the case with other bits. Raises :class:`Refused` where no two calls show them."""
        form, batch = self.batch.form, self.batch
        every, output = np.arange(len(batch.inputs)), str(worst["output"])
        vector = form.each and form.shape == ()
        filled = np.resize(every, max(form.filled or 64, len(every)))
        takes = [np.array([self.case.row])] if vector else [every, filled]
        alike = equal_inputs(batch, self.case) if worst["clause"] == EQUAL_CLASSES else {}
        pair = None
        rows = form.shape is None and not (form.each or batch.inputs.attributes.grouped)
        if vector or (rows and batch.inputs.copies == 1):
            ask = functools.partial(self._returned, question)
            pair = found(ask, takes, self.case.row, len(every), alike, vector=vector)
        if pair is None:
            raise Refused(
                f"{self.door.name} returns other bits than it should ({worst['clause']}), and not where two "
                "plain calls are compared; see it without --script"
            )
        called = self._call(question, pair.take, int(worst["index"]), output)
        returned = self._returned(question, pair.take)
        assert returned is not None, "it was compared"
        right = right_of(judge, self.case, worst)
        return self._shown(question, worst, right, called, returned.dtype, pair.take, pair)

    def _again(self, judge: Judge, worst: Row, question: Question, kind: str) -> Shown:
        """A call, and the same once more. Raises :class:`Refused` where a new process does not show it."""
        output = str(worst["output"])
        ways = self._ways()
        ask = functools.partial(self._once_more, question)
        take = ways[0] if worst["status"] == Status.CONFORMS else otherwise(ask, output, kind, ways)
        if take is None:
            raise Refused(
                f"{self.door.name} returned other bits than it should ({worst['clause']}) in a run, and not "
                "where a new process asks the same; see it without --script"
            )
        called = self._call(question, take, int(worst["index"]), output)
        right = right_of(judge, self.case, worst)
        dtype = self.batch.inputs.format.dtype
        return self._shown(question, worst, right, called, dtype, take, Again(kind, len(take)))

    def _sometimes(self, judge: Judge, worst: Row, question: Question, seen: str) -> Shown:
        """A call, and the same until it gives other bits: what it gave in a run it does not give now."""
        ways = self._ways()
        take = next((take for take in ways if self._changes(question, take)), ways[-1])
        called = self._call(question, take, int(worst["index"]), str(worst["output"]))
        right = right_of(judge, self.case, worst)
        again = Again(SOMETIMES, len(take), seen)
        return self._shown(question, worst, right, called, self.batch.inputs.format.dtype, take, again)

    def _changes(self, question: Question, take: Array) -> bool:
        """Whether one of many calls with these rows gives other bits than the first."""
        first = self._returned(question, take)
        for _ in range(TRIES):
            second = self._returned(question, take)
            if first is None or second is None or first.shape != second.shape:
                if first is not second:
                    return True
            elif other_bits(first, second).any():
                return True
        return False

    def _once_more(self, question: Question, take: Array, again: str) -> Mapping[str, Array]:
        """What a new process answers to these rows; nothing where it is lost."""
        self.connection.restart()
        manner = replace(question.manner, again=again, rows=len(take))
        arrays = {name: a[take] for name, a in arrays_of(self.batch).items()}
        try:
            (reply,) = self.connection.ask([replace(question, manner=manner)], arrays)
        except WorkerLost:
            return {}
        results: Mapping[str, Array] = reply.results
        return results

    def _returned(self, question: Question, take: Array) -> Array | None:
        """The output of one call with these rows, a row each."""
        try:
            (reply,) = self.connection.ask([question], {n: a[take] for n, a in arrays_of(self.batch).items()})
        except WorkerLost:
            self.connection.restart()
            return None
        got = reply.results.get(question.outputs[0])
        return got if got is not None and got.ndim and len(got) == len(take) else None

    def _every(self, judge: Judge) -> list[Row]:
        """The case's verdicts in a run."""
        asked = asked_and_judged(self.seat, self.connection, self.batch, [self.question], judge)
        return [r for r in asked.rows() if r["case"] == self.case.id]

    def _worst(self, every: Sequence[Row], output: str) -> Row:
        """The heaviest of these verdicts, on that output if one is named."""
        mine = [r for r in every if output in ("", r["output"])]
        if not mine:
            check_name("output", output, dict.fromkeys(r["output"] for r in every))
        rows = [r for r in mine if r["status"] in _HEAVY]
        if not rows:
            said = mine[0]
            words = f": {said['message']}" if said["message"] else ""
            raise Refused(f"{self.door.name} is {said['status']} here by clause {said['clause']}{words}")
        return heaviest(rows)

    def _judged(self, judge: Judge, answer: Answer) -> Iterator[Row]:
        mine = answered(self.seat, self.connection.hello, self.batch, judge, answer)
        return (r for r in verdicts([mine]).rows() if r["case"] == self.case.id)

    def _ways(self) -> list[Array]:
        """Which rows to call with: the row alone where rows are by themselves; all; as many as in a run."""
        every, form = np.arange(len(self.batch.inputs)), self.batch.form
        alone = np.array([self.case.row])
        if form.each or self.batch.inputs.attributes.grouped or self.batch.inputs.copies > 1:
            return [alone]
        if form.shape is not None:
            return [every]
        filled = np.resize(every, max(form.filled or 64, len(every)))
        ways = [every] if form.layout != "contiguous" else [alone, every]
        repeated = self.batch.stacked or form.filled
        return [*ways, filled] if repeated and len(filled) > len(every) else ways

    def _row(self, judge: Judge, question: Question, take: Array) -> tuple[Row, np.dtype[Any]]:
        """The verdict on the case where these rows are asked."""
        arrays = {name: a[take] for name, a in arrays_of(self.batch).items()}
        total, (output,) = len(self.batch.inputs), question.outputs
        answer = Answer(question)
        try:
            (reply,) = self.connection.ask([question], arrays)
        except WorkerLost as lost:
            self.connection.restart()
            outcome = Outcome.TIMED_OUT if lost.timed_out else Outcome.CRASHED
            answer.failures[output] = {self.case.row: Failure(outcome, str(lost))}
        else:
            for name, failure in reply.failures.items():
                told = Failure(Outcome(failure["outcome"]), failure["message"])
                answer.failures[name] = dict.fromkeys(range(total), told)
            for name, got in reply.results.items():
                whole = got.ndim and len(got) == len(take)
                answer.results[name] = np.resize(got, (total, *got.shape[1:])) if whole else got
        returned = answer.results.get(output)
        (row,) = self._judged(judge, answer)
        return row, self.batch.inputs.format.dtype if returned is None else returned.dtype

    def _call(self, question: Question, take: Array, index: int, output: str) -> _Called:
        """Arrays and keywords as the implementation gets them, the output's shape and the element's place."""
        many = len(take) > len(self.batch.inputs)
        rows = take[: len(self.batch.inputs)] if many else take
        arrays = {name: a[rows] for name, a in arrays_of(self.batch).items()}
        copies = question.manner.copies
        manner = replace(question.manner, layout="contiguous", copies=1)
        taken: list[tuple[Mapping[str, Array], Mapping[str, Any]]] = []

        def numbered(
            arrays: Mapping[str, Array], keywords: Mapping[str, Any], state: str
        ) -> Mapping[str, Array]:
            taken.append((arrays, keywords))
            like = arrays[_like(output)]
            return {output: np.arange(like.size).reshape(like.shape)}

        cotangent = arrays["cotangent"]
        delivery = Delivery(manner, self.door.takes, cotangent.ndim == 1, cotangent.dtype.name)
        numbers = delivery.answer(numbered, arrays)[output]
        (row,) = np.flatnonzero(rows == self.case.row)
        (called, keywords), *_ = taken
        if "features" in keywords:
            parts = named_parts(called, keywords)
            of = parts[_like(output) if output == "value" else output.removeprefix("grad_")]
            return parts, keywords, of.shape, tuple(int(i) for i in np.unravel_index(index, of.shape))
        like = called[_like(output)]
        if not like.size:  # a call without an example: its shape is all there is
            return called, keywords, like.shape, ()
        flat = int(np.ravel(numbers[row])[index])
        place: tuple[int | slice, ...] = tuple(int(i) for i in np.unravel_index(flat, like.shape))
        if copies > 1 and like.ndim == called["logits"].ndim:
            axis = self.batch.form.class_axis
            group = slice(index * copies, (index + 1) * copies)
            place = tuple(group if a == axis else i for a, i in enumerate(place))
        return called, keywords, like.shape, place


def _like(output: str) -> str:
    """The argument that an output has the shape of."""
    return "cotangent" if output in ("value", "jvp") else "logits"


def heaviest(rows: Iterable[Row]) -> Row:
    """The worst of some verdicts that a script can show."""
    return min(rows, key=_weight)


def _weight(row: Row) -> tuple[int, int, float]:
    """The heaviest first."""
    ulps = row["ulps"]
    return _HEAVY.index(row["status"]), -GRADES.index(row["grade"]), -ulps if ulps == ulps else 0.0
