"""One row of exact inputs, as the definitions take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from xent_conformance.reference.attributes import PLAIN, Attributes

Exact: TypeAlias = "float | Fraction"
"""A carrier; or, of logits that something stands before, the rational number that comes out."""


@dataclass(frozen=True)
class Row:
    """Inputs of one row as exact binary64 carriers of the tested dtype's values.

    ``x``: N logits (probabilities for ``logit``). ``p``: N dense labels, or ``[y]`` for an index
    label, or empty. ``c``: the cotangent, N elements or one. ``v``: the tangent, N elements, or empty
    where no ``jvp`` or ``hvp`` is asked. Each of the ``copies`` of a logit is a class of its own.
    """

    x: Sequence[Exact]
    p: Sequence[float]
    c: Sequence[float]
    attributes: Attributes = PLAIN
    v: Sequence[float] = ()
    copies: int = 1

    @property
    def y(self) -> int:
        """The index label."""
        return int(self.p[0])
