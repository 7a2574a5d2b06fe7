"""Whether a worker that still runs can still answer, or an error has broken its process.

An assertion that fails on a GPU leaves every later call of the process failing, innocent ones too. A canary
tells: a call that was answered before. Where harmless rows are refused it is made again; if it is refused as
well, it is the process, and what broke it is the call that found it so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xent_conformance.asking.connection import Connection, Reply, WorkerLost
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.harmless import harmless

CANARY_ELEMENTS = 20_000
"""A call of more is too dear to be made once more."""


def look_first(connection: Connection, questions: Sequence[Question], arrays: Mapping[str, Array]) -> None:
    """On an accelerator that has answered nothing yet, ask harmless rows before anything else.

    The first call may be the one that breaks the process: without a canary nobody would know, and everything
    after it would be refused. Where they are refused too there is no canary yet: the next question is tried.
    """
    for question in questions:
        if question.device == "cpu" or question.device in connection.canaries or not question.outputs:
            continue
        if connection.patience.given_up(question.door):
            continue
        right, rows = harmless(question, arrays)
        if rows["logits"].size > CANARY_ELEMENTS:
            continue
        try:
            (reply,) = connection.ask([right], rows)
        except WorkerLost as lost:
            if lost.timed_out:
                connection.patience.silent(question.door, str(lost))
            connection.restart()
        else:
            keep(connection, right, rows, reply)


def keep(connection: Connection, question: Question, arrays: Mapping[str, Array], reply: Reply) -> None:
    """Remember a call that was answered, one a device."""
    if not reply.failures and arrays["logits"].size <= CANARY_ELEMENTS:
        connection.canaries.setdefault(question.device, (question, arrays))


def asserts(connection: Connection, question: Question) -> bool:
    """Whether the implementation has broken a process of the device before, by the value of a suspect row."""
    return (question.implementation, question.device) in connection.asserting


def note_assertion(connection: Connection, question: Question) -> None:
    """It just did."""
    connection.asserting.add((question.implementation, question.device))


def healthy(
    connection: Connection, questions: Sequence[Question], arrays: Mapping[str, Array]
) -> Iterator[Reply]:
    """The replies while the process is whole. Raises :class:`WorkerLost` where an error has broken it."""
    replies: list[Reply] = []
    lost: WorkerLost | None = None
    try:
        for reply in connection.ask(questions, arrays):
            replies.append(reply)
    except WorkerLost as died:
        lost = died
    whole = len(replies)
    looked_at: set[str] = set()  # devices that are whole after all of it, and so were before
    for i, reply in enumerate(replies):
        refused = [f["message"] for f in reply.failures.values() if f["outcome"] == Outcome.REFUSED]
        device = questions[i].device
        if refused and lost is None and device not in looked_at:
            if _is_broken(connection, device):
                whole, lost = i, WorkerLost(refused[0], broken=True)
                break
            looked_at.add(device)
    yield from replies[:whole]
    if lost is not None:
        raise lost


def _is_broken(connection: Connection, device: str) -> bool:
    """Whether what was answered before no longer is: refused, or the process dies of it."""
    if device not in connection.canaries:
        return False
    question, arrays = connection.canaries[device]
    try:
        return any(reply.failures for reply in connection.ask([question], arrays))
    except WorkerLost:
        return True
