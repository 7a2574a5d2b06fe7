"""Judges of the batches that some seat has still to answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from xent_conformance.cases.case import Batch
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.yardstick import Measure, Yardstick
from xent_conformance.reference.oracle import Oracle

HELD_ELEMENTS = 500_000
"""Logits of the batches whose judges are held; what is let go of is read from the oracle's cache again."""


class Bench:
    """A judge for each batch, the latest of them held in memory."""

    def __init__(
        self,
        oracle: Oracle,
        asked: Mapping[str, Sequence[Batch]],
        batches: Iterable[Batch] = (),
        measure: Measure = Yardstick.of,
    ) -> None:
        """``asked``: what each seat has still to answer; ``batches``: all of the run.

        ``measure``: what judges measure with.
        """
        self._oracle, self._measure = oracle, measure
        self._batches = {b.id: b for found in (batches, *asked.values()) for b in found}
        self._waiting: dict[str, set[str]] = defaultdict(set)
        for seat, found in asked.items():
            for b in found:
                self._waiting[b.id].add(seat)
        self._missed: set[str] = set()
        self._held: dict[str, Judge] = {}
        self._elements = 0

    def finished(self, batch: str) -> bool:
        """Whether nobody is to answer the batch any more."""
        return not self._waiting[batch]

    def missed(self, batch: str) -> bool:
        """Whether somebody was to answer the batch, who is gone and may come back."""
        return batch in self._missed

    def gone(self, seat: str, *, missed: bool) -> list[str]:
        """The seat answers no more: the batches that nobody else is to answer either."""
        due = [batch for batch, seats in self._waiting.items() if seat in seats]
        for batch in due:
            self._waiting[batch].discard(seat)
        self._missed.update(due if missed else ())
        finished = [batch for batch in due if self.finished(batch)]
        for batch in finished:
            self._taken(batch)
        return finished

    def of(self, batch: Batch, seat: str) -> Judge:
        """The judge of the seat's answer to the batch."""
        judge = self._taken(batch.id) or self._judge(batch)
        self._waiting[batch.id].discard(seat)
        if not self.finished(batch.id):
            self._hold(batch.id, judge)
        return judge

    def batch(self, name: str) -> Batch:
        """The batch of that id."""
        return self._batches[name]

    def again(self, name: str) -> Judge:
        """The judge of a batch that everybody has answered: its truth is read once more."""
        return self._judge(self._batches[name])

    def _judge(self, batch: Batch) -> Judge:
        return Judge(self._oracle.truth(batch.inputs), self._measure)

    def _taken(self, batch: str) -> Judge | None:
        judge = self._held.pop(batch, None)
        self._elements -= 0 if judge is None else judge.truth.inputs.logits.size
        return judge

    def _hold(self, batch: str, judge: Judge) -> None:
        self._held[batch] = judge
        self._elements += judge.truth.inputs.logits.size
        while self._elements > HELD_ELEMENTS:
            self._taken(next(iter(self._held)))
