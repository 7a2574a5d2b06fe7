"""What is judged is looked at for its causes while a reader waits for the rest.

Nothing is decided: which cause a verdict has is decided of all verdicts together, by what was said of them
(:mod:`xent_conformance.diagnosis.said`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.causes import beforehand
from xent_conformance.diagnosis.said import Said
from xent_conformance.judging.charge import by_what_is_plain
from xent_conformance.running.journal import Journal
from xent_conformance.running.memory import Kept

SECONDS = 0.25
"""A reader is kept so long at most, and by one call more."""

GROWN = 1.1
"""All verdicts are looked at once more when there are so many times as many."""


class Beforehand:
    """Looks at verdicts that are kept in memory; from a disk it would read all of them each time."""

    def __init__(self, journal: Journal | Kept, batches: Sequence[Batch], said: Said) -> None:
        self._journal, self._batches, self._said = journal, batches, said
        self._looked_at = 0
        self._steps: Iterator[None] = iter(())

    def look(self) -> None:
        """As far as the time goes; where all is looked at, nothing."""
        until = time.monotonic() + SECONDS
        before, self._said.remembers = self._said.remembers, True
        while next(self._steps, False) is None or self._begins():
            if time.monotonic() > until:
                break
        self._said.remembers = before

    def _begins(self) -> bool:
        """Whether there is more than when it began last; it begins anew then."""
        if not isinstance(self._journal, Kept) or self._journal.many <= GROWN * self._looked_at:
            return False
        self._looked_at = self._journal.many
        self._steps = beforehand(by_what_is_plain(self._journal.verdicts()), self._batches, self._said)
        return True
