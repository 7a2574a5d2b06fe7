"""Why a gate decided what it decided: each reason, and the verdicts that it is about.

Made by the floor above; foreign text in it is as it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from xent_conformance.reports.run.words import Symptom
from xent_conformance.reports.text.wording import Answer, joined, plural


class Kind(StrEnum):
    """Why. In the order in which reasons are told."""

    NO_VERDICTS = "no verdicts"
    UNFINISHED = "unfinished"
    ABSENT = "absent framework"
    UNDECIDED = "undecided"
    MISSING = "missing since the baseline"
    NOT_COMPARABLE = "not comparable with the baseline"
    EXCLUDED = "left out"
    REGRESSED = "regressed"
    LESS_ACCURATE = "less accurate"
    MUST = "must clause broken"
    UNANSWERED = "nothing answered"
    WORSENED = "waiver worsened"
    EXPIRED = "waiver expired"
    STALE = "waiver stale"
    UNMATCHED = "waiver unmatched"
    ACCEPTED = "new, and accepted"
    AS_BEFORE = "broken as before"
    SHOULD = "should clause broken"
    DRIFTED = "drifted"
    BITS = "bits changed"


EVIDENCE = (
    Kind.NO_VERDICTS,
    Kind.UNFINISHED,
    Kind.ABSENT,
    Kind.UNDECIDED,
    Kind.MISSING,
    Kind.NOT_COMPARABLE,
)
"""Without evidence there is no decision: exit status 3."""

_COUNTED = (Kind.UNDECIDED, Kind.MISSING, Kind.NOT_COMPARABLE)
"""Their titles say how many verdicts there are."""

_WAIVED = (Kind.REGRESSED, Kind.LESS_ACCURATE, Kind.MUST, Kind.SHOULD, Kind.AS_BEFORE)
"""About verdicts of a run, which a waiver may accept where they are broken."""


class Finding(NamedTuple):
    """What the verdicts of one finding share, on whatever machine."""

    operator: str
    framework: str
    version: str
    implementation: str
    output: str
    clause: str
    symptom: str


def named(findings: Sequence[Finding], first: str) -> str:
    """``tf.nn.softmax and 2 more``: one implementation by name, and how many others there are."""
    more = len({f.implementation for f in findings} - {first})
    return f"{first} and {more} more" if more else first


def outputs(findings: Sequence[Finding]) -> str:
    """``value and grad_logits``, or how many there are."""
    found = sorted({f.output for f in findings})
    return " and ".join(found) if len(found) < 3 else f"{len(found)} outputs"


@dataclass(frozen=True)
class Reason:
    """One reason; ``count`` verdicts share it, and ``case`` is the worst of them, with its ``answer``.

    ``cause`` is the lasting name of what is wrong, ``findings`` are all in which it shows; the fields from
    ``framework`` to ``symptom`` are of the worst. ``command`` is what to type next; ``waiver`` the name of
    the waiver that it is about, if it is about one.
    """

    kind: Kind
    blocking: bool
    title: str
    detail: str
    command: str
    count: int = 0
    cause: str = ""
    findings: tuple[Finding, ...] = ()
    framework: str = ""
    version: str = ""
    implementation: str = ""
    operator: str = ""
    output: str = ""
    targets: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    level: str = ""
    symptom: str = ""
    case: str = ""
    answer: Answer | None = None
    waiver: str = ""

    @property
    def evidence(self) -> bool:
        """Whether something is missing without which nothing is decided."""
        return self.kind in EVIDENCE

    @property
    def who(self) -> str:
        """The implementation of the worst by name, and how many more it is about."""
        return named(self.findings, self.implementation)

    @property
    def of_what(self) -> str:
        """The outputs that it is about."""
        return outputs(self.findings) or self.output

    @property
    def acceptable(self) -> bool:
        """Whether a waiver of the user's own can accept it: a waiver is of something that is broken."""
        return self.kind in _WAIVED and self.symptom not in ("", Symptom.NONE)

    @property
    def counted(self) -> str:
        """``4 verdicts``; empty where there are none, or where the title says how many."""
        return plural(self.count, "verdict") if self.count and self.kind not in _COUNTED else ""

    @property
    def title_counted(self) -> str:
        """The title, and how many verdicts it is about."""
        return joined(", ", [self.title, self.counted])

    @property
    def answered(self) -> str:
        """What was returned and what is right, of the worst case; empty where it is not about an answer."""
        return self.answer.sentence if self.answer else ""

    @property
    def answered_or_why(self) -> str:
        """The same; where no number came back, with the words for it."""
        return self.answer.with_message(self.detail) if self.answer else self.detail


@dataclass(frozen=True)
class Warned:
    """The warnings of one kind, with the first of them."""

    kind: Kind
    number: int
    first: Reason

    @property
    def told(self) -> str:
        """``15 × should clause broken``."""
        return f"{self.number:,} × {self.kind}"
