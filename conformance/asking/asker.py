"""Ask one framework about one batch: every row gets an answer or the reason why there is none.

All questions are asked of all rows; of a call that raises, or that crashes, hangs or breaks its worker, the
rows are asked apart (:mod:`.isolation`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of, filled
from xent_conformance.asking.connection import Begins, Connection, Reply, WorkerLost
from xent_conformance.asking.health import asserts, healthy, keep, look_first
from xent_conformance.asking.isolation import Isolation
from xent_conformance.asking.suspects import suspect
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.reports.run.words import Outcome


def ask(connection: Connection, batch: Batch, questions: Sequence[Question]) -> list[Answer]:
    """An answer to every question about ``batch``, in which each row has its own outcome."""
    return Asking(connection, batch, questions).answers()


class Asking:
    """Questions about one batch, which may have begun (:meth:`begin`) and been read (:meth:`read`) before
    their answers are looked at."""

    def __init__(self, connection: Connection, batch: Batch, questions: Sequence[Question]) -> None:
        self._connection, self._batch = connection, batch
        self._arrays = arrays_of(batch)
        self._everything = np.arange(len(batch.inputs))
        self._sent = filled(self._arrays, self._everything, batch)
        self._answers = [Answer(question) for question in questions]
        self._pending: list[Answer] | None = None
        self._due: list[Answer] | None = None
        """Those of the pending that are asked now."""
        self._replies: list[Reply] | None = None
        self._lost: WorkerLost | None = None

    def begin(self) -> None:
        """Have them computed while something else is done; until they are read, nothing else may be asked."""
        if isinstance(self._connection, Begins) and not self._asks_first and (due := self._asked_now()):
            self._connection.begin([answer.question for answer in due], self._sent)

    def read(self) -> bool:
        """Wait for the replies; whether they are all there, so that nobody need be asked anything more."""
        self._replies, self._lost = [], None
        if due := self._asked_now():
            try:
                for reply in healthy(self._connection, [answer.question for answer in due], self._sent):
                    self._replies.append(reply)
            except WorkerLost as lost:
                self._lost = lost
        return self._lost is None and not any(reply.failures for reply in self._replies)

    def answers(self) -> list[Answer]:
        """The answers. What raises, or has ended its worker, is asked in parts."""
        connection, batch = self._connection, self._batch
        while self._asked_now():
            if self._replies is None:
                self.read()
            self._take()
        for answer in self._answers:
            if not answer.apart and (outputs := _raised(answer, batch)):
                Isolation(connection, answer, batch, self._arrays).raised(outputs)
            for output, source in answer.question.withheld:
                answer.charge(self._everything, output, Failure(Outcome.UNSUPPORTED, source))
        return self._answers

    @property
    def _asks_first(self) -> bool:
        """Whether something may have to be asked before all of them are: see :mod:`.health`."""
        on_others = any(answer.question.device != "cpu" for answer in self._answers)
        return on_others or bool(self._connection.asserting)

    def _asked_together(self) -> list[Answer]:
        """Those that are asked of all rows at once."""
        connection, batch = self._connection, self._batch
        look_first(connection, [answer.question for answer in self._answers], self._sent)
        pending = [answer for answer in self._answers if answer.question.outputs]
        for answer in pending:
            if asserts(connection, answer.question) and suspect(batch).any():
                Isolation(connection, answer, batch, self._arrays).expected()
        return [answer for answer in pending if not answer.apart]

    def _asked_now(self) -> list[Answer]:
        """Whoever is pending and not given up; decided once for those that are sent together."""
        if self._pending is None:
            self._pending = self._asked_together()
        if self._due is None:
            self._due = [a for a in self._pending if not _given_up(self._connection, a, self._everything)]
        return self._due

    def _take(self) -> None:
        """What was read goes to whom it answers; who has lost the worker is asked in parts."""
        due, replies, lost = self._due or [], self._replies or [], self._lost
        for reply in replies:
            answer = due.pop(0)
            answer.take(self._batch, self._everything, reply)
            keep(self._connection, answer.question, self._sent, reply)
            self._connection.patience.answered(answer.question.door)
        if lost is not None:
            Isolation(self._connection, due.pop(0), self._batch, self._arrays).lost(lost)
        self._pending, self._due, self._replies, self._lost = due, None, None, None


def _given_up(connection: Connection, answer: Answer, rows: Array) -> bool:
    """Whether it is not asked any more, which is then charged to all its rows."""
    words = connection.patience.given_up(answer.question.door)
    for output in answer.question.outputs if words else ():
        answer.charge(rows, output, Failure(Outcome.TIMED_OUT, words))
    return bool(words)


def _raised(answer: Answer, batch: Batch) -> tuple[str, ...]:
    """The outputs for which a call raised over all rows, where one of them may be guilty of it.

    Of one row there is nothing to find, nor where arguments are given that do not fit, which all rows share.
    """
    if len(batch.inputs) == 1 or batch.form.wrong:
        return ()
    return tuple(
        output
        for output, failures in answer.failures.items()
        if len(failures) == len(batch.inputs) and all(f.outcome is Outcome.RAISED for f in failures.values())
    )
