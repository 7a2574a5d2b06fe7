"""Sets of places as the bits of a number: of thousands of hypotheses each has one, a bit for each verdict."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.predict import Mask
from xent_conformance.reference.formats import Ints

Marks = int
"""Bit ``i`` is set where place ``i`` is in the set: ``&`` is what two have both, ``|`` what either has."""


def marks(there: Mask) -> Marks:
    """The places where ``there`` is true."""
    return int.from_bytes(np.packbits(there, bitorder="little").tobytes(), "little")


def places(marked: Marks) -> Ints:
    """The same as numbers, the lowest first."""
    held = np.frombuffer(marked.to_bytes((marked.bit_length() + 7) // 8, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(held, bitorder="little"))
