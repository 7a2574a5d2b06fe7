"""What each hypothesis says of the numbers of a call: which of them it predicts, and which contradict it.

That is a function of the call alone, whatever else was asked; so it can be had, and remembered, while others
are still asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.predict import Mask, Name, Right, names, predictions
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reference.oracle import Oracle


@dataclass(frozen=True)
class Call:
    """Verdicts of one output of a batch, of all doors: their numbers, doors, places, what was returned, and
    whether it is broken, and by more than a loss of relative accuracy."""

    ids: Ints
    door: Ints
    rows: Ints
    index: Ints
    got: Floats
    bad: Mask
    severe: Mask

    def __getitem__(self, which: slice) -> Call:
        places = self.ids[which], self.door[which], self.rows[which], self.index[which]
        return Call(*places, self.got[which], self.bad[which], self.severe[which])

    @property
    def key(self) -> bytes:
        """A digest of all that a hypothesis looks at: not who has returned the numbers."""
        looked_at = (self.rows, self.index, self.got, self.bad, self.severe)
        return hashlib.blake2b(b"".join(a.tobytes() for a in looked_at), digest_size=16).digest()


@dataclass(frozen=True)
class Saying:
    """Of a hypothesis: the rows that contradict it, and those that it explains."""

    name: Name
    contradicted: Mask
    met: Mask


LARGEST = 2**25
"""Bytes of sayings that are remembered."""


class Said:
    """What is said of calls. What was said while it ``remembers`` is not computed again."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.remembers = False
        self._known: dict[tuple[str, str, bytes], dict[Name, Saying | None]] = {}
        self._held = 0

    def of(self, batch: Batch, output: str, call: Call, wanted: Callable[[Name], bool]) -> list[Saying]:
        """Of the hypotheses that are ``wanted``, those that say anything, in their order."""
        place = batch.id, output, call.key
        known = self._known.get(place, {})
        due = [name for name in names(batch.inputs, output) if wanted(name)]
        if new := set(due).difference(known):
            found = {saying.name: saying for saying in self._new(batch, output, call, new)}
            known = {**known, **{name: found.get(name) for name in new}}
            if self.remembers and self._held < LARGEST:
                self._known[place] = known
                self._held += 2 * call.ids.size * len(found)
        return [saying for name in due if (saying := known[name]) is not None]

    def _new(self, batch: Batch, output: str, call: Call, wanted: Collection[Name]) -> Iterator[Saying]:
        right = Right(self.oracle.truth(batch.inputs), output)
        with np.errstate(all="ignore"):
            there = right.at(call.rows, call.index)
            for p in predictions(right, wanted.__contains__, last_axis(batch)):
                predicted = p.at(there)
                contradicted = predicted.contradicted(call.got) & ~call.bad
                met = predicted.met(call.got, ~call.severe) & call.bad
                if contradicted.any() or met.any():
                    yield Saying(p.name, contradicted, met)


def last_axis(batch: Batch) -> int:
    """The length of the last axis of the tensor that is given."""
    form = batch.form
    if not form.shape or form.class_shape is not None or form.class_axis == len(form.shape):
        return batch.inputs.n
    return form.shape[-1]
