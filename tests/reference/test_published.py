"""Every worked example of ``cases/data/published.json`` holds for the reference, to its printed digits.

"To its digits" is half a unit of the last one. Some examples print eight or nine digits of a binary32
computation, more than it has; their last digit is the arithmetic's, not the mathematics'. Those must
be exactly a text that such a computation prints, found by doing it from certified values (see
:func:`printed_by_binary32`), and which entries need that is written down in ``IN_BINARY32``.
"""

from __future__ import annotations

import json
from fractions import Fraction
from importlib import resources
from typing import Any

import numpy as np
import pytest
from mpmath import floor, log, mpf, workprec

from tests.support.reference.exact_rounding import correctly_rounded, ulp
from xent_conformance.reference.formats import BINARY32, BINARY64, FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth

DATA = resources.files("xent_conformance.cases").joinpath("data/published.json").read_text(encoding="utf-8")
ENTRIES: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in json.loads(DATA)["examples"]}
DIRECT = [name for name, entry in ENTRIES.items() if entry["operator"] in OPERATORS]

IN_BINARY32 = {
    # −log q with q the softmax rounded to binary32: the first loss is off by 1.4 ulp, the second by 0.1
    "softmax-ce-two-classes": 2,
    # −log q and −log(1 − q), q a binary32 sigmoid within one ulp: all ten, by up to 1.7 ulp
    "sigmoid-ce-five-labels": 10,
}
"""Entries whose last digit is binary32's, and in how many of their numbers."""


def truth_of(entry: dict[str, Any], operator: str) -> Truth:
    fmt = FORMATS[entry["dtype"]]
    x = fmt.nearest(np.array(entry["logits"], dtype=np.float64))
    dense = OPERATORS[operator].labels == "dense"
    p = np.array(entry["labels"], dtype=np.float64) if dense else np.zeros((len(x), 0))
    width = x.shape[1] if OPERATORS[operator].value_shape == "row" else 1
    return Oracle().truth(Inputs(operator, fmt, x, p, np.ones((len(x), width))))


def exact(truth: Truth) -> np.ndarray:
    """The certified value as Fractions (106 bits, far beyond any printed digit)."""
    e = truth.enclosure("value")
    values = [
        (Fraction(h) + Fraction(v)) * Fraction(2) ** int(k)
        for h, v, k in zip(e.hi.flat, e.lo.flat, e.exponent.flat, strict=True)
    ]
    return np.array(values, dtype=object).reshape(e.hi.shape)


def decimals(text: str) -> int:
    return len(text.partition(".")[2])


def to_printed_digits(text: str, value: Fraction) -> bool:
    return abs(Fraction(text) - value) <= Fraction(1, 2 * 10 ** decimals(text))


def minus_log(q: Fraction) -> Fraction:
    with workprec(300):
        return -Fraction(int(floor(log(mpf(q.numerator) / q.denominator) * mpf(2) ** 250)), 2**250)


def printed_by_binary32(text: str, probability: Fraction, *, complement: bool = False) -> bool:
    """Whether ``−log q`` (``−log(1 − q)``) prints so, for a binary32 ``q`` within one ulp of a probability.

    The subtraction is exact for ``q ≥ 1/2`` and the logarithm correctly rounded: one operation, the
    probability, is allowed the error of a faithful function.
    """
    near = Fraction(correctly_rounded(probability, BINARY32))
    candidates = [near + k * ulp(probability, BINARY32) for k in (-1, 0, 1)]
    return any(
        to_printed_digits(text, Fraction(correctly_rounded(minus_log(1 - q if complement else q), BINARY32)))
        for q in candidates
        if abs(q - probability) <= ulp(probability, BINARY32)
    )


@pytest.mark.parametrize("name", DIRECT)
def test_printed_digits(name: str) -> None:
    entry = ENTRIES[name]
    values = exact(truth_of(entry, entry["operator"]))
    printed = np.array(entry["printed"])
    assert printed.size == values.size > 0
    missed = [
        i
        for i in np.ndindex(printed.shape)
        if not to_printed_digits(printed[i], values.reshape(printed.shape)[i])
    ]
    assert len(missed) == IN_BINARY32.get(name, 0), missed


def test_softmax_losses_of_binary32() -> None:
    """All three numbers of the entry are −log of the certified softmax rounded to binary32."""
    entry = ENTRIES["softmax-ce-two-classes"]
    softmax = exact(truth_of(entry, "softmax"))
    for i, text in enumerate(entry["printed"]):
        assert printed_by_binary32(text, softmax[i, entry["labels"][i].index(1)]), text


def test_sigmoid_losses_of_binary32() -> None:
    """All ten: ``−log σ`` where the label is 1 and ``−log(1 − σ)`` elsewhere."""
    entry = ENTRIES["sigmoid-ce-five-labels"]
    sigma = exact(truth_of(entry, "sigmoid"))
    for i, text in np.ndenumerate(np.array(entry["printed"])):
        assert printed_by_binary32(text, sigma[i], complement=not entry["labels"][i[0]][i[1]]), (i, text)


def test_the_half_formula() -> None:
    """``−z log σ`` from certified sigmoids: the printed column, so zero for every label 0."""
    entry = ENTRIES["sigmoid-ce-five-labels"]
    sigma, loss = exact(truth_of(entry, "sigmoid")), exact(truth_of(entry, "sigmoid_cross_entropy"))
    for i, text in np.ndenumerate(np.array(entry["also"]["half_formula_minus_p_log_q"])):
        if entry["labels"][i[0]][i[1]]:
            assert printed_by_binary32(text, sigma[i]), text
            assert abs(minus_log(sigma[i]) - loss[i]) < Fraction(1, 2**90), "right where the label is 1"
        else:
            assert text == "0"
            assert loss[i] > Fraction(1, 2), "and the mistake is everything elsewhere"


def test_the_naive_formula() -> None:
    """``−z log q − (1 − z) log(1 − q)`` is the loss: the column is the loss, within one ulp of binary32."""
    entry = ENTRIES["sigmoid-ce-five-labels"]
    sigma, loss = exact(truth_of(entry, "sigmoid")), exact(truth_of(entry, "sigmoid_cross_entropy"))
    column = np.array(entry["also"]["naive_p_log_q_plus_1_minus_p_log_1_minus_q"])
    for i, text in np.ndenumerate(column):
        q = sigma[i] if entry["labels"][i[0]][i[1]] else 1 - sigma[i]
        assert abs(minus_log(q) - loss[i]) < Fraction(1, 2**90)
        assert abs(Fraction(text) - loss[i]) <= ulp(loss[i], BINARY32), text
        by_rounding = to_printed_digits(text, Fraction(correctly_rounded(loss[i], BINARY32)))
        one_log = printed_by_binary32(text, sigma[i], complement=not entry["labels"][i[0]][i[1]])
        assert to_printed_digits(text, loss[i]) or by_rounding or one_log, text


def test_the_two_means() -> None:
    """17 digits of binary64: both are within two ulp of the exact mean and of the stable bound."""
    entry = ENTRIES["softmax-ce-two-by-three"]
    truth = truth_of(entry, "softmax_cross_entropy")
    losses = exact(truth).ravel()
    mean = sum(losses) / len(losses)
    allowed = float(truth.bound("value").stable.mean())
    composed, fused = (Fraction(entry[f"mean_{form}_printed"]) for form in ("composed", "fused"))
    assert abs(fused - mean) < abs(composed - mean) < 2 * ulp(mean, BINARY64) <= allowed
    assert correctly_rounded(composed, BINARY64) - correctly_rounded(fused, BINARY64) == 2.0**-52
    digits = f"{float(mean):.16f}"[:16]
    assert entry["mean_composed_printed"].startswith(digits)
    assert entry["mean_fused_printed"].startswith(digits)


def test_losses_of_probabilities() -> None:
    """``−log p_y`` of the printed probabilities; as logits they give another number altogether."""
    entry = ENTRIES["nll-of-probabilities"]
    for probabilities, labels, text in zip(
        entry["probabilities"], entry["labels"], entry["exact"], strict=True
    ):
        p = probabilities[labels.index(1)]
        assert text == f"-log({p})"
        wanted = minus_log(Fraction(str(p)))
        with workprec(200):
            logits = [[float(log(mpf(str(v)))) for v in probabilities]]
        asked = {"dtype": "float64", "logits": logits, "labels": [labels]}
        (got,) = exact(truth_of(asked, "softmax_cross_entropy")).ravel()
        assert abs(got - wanted) <= 4 * ulp(wanted, BINARY64), "softmax undoes the rounded logarithm"
        (twice,) = exact(truth_of(asked | {"logits": [probabilities]}, "softmax_cross_entropy")).ravel()
        assert abs(twice - wanted) > Fraction(1, 10), "softmax of probabilities is the classic mistake"


def test_every_entry_is_held() -> None:
    """No entry is left over, whichever test holds it, and an excused one really needs its excuse."""
    assert set(DIRECT) | {"nll-of-probabilities"} == set(ENTRIES)
    assert set(IN_BINARY32) <= set(DIRECT)
    assert len(ENTRIES) == 7
