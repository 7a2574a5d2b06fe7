"""What became of waivers in a run, and which verdicts they accept.

Made by the floor above; foreign text in it is as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a waiver stands after a run."""

    ACCEPTS = "accepts"
    NOT_EVALUATED = "not evaluated"
    BETTER = "better than known"
    EXPIRED = "expired"
    STALE = "stale"
    UNMATCHED = "unmatched"
    WORSENED = "worsened"

    @property
    def blocks(self) -> bool:
        """Whether such a waiver fails the gate."""
        return self in (State.EXPIRED, State.STALE, State.UNMATCHED, State.WORSENED)

    @property
    def unseen(self) -> bool:
        """Whether the run says nothing against it: it was not evaluated, or not where it was seen to fail."""
        return self in (State.NOT_EVALUATED, State.BETTER)


@dataclass(frozen=True)
class Judged:
    """What became of a waiver: ``rows`` verdicts are accepted (or worsened), and ``case`` shows it.

    ``next`` is the command to type about one that accepts nothing; ``not_run``: nothing of its framework was.
    """

    name: str
    framework: str
    reason: str
    link: str
    source: str
    state: State
    rows: int
    message: str
    case: str = ""
    implementation: str = ""
    next: str = ""
    not_run: bool = False


@dataclass(frozen=True)
class Acceptance:
    """How many verdicts of a finding and cause a waiver accepts; the first eight fields are the finding."""

    operator: str
    framework: str
    version: str
    implementation: str
    machine: str
    output: str
    clause: str
    symptom: str
    waiver: str
    count: int
    cause: str = ""
