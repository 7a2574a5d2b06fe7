"""Ask one framework about one batch: every row gets an answer or the reason why there is none.

All questions are asked of all rows; of a call that raises, or that crashes, hangs or breaks its worker, the
rows are asked apart (:mod:`.isolation`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of, filled
from xent_conformance.asking.connection import Connection, WorkerLost
from xent_conformance.asking.health import asserts, healthy, keep, look_first
from xent_conformance.asking.isolation import Isolation
from xent_conformance.asking.suspects import suspect
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.reports.run.words import Outcome


def ask(connection: Connection, batch: Batch, questions: Sequence[Question]) -> list[Answer]:
    """An answer to every question about ``batch``, in which each row has its own outcome."""
    arrays = arrays_of(batch)
    everything = np.arange(len(batch.inputs))
    sent = filled(arrays, everything, batch)
    answers = [Answer(question) for question in questions]
    look_first(connection, questions, sent)
    pending = [answer for answer in answers if answer.question.outputs]
    for answer in pending:
        if asserts(connection, answer.question) and suspect(batch).any():
            Isolation(connection, answer, batch, arrays).expected()
    pending = [answer for answer in pending if not answer.apart]
    while pending := [answer for answer in pending if not _given_up(connection, answer, everything)]:
        try:
            asked = [answer.question for answer in pending]
            for question, reply in zip(asked, healthy(connection, asked, sent), strict=True):
                pending.pop(0).take(batch, everything, reply)
                keep(connection, question, sent, reply)
                connection.patience.answered(question.door)
        except WorkerLost as lost:
            Isolation(connection, pending.pop(0), batch, arrays).lost(lost)
    for answer in answers:
        if not answer.apart and (outputs := _raised(answer, batch)):
            Isolation(connection, answer, batch, arrays).raised(outputs)
        for output, source in answer.question.withheld:
            answer.charge(everything, output, Failure(Outcome.UNSUPPORTED, source))
    return answers


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
