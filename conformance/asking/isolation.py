"""Which rows of a call make it fail, where it raises or loses its process: they are asked apart.

The call is repeated on parts of the batch until the rows that cause it are alone; the other rows keep their
answers. Where none does, it is the call as a whole, and all its rows are charged.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from xent_conformance.asking.answer import Answer, Failure, failures_of
from xent_conformance.asking.arrays import filled
from xent_conformance.asking.connection import Connection, Reply, WorkerLost
from xent_conformance.asking.health import healthy, note_assertion
from xent_conformance.asking.suspects import suspect
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.harmless import harmless

LIVES = 40
"""Of a call that has lost so many processes no part is divided further: its rows share the failure. Parts
that stand already are asked, and each may lose one more."""

APART = "(not again when its rows were asked apart)"
"""Of a call that fails as a whole, and none of whose rows does."""


@dataclass
class Isolation:
    """The search for the rows that make one call about a batch fail; so many ``lives`` are left.

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
    lives: int = field(init=False)
    apart: bool = field(default=True, init=False)
    """Whether rows of a call that raises are asked apart."""

    def __post_init__(self) -> None:
        self.answer.apart = True
        self.lives = LIVES

    # --- what became of the call over all rows ---

    def expected(self) -> None:
        """It is known to break the process: the whole call, which must fail, is not made."""
        self._parts(self._everything, self.answer.question.outputs, broken=True)

    def raised(self, outputs: tuple[str, ...]) -> None:
        """It raised for these: find the rows of whom it is.

        What raises over none of them apart is charged to all if it raises once more. Of a call that raises by
        what its rows are together, no row alone tells: a number of rows, or one that is taken for a class.
        """
        for output in outputs:
            del self.answer.failures[output]
        self._parts(self._everything, outputs)
        together = tuple(output for output in outputs if output not in self.answer.failures)
        if not together:
            return
        self.apart = False
        self._try(self._everything, together)
        for output in together:
            failures = self.answer.failures.get(output, {})
            for row, failure in failures.items():
                failures[row] = replace(failure, message=f"{failure.message} {APART}")

    def lost(self, lost: WorkerLost) -> None:
        """The worker was lost over it: find the rows of whom it is.

        Where harmless rows are not answered in time either, it is none of the rows: they are charged alike.
        What takes the process along as a whole, and no row of it apart, is charged to all of them.
        """
        question, patience = self.answer.question, self.connection.patience
        self.connection.restart()
        if lost.timed_out and self._silent_on_harmless(lost):
            self._charge(self._everything, question.outputs, Failure(Outcome.TIMED_OUT, str(lost)))
            patience.nothing_answered(question.door, str(lost))
            return
        self._narrow(self._everything, question.outputs, lost)
        if not self.answer.failures and self._lost_again(self._everything, question.outputs, lost):
            failure = Failure(_outcome(lost), f"{lost} {APART}")
            self._charge(self._everything, question.outputs, failure)

    # --- the search ---

    def _parts(self, rows: Array, outputs: tuple[str, ...], *, broken: bool = False) -> None:
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
        value = self._value_of(row)
        if value is None or value.outcome is not Outcome.RAISED or self.connection.starts == starts:
            return False
        note_assertion(self.connection, self.answer.question)
        self._charge(row, outputs, value)
        return True

    def _try(self, rows: Array, outputs: tuple[str, ...]) -> None:
        """Ask them, and go on with parts of them where they fail."""
        door, patience = self.answer.question.door, self.connection.patience
        if words := patience.given_up(door):
            self._charge(rows, outputs, Failure(Outcome.TIMED_OUT, words))
            return
        try:
            reply = self._called(rows, outputs)
        except WorkerLost as lost:
            self.lives -= 1
            self._narrow(rows, outputs, lost)
            return
        patience.answered(door)
        self.answer.record(self.batch, rows, reply)
        failed = failures_of(reply)
        if failed and len(rows) > 1 and self.apart:
            self._parts(rows, tuple(failed))
        else:
            for output, failure in failed.items():
                self.answer.charge(rows, output, failure)

    def _narrow(self, rows: Array, outputs: tuple[str, ...], lost: WorkerLost) -> None:
        """The worker was lost over these rows: go on with parts of them, then output by output."""
        if len(rows) > 1 and self.lives > 0:
            self._parts(rows, outputs, broken=lost.broken)
        elif len(outputs) > 1 and self.lives > 0:
            first = "value" if "value" in outputs else outputs[0]
            rest = tuple(o for o in outputs if o != first)
            self._try(rows, (first,))
            if lost.broken and (value := self._value_of(rows)):
                self._charge(rows, rest, value)  # which the value is a part of
            else:
                self._try(rows, rest)
        elif self._lost_again(rows, outputs, lost):
            self._charge(rows, outputs, Failure(_outcome(lost), str(lost)))

    # --- single calls ---

    def _called(self, rows: Array, outputs: tuple[str, ...]) -> Reply:
        """The reply about these rows. Raises :class:`WorkerLost`, when a fresh process is there."""
        question = replace(self.answer.question, outputs=outputs)
        try:
            (reply,) = healthy(self.connection, [question], filled(self.arrays, rows, self.batch))
        except WorkerLost as lost:
            self._restarted(lost)
            raise
        return reply

    def _lost_again(self, rows: Array, outputs: tuple[str, ...], lost: WorkerLost) -> bool:
        """Whether a crash happens in a fresh process too: an outside kill, by an operator or for memory, is
        no finding. Where the call is answered, the answer is taken. What is no crash is not tried again.
        """
        if _outcome(lost) is not Outcome.CRASHED:
            return True
        try:
            reply = self._called(rows, outputs)
        except WorkerLost:
            return True
        self.answer.take(self.batch, rows, reply)
        if len(rows) == len(self.batch.inputs):
            self.answer.apart = False  # it is as if it had not been lost
        return False

    def _silent_on_harmless(self, lost: WorkerLost) -> bool:
        """Whether harmless rows are not answered in time, in a fresh process."""
        question = self.answer.question
        self.connection.patience.silent(question.door, str(lost))
        right, rows = harmless(question, filled(self.arrays, self._everything, self.batch))
        try:
            list(self.connection.ask([right], rows))
        except WorkerLost as again:
            self._restarted(again)
            return again.timed_out
        return False

    def _restarted(self, lost: WorkerLost) -> None:
        """A fresh process, after a call that was not answered in time, or took the one before along."""
        if lost.timed_out:
            self.connection.patience.silent(self.answer.question.door, str(lost))
        self.connection.restart()

    # --- what is known of the rows ---

    @property
    def _everything(self) -> Array:
        return np.arange(len(self.batch.inputs))

    def _value_of(self, row: Array) -> Failure | None:
        """Why this row has no value, where it was asked and has none."""
        return self.answer.failures.get("value", {}).get(int(row[0]))

    def _charge(self, rows: Array, outputs: tuple[str, ...], failure: Failure) -> None:
        for output in outputs:
            self.answer.charge(rows, output, failure)


def _outcome(lost: WorkerLost) -> Outcome:
    if lost.broken:
        return Outcome.RAISED
    return Outcome.TIMED_OUT if lost.timed_out else Outcome.CRASHED
