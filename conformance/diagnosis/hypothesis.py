"""What a hypothesis is: a right computation of which one piece is replaced, by what real code has there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xent_conformance.diagnosis.formulas import FORMULAS, Formula
from xent_conformance.diagnosis.situation import Array, Pair, Situation

Where = frozenset[tuple[str, str]]
"""Operators and their outputs."""

Of = Callable[[Situation], Array]
"""Numbers of a situation, to stand in another piece's place."""

Change = Callable[..., Situation | None]
"""``change(z)``, or ``change(z, parameter)``: the situation as such code has it; None where it has no say."""


SPREAD = 9.0
"""What correct steps may be apart, in ulps of the largest number on the way that is added: two
exponentials, a quotient and the difference, ``2E + Q + 1`` of SPEC.md 8.1, half of which are ulps."""


@dataclass(frozen=True)
class Hypothesis:
    """One way in which real code goes wrong, in the outputs ``where``.

    ``variant``: hypotheses of one name are one thing that is wrong, in several forms. ``rank``: of two that
    explain the same, the lower is told: it supposes less; 5 says what comes back and not how, and is told
    last. ``rounds``: it is the right function, in steps that round apart; where their errors may be more than
    the accurate bound, it says that such an error may be there. ``steps``: it is computed in every arithmetic
    that code for the format may have, as one that ``rounds`` is; any other, which is another function, as
    exactly as can be. ``plain``: it is the right formula itself, and says what such steps give.
    ``innocent``: it is no fault, and explains nothing beyond the stable bound.
    ``parameters`` are constants that real code has, of which one is the right one.
    """

    name: str
    sentence: str
    source: str
    where: Where
    change: Change
    rank: int = 3
    variant: str = ""
    rounds: bool = False
    steps: bool = False
    plain: bool = False
    innocent: bool = False
    parameters: tuple[Any, ...] = ()


def on(operators: str | Iterable[str], outputs: str | Iterable[str] = ()) -> Where:
    """Of these operators those outputs that they have; all, where none is named."""
    names = {operators} if isinstance(operators, str) else set(operators)
    wanted = {outputs} if isinstance(outputs, str) else set(outputs)
    return frozenset((o, out) for o, out in FORMULAS if o in names and (out in wanted or not wanted))


GRADIENTS = ("grad_logits", "grad_labels")
MOVING = ("jvp", "hvp")
VALUES = ("value", "jvp")


def rows(formula: Formula) -> Change:
    """The output of each example by another formula."""
    return lambda z: z.but(rows=formula(z))


def result(changed: Callable[[Situation, Array], Array]) -> Change:
    """Something is done to the right result of each example."""

    def change(z: Situation) -> Situation:
        found, size = z.rows
        return z.but(rows=(changed(z, found), size))

    return change


def given(*attributes: str) -> Callable[[Change], Change]:
    """A change that has a say only where one of these attributes is given."""

    names = frozenset(attributes)

    def decorate(change: Change) -> Change:
        def only(z: Situation, *parameter: Any) -> Situation | None:
            return change(z, *parameter) if z.takes & names else None

        return only

    return decorate


def where(change: Change, *attributes: str) -> Change:
    return given(*attributes)(change)


def picked(a: Array, y: Array) -> Array:
    return np.take_along_axis(np.broadcast_to(a, (len(y), a.shape[1])), y, axis=1)


def balanced_by_hand(z: Situation, p: Array, c: Array) -> Pair:
    """``c (s Σp − p)``, the textbook's."""
    whole = z.s * z.total(p)
    sized = np.abs(c) * np.maximum(np.abs(whole), np.abs(p))
    return np.asarray(c * (whole - p)), np.asarray(sized)
