"""Sums and means of a group of examples as competent authors write them, for SPEC.md 8.12.

The example's loss and gradient are forms of :mod:`textbook_attributes`; here they are added, divided
and given the cotangent, in every order that a framework chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.support.reference import (
    textbook_attributes,
    textbook_attributes_sigmoid,
    textbook_given,
    textbook_given_binary,
    textbook_given_categorical,
)
from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook_attributes import Attributed, Table, weights
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.operators import OPERATORS

# --- a group taken apart --------------------------------------------------------------------------


def apart(x: Array, p: Array, given: Attributes) -> tuple[Array, Array, Attributes]:
    """The examples of all groups, one above the other."""
    rows = len(x) * given.examples
    return x.reshape(rows, -1), p.reshape(rows, -1), replace(given, reduction="none", examples=None)


def divisor(a: Arithmetic, x: Array, p: Array, given: Attributes, operator: str) -> Array:
    """What a mean divides by: summed weights of the labels that count, or a number of terms."""
    n = x.shape[1] // given.examples
    if given.reduction == "sum":
        return a.one
    if OPERATORS[operator].labels == "index":
        y = p.astype(np.int64)
        ignored = y == (n if given.ignore_index is None else given.ignore_index)
        w = np.where(ignored, a.of(0.0), weights(a, given, n)[0][np.where(ignored, 0, y)])
        return a.sum(w)
    terms = given.examples * (n if OPERATORS[operator].elementwise else 1)
    return a.of(float(terms))


# --- reduced losses -------------------------------------------------------------------------------


def divided_last(a: Arithmetic, f: Array, by: Array) -> Array:
    return a.divide(a.sum(f), by)


def divided_first(a: Arithmetic, f: Array, by: Array) -> Array:
    """The mean of terms that are each divided: nothing overflows."""
    return a.sum(a.divide(f, by))


def reciprocal_last(a: Arithmetic, f: Array, by: Array) -> Array:
    return a.sum(f) * a.divide(a.one, by)


def reduced_value(form: Attributed, total: Callable[..., Array], operator: str) -> Attributed:
    def of(a, x, p, c, given):
        def each() -> Array:
            rows, labels, alone = apart(x, p, given)
            return form(a, rows, labels, np.ones_like(rows[:, :1]), alone).reshape(len(x), -1)

        return total(a, a.once(form, x, each), divisor(a, x, p, given, operator))

    return of


# --- their gradients ------------------------------------------------------------------------------


def cotangent_first(a, grad, c, by):
    """``c/W`` goes into the example's gradient, as automatic differentiation has it."""
    return grad(a.divide(c, by))


def cotangent_by_reciprocal(a, grad, c, by):
    return grad(c * a.divide(a.one, by))


def cotangent_last(a, grad, c, by):
    return a.divide(grad(np.ones_like(c)) * c, by)


def reduced_grad(form: Attributed, order: Callable[..., Array], operator: str) -> Attributed:
    def of(a, x, p, c, given):
        rows, labels, alone = apart(x, p, given)

        def grad(cotangent: Array) -> Array:
            each = np.repeat(cotangent, given.examples, axis=0)
            return form(a, rows, labels, each, alone).reshape(len(x), -1)

        return order(a, grad, c, divisor(a, x, p, given, operator))

    return of


TOTALS = (divided_last, divided_first, reciprocal_last)
CHAINS = (cotangent_first, cotangent_by_reciprocal, cotangent_last)


def _reduced(table: Table) -> Table:
    """Every reduction of the first and the last form of a loss, and of one between of a gradient."""
    found: Table = {}
    for (operator, output), forms in table.items():
        names = list(forms)
        middle, ends = names[len(names) // 2], (names[0], names[-1])
        if output == "value":
            found[operator, output] = {
                f"{way.__name__} {name}": reduced_value(forms[name], way, operator)
                for way in TOTALS
                for name in ends
            }
        else:
            found[operator, output] = {
                f"{way.__name__} {middle}": reduced_grad(forms[middle], way, operator) for way in CHAINS
            }
    return found


STABLE: Table = _reduced(
    textbook_attributes.STABLE
    | textbook_attributes_sigmoid.STABLE
    | textbook_given.ROWS_STABLE
    | textbook_given_binary.ROWS_STABLE
    | textbook_given_categorical.ROWS_STABLE
)
ACCURATE: Table = _reduced(
    textbook_attributes.ACCURATE
    | textbook_attributes_sigmoid.ACCURATE
    | textbook_given.ROWS_ACCURATE
    | textbook_given_binary.ROWS_ACCURATE
    | textbook_given_categorical.ROWS_ACCURATE
)
