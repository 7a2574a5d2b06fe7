"""Ask one framework about one batch: every row gets an answer or the reason why there is none.

A call that raises, crashes or hangs its worker is repeated on halves of the batch until the rows
that cause it are alone; the other rows keep their answers. Where none does, it is the call as a whole, and
all its rows are charged. Sub-batches are filled up to the
original number of rows, so that nothing is compiled again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xent_conformance.asking.connection import Connection, Reply, WorkerLost
from xent_conformance.asking.health import asserts, healthy, keep, look_first, note_assertion
from xent_conformance.asking.suspects import suspect
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, Question, dtype_of
from xent_conformance.reference.formats import native
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.bits import other_rows
from xent_conformance.worker.delivery import AGAIN, CHANGED
from xent_conformance.worker.harmless import harmless

ROWS = 64
"""Shorter batches are filled up to so many rows, so that few shapes are compiled."""

WIDE = 2048
"""From this row length on a batch is asked with the rows it has."""

LIVES = 40
"""So many processes at most are lost to isolate the rows that break them; the rest share the last failure."""

APART = "(not again when its rows were asked apart)"
"""Of a call that fails as a whole, and none of whose rows does."""


@dataclass(frozen=True)
class Failure:
    """Why a row has no answer, in the framework's own words."""

    outcome: Outcome
    message: str


@dataclass
class Answer:
    """``results[output]`` has a row for each row asked; ``failures[output]`` says which do not count.

    ``copies[output]`` has, of a row that was repeated to fill a call up, a copy that came back with other
    bits than the row; ``changed`` the arguments that the call changed, by row.
    """

    question: Question
    results: dict[str, Array] = field(default_factory=dict)
    failures: dict[str, dict[int, Failure]] = field(default_factory=dict)
    copies: dict[str, dict[int, Array]] = field(default_factory=dict)
    changed: dict[int, set[str]] = field(default_factory=dict)
    compile_s: float = 0.0
    kernel_s: float = 0.0
    apart: bool = False
    """Whether its rows were asked apart, so that each has its own outcome."""


def ask(connection: Connection, batch: Batch, questions: Sequence[Question]) -> list[Answer]:
    """An answer to every question about ``batch``, in which each row has its own outcome."""
    arrays = arrays_of(batch)
    answers = [Answer(q) for q in questions]
    everything = np.arange(len(batch.inputs))
    sent = _filled(arrays, everything, batch)
    look_first(connection, questions, sent)
    pending = [answer for answer in answers if answer.question.outputs]
    for answer in pending:
        if asserts(connection, answer.question) and suspect(batch).any():
            apart = _Isolation(connection, answer, batch, arrays)
            apart.halves(everything, answer.question.outputs, broken=True)
    pending = [answer for answer in pending if not answer.apart]
    while pending := [answer for answer in pending if not _given_up(connection, answer, everything)]:
        try:
            asked = [answer.question for answer in pending]
            for question, reply in zip(asked, healthy(connection, asked, sent), strict=True):
                _take(pending.pop(0), batch, everything, reply)
                keep(connection, question, sent, reply)
                connection.patience.answered(question.door)
        except WorkerLost as lost:
            answer = pending.pop(0)
            apart = _Isolation(connection, answer, batch, arrays)
            apart.whole_lost(everything, lost)
    for answer in answers:
        if not answer.apart:
            _isolate(connection, answer, batch, arrays)
        for output, source in answer.question.withheld:
            withheld = Failure(Outcome.UNSUPPORTED, source)
            answer.failures[output] = dict.fromkeys(everything.tolist(), withheld)
    return answers


def _given_up(connection: Connection, answer: Answer, rows: Array) -> bool:
    """Whether it is not asked any more, which is then charged to all its rows."""
    words = connection.patience.given_up(answer.question.door)
    if words:
        failed = dict.fromkeys(rows.tolist(), Failure(Outcome.TIMED_OUT, words))
        answer.failures |= dict.fromkeys(answer.question.outputs, failed)
    return bool(words)


def _isolate(connection: Connection, answer: Answer, batch: Batch, arrays: dict[str, Array]) -> None:
    """Ask the rows of a call that raised apart, so that each row has its own outcome."""
    everything = np.arange(len(batch.inputs))
    raised = tuple(
        output
        for output, failures in answer.failures.items()
        if len(failures) == len(everything) and all(f.outcome is Outcome.RAISED for f in failures.values())
    )
    if not raised or len(everything) == 1 or batch.form.wrong:
        return
    for output in raised:
        del answer.failures[output]
    apart = _Isolation(connection, answer, batch, arrays)
    apart.halves(everything, raised)
    apart.whole_raised(everything, raised)


@dataclass
class _Isolation:
    """The search for the rows that make one call fail, by halves; so many ``lives`` are left.

    Rows that the batch itself knows to be suspect, by an index, a probability or a NaN, are asked one by one,
    and the others together: where a process is lost for each failure, halves would lose one at every step on
    the way to each of them. The value of a row that may break it is asked first: the gradients are charged
    with it, and no second process is lost. A call that merely raises loses none, and is repeated until each
    row has its own outcome.
    """

    connection: Connection
    answer: Answer
    batch: Batch
    arrays: dict[str, Array]
    lives: int = LIVES
    apart: bool = True
    """Whether rows of a call that raises are asked apart."""

    def __post_init__(self) -> None:
        self.answer.apart = True

    def halves(self, rows: Array, outputs: tuple[str, ...], *, broken: bool = False) -> None:
        """Ask them in parts; ``broken``: a call with all of them has broken the process."""
        odd = suspect(self.batch)[rows]
        if odd.any() and (broken or not odd.all()):
            parts = [part for part in (rows[~odd], *rows[odd, None]) if part.size]
        else:
            parts = np.array_split(rows, 2)
        for part in parts:
            if not (broken and self._breaks_by_value(part, outputs)):
                self._try(part, outputs)

    def _breaks_by_value(self, row: Array, outputs: tuple[str, ...]) -> bool:
        """Whether it is one row, and its value breaks the process: all that it is a part of is charged."""
        if len(row) > 1 or len(outputs) == 1 or "value" not in outputs or self.lives <= 0:
            return False
        starts = self.connection.starts
        self._try(row, ("value",))
        value = self.answer.failures.get("value", {}).get(int(row[0]))
        if value is None or value.outcome is not Outcome.RAISED or self.connection.starts == starts:
            return False
        note_assertion(self.connection, self.answer.question)
        for output in outputs:
            self._charge(row, output, value)
        return True

    def whole_lost(self, rows: Array, lost: WorkerLost) -> None:
        """The worker was lost over all rows: find those of whom it is.

        Where harmless rows are not answered in time either, it is none of the rows: they are charged alike.
        """
        question, patience = self.answer.question, self.connection.patience
        self.connection.restart()
        if lost.timed_out and self._silent_on_harmless(lost):
            for output in question.outputs:
                self._charge(rows, output, Failure(Outcome.TIMED_OUT, str(lost)))
            patience.nothing_answered(question.door, str(lost))
            return
        self._narrow(rows, question.outputs, lost)
        self._charge_whole(rows, lost)

    def whole_raised(self, rows: Array, outputs: tuple[str, ...]) -> None:
        """What raised over all rows, and over none of them apart, is charged to all if it raises once more.

        Of a call that raises by what its rows are together, no row alone tells: a number of rows, or one that
        is taken for a class.
        """
        together = tuple(output for output in outputs if output not in self.answer.failures)
        if not together:
            return
        self.apart = False
        self._try(rows, together)
        for output in together:
            for row, failure in list(self.answer.failures.get(output, {}).items()):
                self._charge(rows[[row]], output, replace(failure, message=f"{failure.message} {APART}"))

    def _silent_on_harmless(self, lost: WorkerLost) -> bool:
        """Whether harmless rows are not answered in time, in a fresh process."""
        question, patience = self.answer.question, self.connection.patience
        patience.silent(question.door, str(lost))
        try:
            list(self.connection.ask(*_harmless_of(question, self.arrays, self.batch)))
        except WorkerLost as again:
            self.connection.restart()
            if again.timed_out:
                patience.silent(question.door, str(again))
            return again.timed_out
        return False

    def _try(self, rows: Array, outputs: tuple[str, ...]) -> None:
        if words := self.connection.patience.given_up(self.answer.question.door):
            for output in outputs:
                self._charge(rows, output, Failure(Outcome.TIMED_OUT, words))
            return
        question = replace(self.answer.question, outputs=outputs)
        try:
            (reply,) = healthy(self.connection, [question], _filled(self.arrays, rows, self.batch))
        except WorkerLost as lost:
            if lost.timed_out:
                self.connection.patience.silent(question.door, str(lost))
            self.connection.restart()
            self.lives -= 1
            self._narrow(rows, outputs, lost)
            return
        self.connection.patience.answered(question.door)
        _record(self.answer, self.batch, rows, reply)
        failed = {o: Failure(Outcome(f["outcome"]), f["message"]) for o, f in reply.failures.items()}
        if failed and len(rows) > 1 and self.apart:
            self.halves(rows, tuple(failed))
        else:
            for output, failure in failed.items():
                self._charge(rows, output, failure)

    def _narrow(self, rows: Array, outputs: tuple[str, ...], lost: WorkerLost) -> None:
        """The worker was lost over these rows: go on with halves of them, then output by output."""
        if len(rows) > 1 and self.lives > 0:
            self.halves(rows, outputs, broken=lost.broken)
            return
        if len(outputs) > 1 and self.lives > 0:
            first = "value" if "value" in outputs else outputs[0]
            self._try(rows, (first,))
            value = self.answer.failures.get("value", {}).get(int(rows[0]))
            rest = tuple(o for o in outputs if o != first)
            if value is None or not lost.broken:
                self._try(rows, rest)
                return
            for output in rest:  # which the value is a part of
                self._charge(rows, output, value)
            return
        again = self._lost_again(rows, outputs) if _outcome(lost) is Outcome.CRASHED else lost
        for output in outputs if again else ():
            self._charge(rows, output, Failure(_outcome(lost), str(lost)))

    def _charge_whole(self, rows: Array, lost: WorkerLost) -> None:
        """A call that took the process with it, and none of whose rows does, is charged as a whole."""
        outputs = self.answer.question.outputs
        if self.answer.failures or (
            _outcome(lost) is Outcome.CRASHED and self._lost_again(rows, outputs) is None
        ):
            return
        words = f"{lost} {APART}"
        for output in outputs:
            self._charge(rows, output, Failure(_outcome(lost), words))

    def _lost_again(self, rows: Array, outputs: tuple[str, ...]) -> WorkerLost | None:
        """The same call in a fresh process: an outside kill, by an operator or for memory, is no finding.

        None where it is answered, and the answer taken; else how the worker was lost the second time.
        """
        question = replace(self.answer.question, outputs=outputs)
        try:
            (reply,) = healthy(self.connection, [question], _filled(self.arrays, rows, self.batch))
        except WorkerLost as lost:
            if lost.timed_out:
                self.connection.patience.silent(question.door, str(lost))
            self.connection.restart()
            return lost
        if len(rows) == len(self.batch.inputs):
            _take(self.answer, self.batch, rows, reply)
            self.answer.apart = False  # it is as if it had not been lost
        else:
            _record(self.answer, self.batch, rows, reply)
            for output, f in reply.failures.items():
                self._charge(rows, output, Failure(Outcome(f["outcome"]), f["message"]))
        return None

    def _charge(self, rows: Array, output: str, failure: Failure) -> None:
        self.answer.failures.setdefault(output, {}).update(dict.fromkeys(rows.tolist(), failure))


def _harmless_of(
    question: Question, arrays: dict[str, Array], batch: Batch
) -> tuple[list[Question], dict[str, Array]]:
    """The question on harmless rows, as many of them as are always sent."""
    right, rows = harmless(question, _filled(arrays, np.arange(len(batch.inputs)), batch))
    return [right], rows


def _outcome(lost: WorkerLost) -> Outcome:
    if lost.broken:
        return Outcome.RAISED
    return Outcome.TIMED_OUT if lost.timed_out else Outcome.CRASHED


def _take(answer: Answer, batch: Batch, rows: Array, reply: Reply) -> None:
    """Record a reply about all rows; rows of a call that raised are asked apart afterwards."""
    _record(answer, batch, rows, reply)
    for output, failure in reply.failures.items():
        found = Failure(Outcome(failure["outcome"]), failure["message"])
        answer.failures[output] = dict.fromkeys(rows.tolist(), found)


def _record(answer: Answer, batch: Batch, rows: Array, reply: Reply) -> None:
    total = len(batch.inputs)
    answer.compile_s += reply.compile_s
    answer.kernel_s += reply.kernel_s
    filled = filled_rows(batch)
    for output, array in reply.results.items():
        if CHANGED in output:
            _note_changed(answer, output.partition(CHANGED)[0], rows, array)
            continue
        if array.ndim and len(array) == filled > len(rows):
            _note_copies(answer, output.removesuffix(AGAIN), rows, array)
        if output.endswith(AGAIN) and len(array) == answer.question.manner.rows:
            whole = answer.results.setdefault(output, np.zeros_like(array))
            whole = answer.results[output] = whole.copy()
            whole[rows] = array[: len(rows)]
        elif array.ndim == 0 or len(array) != filled:
            answer.results[output] = array  # not a value a row: the verdict will say so
        elif len(rows) == total:
            answer.results[output] = array[:total]
        else:
            whole = answer.results.setdefault(output, np.zeros((total, *array.shape[1:]), array.dtype))
            whole[rows] = array[: len(rows)]


def _note_copies(answer: Answer, output: str, rows: Array, array: Array) -> None:
    """Keep a copy of each row that has another than the row's own bits (SPEC.md 7.4); most rows have none."""
    copies = array[len(rows) :]
    original = np.arange(len(copies)) % len(rows)
    differing = np.flatnonzero(other_rows(array[original], copies))
    found, first = np.unique(original[differing], return_index=True)
    for row, i in zip(rows[found].tolist(), differing[first].tolist(), strict=True):
        answer.copies.setdefault(output, {}).setdefault(row, copies[i])


def _note_changed(answer: Answer, argument: str, rows: Array, changed: Array) -> None:
    """Keep which rows of an argument the call has changed (SPEC.md 7.11)."""
    for row in rows[changed[: len(rows)]].tolist():
        answer.changed.setdefault(row, set()).add(argument)


def arrays_of(batch: Batch) -> dict[str, Array]:
    """The batch in its dtype's own bits, as an implementation takes it."""
    inputs, dtype, given = batch.inputs, batch.inputs.format.dtype, batch.form.label_dtype
    grouped = inputs.attributes.grouped
    narrow = batch.form.logits_dtype
    arrays = {"logits": native(inputs.logits, dtype_of(narrow) if narrow else dtype)}
    if inputs.definition.labels == "dense":
        arrays["labels"] = native(inputs.labels, dtype_of(given) if given else dtype)
    elif inputs.definition.labels == "index":
        labels = inputs.labels.astype(given or np.int64)
        arrays["labels"] = labels if grouped else labels[:, 0]
    scalar = inputs.definition.value_shape == "scalar"
    arrays["cotangent"] = native(inputs.cotangent[:, 0] if scalar else inputs.cotangent, dtype)
    if inputs.tangent.size:
        arrays["tangent"] = native(inputs.tangent, dtype)
    return arrays


def _filled(arrays: dict[str, Array], rows: Array, batch: Batch) -> dict[str, Array]:
    """These rows, repeated in turn up to a common number of rows."""
    take = np.resize(rows, filled_rows(batch))
    return {name: array[take] for name, array in arrays.items()}


def filled_rows(batch: Batch) -> int:
    """How many rows a call about the batch has."""
    total = len(batch.inputs)
    if batch.form.filled:
        return max(total, batch.form.filled)
    return total if batch.inputs.n >= WIDE or not batch.stacked else max(total, ROWS)
