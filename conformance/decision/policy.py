"""What blocks beside what always does."""

from __future__ import annotations

from dataclasses import dataclass

from xent_conformance.decision.compare import DRIFT_FACTOR

STRICT = "strict"
"""Every verdict that is worse than before blocks, and every must clause that is broken, before or not."""

POLICIES = ("should", "drift", "bits", STRICT)
"""What ``--fail-on`` can add to the reasons that always block."""


@dataclass(frozen=True)
class Policy:
    """What blocks beside what always does, and how much an error must grow to be drift."""

    fail_on: frozenset[str] = frozenset()
    drift_factor: float = DRIFT_FACTOR

    @property
    def strict(self) -> bool:
        return STRICT in self.fail_on
