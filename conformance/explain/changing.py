"""Where an answer that is asked again is another than the one that was judged: it differs from call to call.

A race, or what an earlier call has left, is wrong now and then. What is shown later must not pass for what
was judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xent_conformance.reports.run.words import Row, Status, Symptom
from xent_conformance.reports.text.wording import Answer, flat

CHANGES = "it differs from call to call"


def kind(row: Row) -> tuple[str, str, str]:
    """What is said of an answer, whatever its numbers are."""
    return row["status"], row["symptom"], row["clause"]


def changed(was: Iterable[Row], now: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """The verdicts on one case as they were, and now: those pairs that are not alike to the last bit."""
    before = {row["output"]: row for row in was}
    for row in now:
        old = before.get(row["output"])
        if old is not None and (*kind(old), old["bits"]) != (*kind(row), row["bits"]):
            yield old, row


def in_a_line(was: Row, now: Row) -> str:
    """``grad_logits: asked again it conforms: it differs from call to call; judged was returned 1.5, …``."""
    said = "returned other bits" if kind(was) == kind(now) else Status(now["status"]).word
    before = f"{Status(was['status']).word} by clause {was['clause']}, {flat(Answer.of(was).graded)}"
    return f"{was['output']}: asked again it {said}: {CHANGES}; when it was judged: {before}"


def seen(was: Row, now: Row) -> str:
    """The same of a verdict that is another now, short: ``beyond the stable bound when it was judged; …``."""
    before = "right" if was["symptom"] == Symptom.NONE else str(was["symptom"])
    return f"{before} when it was judged; asked again it {Status(now['status']).word}: {CHANGES}"
