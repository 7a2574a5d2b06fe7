"""What blocks beside what always does."""

from __future__ import annotations

from dataclasses import dataclass

from xent_conformance.decision.compare import DRIFT_FACTOR

STRICT = "strict"
"""Every verdict that is worse than before blocks, and every must clause that is broken, before or not, where
no waiver accepts it."""

COMPARED = ("drift", "bits")
"""What is found beside a baseline alone."""

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

    def idle(self, *, compared: bool) -> list[str]:
        """What was asked for and finds nothing, since nothing is ``compared``, and what to type."""
        names = [name for name in COMPARED if name in self.fail_on and not compared]
        return [f"nothing is compared, so --fail-on {n} finds nothing: name a --baseline" for n in names]
