"""Copies: every logit stands for so many equal classes (SPEC.md 2.6), asked without writing them out."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from tests.support.reference.mpmath_differences import VALUES, probabilities
from tests.support.reference.second_opinion import agree
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, FORMATS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

ROWS = {
    "one": [0.75],
    "equal": [-1.5, -1.5],
    "ordinary": [0.5, -1.25, 2.0],
    "confident": [30.0, 0.0, -2.5],
    "excluded": [0.5, float("-inf"), 2.0],
}
SPARSE = "sparse_softmax_cross_entropy"
COPIED = ["softmax", "log_softmax", "logsumexp", SPARSE]
"""The operators that sum over classes and have one label or none."""

BITS = 400
"""Enough for ``log s`` of a row whose logits are 33 apart and for the 106 bits that are compared."""


def batch(operator: str, fmt: Format, x: list[float], copies: int = 1, y: float = 0.0) -> Inputs:
    o = OPERATORS[operator]
    labels = np.array([[y]]) if o.labels == "index" else np.zeros((1, 0))
    width = len(x) if o.value_shape == "row" else 1
    return Inputs(operator, fmt, np.array([x]), labels, np.ones((1, width)), copies=copies)


@pytest.mark.parametrize("operator", COPIED)
@pytest.mark.parametrize("copies", [2, 5, 64])
@pytest.mark.parametrize("name", ROWS)
def test_the_row_written_out(operator: str, copies: int, name: str) -> None:
    """The certified numbers of the long row, at the first of each class's copies."""
    x = ROWS[name]
    short = Oracle().truth(batch(operator, BINARY64, x, copies)).enclosure("value")
    long = Oracle().truth(batch(operator, BINARY64, x * copies)).enclosure("value")
    n = short.hi.shape[1]
    np.testing.assert_array_equal(short.hi, long.hi[:, :n])
    assert (np.abs(short.lo - long.lo[:, :n]) <= short.radius + long.radius[:, :n]).all()


def closed_form(operator: str, x: list[float], y: int, copies: int) -> list[mpf]:
    """``exp(x_i) / (M Σ exp(x_j))``, and what follows from it."""
    s = probabilities(list(map(mpf, x)), copies)
    total = copies * sum(map(mpmath.exp, map(mpf, x)))
    return {
        "softmax": s,
        "log_softmax": list(map(mpmath.log, s)),
        "logsumexp": [mpmath.log(total)],
        "sparse_softmax_cross_entropy": [-mpmath.log(s[y])],
    }[operator]


@pytest.mark.parametrize("operator", COPIED)
@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
def test_closed_form(operator: str, fmt: Format) -> None:
    """Up to beyond where a sum of ones stops: 256, 2048, ``2**24``, and the overflow of binary16."""
    for copies in (1, 2, 300, 5000, 70_000, 2**25):
        for x in (v for name, v in ROWS.items() if name != "excluded"):
            for y in range(len(x)):
                enclosure = Oracle().truth(batch(operator, fmt, x, copies, y)).enclosure("value")
                with mpmath.workprec(BITS):
                    expected = closed_form(operator, x, y, copies)
                    slack = mpf(2) ** (100 - BITS)
                    assert agree(enclosure[0], expected, slack, (operator, x, copies))
                if OPERATORS[operator].labels == "none":
                    break


def test_the_closed_form_is_the_definition() -> None:
    """One copy of it is the unshifted definition that judges everything else."""
    before = mp.prec  # whatever another test has left
    with mpmath.workprec(BITS):
        for operator in COPIED:
            x = list(map(mpf, ROWS["ordinary"]))
            wanted = VALUES[operator](x, [mpf(2)], PLAIN)
            assert closed_form(operator, ROWS["ordinary"], 2, 1) == wanted
    assert mp.prec == before


SATURATED = [(BFLOAT16, 2**25, 256.0), (BINARY16, 70_000, np.inf), (BINARY32, 2**25, 2.0**24)]


@pytest.mark.parametrize(("fmt", "copies", "stops"), SATURATED, ids=lambda v: getattr(v, "name", None))
def test_a_sum_that_saturates_or_overflows_is_beyond_the_bound(
    fmt: Format, copies: int, stops: float
) -> None:
    """A sum of so many ones, added in the format itself, stops there, or overflows."""
    truth = Oracle().truth(batch("softmax", fmt, [0.0], copies))
    exact, stable = truth.enclosure("value").approximate(), truth.bound("value").stable
    assert (abs(1 / stops - exact) > stable).all()
    truth = Oracle().truth(batch("sparse_softmax_cross_entropy", fmt, [0.0], copies))
    exact, stable = truth.enclosure("value").approximate(), truth.bound("value").stable
    assert (abs(np.log(stops) - exact) > stable).all()


@pytest.mark.parametrize("eps", [0.1, 1.0])
def test_copies_share_smoothing_and_weight(eps: float) -> None:
    """``ε/N`` of the long row, on each copy, is ``ε/n`` of the short one on each class."""
    x, w, copies = ROWS["ordinary"], (0.5, 2.0, 0.0), 5
    short = replace(
        batch(SPARSE, BINARY64, x, copies, 1.0), attributes=Attributes(weight=w, label_smoothing=eps)
    )
    long = replace(
        batch(SPARSE, BINARY64, x * copies, 1, 1.0),
        attributes=Attributes(weight=w * copies, label_smoothing=eps),
    )
    values = [Oracle().truth(i).enclosure("value").round_to(BINARY64) for i in (short, long)]
    np.testing.assert_array_equal(*values)


def test_the_label_of_a_class_is_the_mass_of_one_copy() -> None:
    """Of a dense label as of an index: ``log M`` more where the labels sum to one."""
    x, p = np.array([ROWS["ordinary"]]), np.array([[0.25, 0.75, 0.0]])
    short = Inputs("softmax_cross_entropy", BINARY64, x, p, np.ones((1, 1)), copies=4)
    written_out = replace(
        short, logits=np.tile(x, 4), labels=np.concatenate([p, np.zeros((1, 9))], axis=1), copies=1
    )
    values = [Oracle().truth(i).enclosure("value").round_to(BINARY64) for i in (short, written_out)]
    np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("operator", COPIED)
def test_only_values_are_asked(operator: str) -> None:
    assert batch(operator, BINARY64, [0.5, 1.0], 3).outputs == ("value",)
    assert batch(operator, BINARY64, [0.5, 1.0], 3).classes == 6
