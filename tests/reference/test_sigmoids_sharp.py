"""The sigmoids where their parts meet: certified values beside σ as it stands in mpmath, at 300 bits.

At 0 the two sides meet, and e is 1; where ``e = exp(−|x|)`` passes the last bit of 53, 100, 106 or 128 a sum
``1 + e`` loses it; where σ(−|x|) becomes subnormal, or less than every format holds, an enclosure changes
its scale. Each argument is asked with both signs and both its neighbours. Faults are seeded behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from mpmath import exp, log1p, mp, mpf, workprec

from tests.support.reference.exact_rounding import correctly_rounded
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.exact.parts import Mirrored
from xent_conformance.reference.formats import BINARY32, BINARY64, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle

BITS = 300
SLACK = mpf(2) ** -280
"""Relative, of a handful of operations on 300 bits."""

LEAST = mpf(2) ** -1080
"""Below, a certified value is certified to be below, and nothing else (``enclosure``)."""

NEAR = mpf(2) ** -1200
"""Below, fractions are too long to be worth it, and round to zero."""

LN2 = 0.6931471805599453


def sharp() -> Floats:
    """Arguments where something changes, both signs, both neighbours; in binary64."""
    powers = [2.0**k for k in (-1074, -1060, -1023, -1022, -1021, *range(-1000, -130, 97), *range(-130, 11))]
    powers += [2.0**k for k in range(20, 1024, 91)]
    edges = [k * LN2 for k in (1, 24, 25, 53, 54, 100, 101, 106, 127, 128, 129, 149, 150, 255, 256)]
    scales = [k * LN2 for k in (899, 900, 901, 1021, 1022, 1023, 1074, 1075, 1079, 1080, 1081, 2000)]
    x = np.array([*powers, *edges, *scales, *np.linspace(0.1, 60.0, 100), 1.7976931348623157e308])
    around = np.concatenate([[0.0], x, np.nextafter(x, 0.0), np.nextafter(x, np.finfo(x.dtype).max)])
    return np.concatenate([around, -around])


X = sharp()


def sigma(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


EXPECTED: dict[tuple[str, str], Callable[[mpf], mpf]] = {
    ("sigmoid", "value"): sigma,
    ("sigmoid", "grad_logits"): lambda x: sigma(x) * sigma(-x),
    ("log_sigmoid", "value"): lambda x: -log1p(exp(-x)),
    ("log_sigmoid", "grad_logits"): lambda x: sigma(-x),
    ("sigmoid_cross_entropy", "value"): lambda x: log1p(exp(x)),
    ("sigmoid_cross_entropy", "grad_logits"): sigma,
}
"""With a cotangent of one and labels of zero."""


def enclosures(operator: str) -> dict[str, Enclosure]:
    labels = np.zeros((1, len(X) if operator == "sigmoid_cross_entropy" else 0))
    truth = Oracle().truth(Inputs(operator, BINARY64, X[None], labels, np.ones((1, len(X)))))
    assert not truth.certified.undecided.any()
    return truth.certified.outputs


def outside(operator: str, output: str, found: Enclosure) -> list[float]:
    """The arguments whose value the enclosure does not hold, to a relative width of ``2**-99``."""
    with workprec(BITS):
        missed = []
        for j, x in enumerate(X.tolist()):
            value = EXPECTED[operator, output](mpf(x))
            scale = mpf(2) ** int(found.exponent[0, j])
            hi, lo, radius = (mpf(float(a[0, j])) * scale for a in (found.hi, found.lo, found.radius))
            held = abs(value - hi - lo) <= radius + SLACK * abs(value)
            sharp = radius <= mpf(2) ** -99 * abs(hi) or (hi == 0 and radius <= LEAST)
            if not (held and sharp):
                missed.append(x)
    return missed


@pytest.mark.parametrize("operator", ["sigmoid", "log_sigmoid", "sigmoid_cross_entropy"])
def test_every_sharp_argument(operator: str) -> None:
    found = enclosures(operator)
    for output in ("value", "grad_logits"):
        assert not outside(operator, output, found[output]), output


TIES = ["grad_logits 1e-16", "grad_logits -2e-16", "grad_logits -4e+01"]
"""Of binary64: at 2⁻⁵³, −2⁻⁵² and −54 ln 2, and at their neighbours."""


@pytest.mark.parametrize("fmt", [BINARY32, BINARY64], ids=lambda f: f.name)
def test_rounded_as_a_fraction_is(fmt: Format) -> None:
    """Or, where the value is by ``2⁻⁹⁹`` of a tie, as one of its sides: σ(−2⁻⁵³) is ``2⁻¹⁶⁵`` from one."""
    found = enclosures("log_sigmoid")
    by_a_tie = []
    for output in ("value", "grad_logits"):
        with workprec(BITS):
            expected = [EXPECTED["log_sigmoid", output](mpf(x)) for x in X.tolist()]
        rounded = found[output].round_to(fmt)[0].tolist()
        near = [(x, v, r) for x, v, r in zip(X.tolist(), expected, rounded, strict=True) if abs(v) > NEAR]
        assert len(near) > 800
        for x, value, got in near:
            v = as_fraction(value)
            below, above = (correctly_rounded(v * (1 + s * Fraction(2) ** -99), fmt) for s in (-1, 1))
            assert got in (below, above), (output, x)
            if below != above:
                by_a_tie.append((output, x))
    assert {f"{output} {x:.0e}" for output, x in by_a_tie} == set(TIES if fmt is BINARY64 else [])


def as_fraction(v: mpf) -> Fraction:
    return int(mp.sign(v)) * Fraction(int(v.man)) * Fraction(2) ** int(v.exp)


# --- each fault is seen ---------------------------------------------------------------------------


def _series(m: Mirrored) -> list[arb]:
    """``log1p e`` by 40 terms where e is small, and nothing said of what is left out."""

    def partial(e: arb) -> arb:
        total = arb(0)
        for k in range(40, 0, -1):
            total = arb((-1) ** (k + 1)) / k + e * total
        return e * total

    return [partial(e) if e < 0.3 else e.log1p() for e in m._e]


def _sum_in_binary64(m: Mirrored) -> list[arb]:
    """``log(1 + e)`` whose sum is exact and lost all the same."""
    return [arb(float(1 + e)).log() for e in m._e]


def _last_bits(m: Mirrored) -> list[arb]:
    """Of one interval alone, and in the 97th bit."""
    return [e.log1p() * (1 + arb(2) ** -97) if 0.5 < e < 0.52 else e.log1p() for e in m._e]


FAULTS: dict[str, tuple[str, Callable[[Mirrored], object]]] = {
    "a remainder left out": ("_log1p_e", _series),
    "a sum that lost its bits": ("_log1p_e", _sum_in_binary64),
    "one interval wrong in its last bits": ("_log1p_e", _last_bits),
    "softplus of the other sign": ("softplus_minus", lambda m: m.softplus),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, wrong = FAULTS[fault]
    monkeypatch.setattr(Mirrored, name, property(wrong))
    found = enclosures("log_sigmoid")
    assert any(outside("log_sigmoid", output, found[output]) for output in ("value", "grad_logits"))
