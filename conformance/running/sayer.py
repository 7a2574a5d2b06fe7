"""A process that holds hypotheses against calls. It knows the reference, and the diagnosis of numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from xent_conformance.diagnosis.doors import Piece, say
from xent_conformance.diagnosis.said import Said
from xent_conformance.diagnosis.sayings import Packed
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.assisting import assist

Pieces = tuple[Sequence[Piece], Mapping[bytes, Packed]]
"""Calls of doors that no other has, in their order, and what is known of each, by what that depends on."""


def main() -> None:
    """It has the driver's priority, which waits for it."""
    oracle = Oracle(Path(sys.argv[1]))

    def answer(pieces: Pieces) -> dict[bytes, Packed]:
        calls, known = pieces
        said = Said(oracle)
        said.remembers = True
        said.take(known)
        say(calls, said)
        return {place: of for place, of in said.known.items() if of != known.get(place)}

    assist(answer, 0)
