"""What hypotheses say of the numbers of a call, and the same in few bytes, as it is held and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xent_conformance.diagnosis.predict import Mask, Name


@dataclass(frozen=True, slots=True)
class Saying:
    """Of a hypothesis: the rows that contradict it, and those that it explains."""

    name: Name
    contradicted: Mask
    met: Mask


Known = Mapping[Name, Saying | None]
"""What hypotheses have said of a call; None of one that says nothing of it."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What is known of a call of so many ``rows``: a bit for each row and mask."""

    names: tuple[Name, ...] = ()
    says: bytes = b""
    """A byte a name: whether it says anything."""
    rows: int = 0
    masks: bytes = b""
    """Of each that does, who contradicts it and whom it explains."""

    @property
    def nbytes(self) -> int:
        """About what it takes."""
        return 9 * len(self.names) + len(self.masks)

    @property
    def known(self) -> Known:
        bits = np.frombuffer(self.masks, np.uint8).reshape(-1, 2, (self.rows + 7) // 8 or 1)
        masks = iter(np.unpackbits(bits, axis=2, count=self.rows).astype(np.bool_))
        return {
            name: Saying(name, *next(masks)) if says else None
            for name, says in zip(self.names, self.says, strict=True)
        }


def pack(known: Known) -> Packed:
    """The same in few bytes."""
    there = [saying for saying in known.values() if saying is not None]
    both = np.array([(saying.contradicted, saying.met) for saying in there], np.bool_)
    return Packed(
        tuple(known),
        bytes(saying is not None for saying in known.values()),
        there[0].met.size if there else 0,
        np.packbits(both, axis=2).tobytes() if there else b"",
    )
