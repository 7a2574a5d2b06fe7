"""Judges of the batches that some seat has still to answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from xent_conformance.cases.case import Batch
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.oracle import Oracle

HELD_ELEMENTS = 500_000
"""Logits of the batches whose judges are held; what is let go of is read from the oracle's cache again."""


class Bench:
    """A judge for each batch, the latest of them held in memory."""

    def __init__(self, oracle: Oracle, asked: Mapping[str, Sequence[Batch]]) -> None:
        self._oracle = oracle
        self._waiting = Counter(b.id for found in asked.values() for b in found)
        self._held: dict[str, Judge] = {}
        self._elements = 0

    def finished(self, batch: Batch) -> bool:
        """Whether everybody who was to answer the batch has."""
        return self._waiting[batch.id] <= 0

    def of(self, batch: Batch) -> Judge:
        """The judge of an answer to the batch; each is asked for once an answerer."""
        judge = self._taken(batch.id) or Judge(self._oracle.truth(batch.inputs))
        self._waiting[batch.id] -= 1
        if self._waiting[batch.id] > 0:
            self._hold(batch.id, judge)
        return judge

    def _taken(self, batch: str) -> Judge | None:
        judge = self._held.pop(batch, None)
        self._elements -= 0 if judge is None else judge.truth.inputs.logits.size
        return judge

    def _hold(self, batch: str, judge: Judge) -> None:
        self._held[batch] = judge
        self._elements += judge.truth.inputs.logits.size
        while self._elements > HELD_ELEMENTS:
            self._taken(next(iter(self._held)))
