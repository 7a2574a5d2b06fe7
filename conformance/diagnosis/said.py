"""What each hypothesis says of the numbers of a call: which of them it predicts, and which contradict it.

That is a function of the call alone, whatever else was asked; so it can be had, and remembered, while others
are still asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.predict import Mask, Name, Right, predictions
from xent_conformance.diagnosis.sayings import Packed, Saying, pack
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


PLACE_BYTES = 16
"""Of the digest of a call and of what is right there."""

LARGEST = 2**25
"""Bytes of sayings that are remembered."""


class Before(Protocol):
    """What was said earlier."""

    def at(self, place: bytes) -> Packed:
        """What is known of a call; of one that nobody has seen, nothing."""


class Said:
    """What is said of calls. What was said while it ``remembers``, or ``before``, is not computed again."""

    def __init__(self, oracle: Oracle, before: Before | None = None) -> None:
        """``before``: what an earlier run of the same questions has said; the next is to know it too."""
        self.oracle = oracle
        self.remembers = before is not None
        self.known: dict[bytes, Packed] = {}
        """All that is remembered, by what a saying depends on."""
        self.anything_new = False
        """Whether some of that was not known before."""
        self.computed = 0
        """Calls of which something was."""
        self._before = before
        self._held = 0

    def of(self, batch: Batch, output: str, call: Call, due: Collection[Name]) -> list[Saying]:
        """Of the hypotheses that are ``due``, those that say anything, in that order."""
        place = _place(batch, output, call)
        known = self._known_of(place).known
        if new := set(due).difference(known):
            found = {saying.name: saying for saying in self._new(batch, output, call, new)}
            known = {**known, **{name: found.get(name) for name in new}}
            self.anything_new = True
            self.computed += 1
            if self.remembers:
                self._remember(place, pack(known))
        return [saying for name in due if (saying := known[name]) is not None]

    def at(self, batch: Batch, output: str, call: Call) -> tuple[bytes, Packed]:
        """What is known of a call, by what it depends on."""
        place = _place(batch, output, call)
        return place, self._known_of(place)

    def take(self, known: Mapping[bytes, Packed]) -> None:
        """What another has said of calls, while this one remembers."""
        for place, of in known.items():
            self.anything_new |= not self.full
            self._remember(place, of)

    @property
    def full(self) -> bool:
        """Whether no more is remembered."""
        return self._held >= LARGEST

    def _known_of(self, place: bytes) -> Packed:
        if (known := self.known.get(place)) is not None:
            return known
        known = Packed() if self._before is None else self._before.at(place)
        if self.remembers and known.names:
            self._remember(place, known)
        return known

    def _remember(self, place: bytes, known: Packed) -> None:
        if not self.full:
            self._held += known.nbytes - self.known.get(place, Packed()).nbytes
            self.known[place] = known

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


def _place(batch: Batch, output: str, call: Call) -> bytes:
    """A digest of all that a saying depends on: what is right, of which output, and what was returned."""
    right = f"{batch.inputs.digest} {last_axis(batch)} {output} ".encode()
    return hashlib.blake2b(right + call.key, digest_size=PLACE_BYTES).digest()


def last_axis(batch: Batch) -> int:
    """The length of the last axis of the tensor that is given."""
    form = batch.form
    if not form.shape or form.class_shape is not None or form.class_axis == len(form.shape):
        return batch.inputs.n
    return form.shape[-1]
