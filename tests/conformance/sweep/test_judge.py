"""A sweep's judge says of every number what the judge of a run says, and is certified in every binade."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.support.sweeping import beside_a_power, by_the_run, moved, right
from xent_conformance.reference.formats import FORMATS
from xent_conformance.sweep import values
from xent_conformance.sweep.certified import NotCertified, certify, points_of
from xent_conformance.sweep.ground import DTYPES, OPERATORS, Ground, grounds
from xent_conformance.sweep.judge import judged
from xent_conformance.sweep.tally import Tally

SINGLE = [o for o in OPERATORS if o not in values.PAIRS]

EVERY = [
    g
    for operator, dtype in itertools.product(OPERATORS, DTYPES)
    if not (operator in values.PAIRS and dtype == "float32")
    for g in grounds(operator, dtype, (0, 1))
]

FEW = 2**12


def _told(ground: Ground) -> str:
    return f"{ground.operator}-{ground.format.name}-{ground.label}"


@pytest.mark.parametrize("ground", EVERY, ids=_told)
def test_the_values_are_certified_in_every_binade(ground: Ground) -> None:
    worst = certify(ground)
    assert 0.0 < worst < 0.25, "or what is assumed of NumPy is not what is derived from it"


@pytest.mark.parametrize("ground", [g for g in EVERY if g.format.name == "float32"], ids=_told)
def test_the_values_are_certified_at_random_and_at_hard_points(ground: Ground) -> None:
    """Where the parts change, at both ends of every function, and next to what is special."""
    rng = np.random.default_rng(17)
    hard = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 17.3, 37.0, 88.0, 104.0, 708.0, 745.2], dtype=np.float32)
    near = np.concatenate([hard.view(np.uint32) + i for i in range(3)] + [hard[1:].view(np.uint32) - 1])
    both = np.concatenate([near, near | np.uint32(1 << 31)]).astype(np.int64)
    assert certify(ground, np.concatenate([both, rng.integers(0, ground.points, 500)])) < 0.25


def test_a_function_that_is_not_what_is_assumed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    exp = np.exp
    monkeypatch.setattr(values.np, "exp", lambda x: exp(x) * (1.0 + 2.0**-44))
    with pytest.raises(NotCertified, match="value of sigmoid at 0x"):
        certify(Ground("sigmoid", FORMATS["float32"]))


def test_the_points_are_of_every_binade_and_of_both_signs() -> None:
    x = Ground("sigmoid", FORMATS["float32"]).logits(0, 1)
    ground = Ground("sigmoid", FORMATS["bfloat16"])
    found = points_of(ground)
    assert {p >> 7 for p in found.tolist()} == set(range(2 * 256))
    assert x.dtype == np.float32


def _wrong(ground: Ground, output: str, start: int, stop: int) -> np.ndarray:
    """Results of which some are a few, many or a great many numbers off, NaN, infinite, zero, or negative.

    Next to a power of two they are right: there the reference, which has 106 bits, may not see on which side
    of it a value is, and the sweep does.
    """
    rng = np.random.default_rng(start + 1)
    got = right(ground, output, start, stop)
    steps = rng.choice([0, 0, 0, 1, -1, 2, -3, 9, 70], size=len(got))
    got = moved(got, steps)
    for odd in (np.nan, np.inf, -np.inf, 0.0):
        got[rng.choice(len(got), len(got) // 50)] = odd
    flipped = rng.choice(len(got), len(got) // 50)
    got[flipped] = -got[flipped]
    return np.where(beside_a_power(ground, output, start, stop), right(ground, output, start, stop), got)


def _agree(ground: Ground, output: str, start: int, got: np.ndarray) -> Tally:
    tally = judged(ground, output, start, got)
    grades, charges, largest = by_the_run(ground, output, start, got)
    assert {g: n for g, n in tally.grades.items() if n} == grades
    assert {charge: c.count for charge, c in tally.charges.items()} == charges
    worst = tally.worst.ulps if tally.worst else 0.0
    assert worst == pytest.approx(largest, rel=2.0**-30, abs=2.0**-18)
    assert tally.judged == tally.elements == len(got)
    return tally


@pytest.mark.parametrize("operator", SINGLE)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_it_judges_all_of_sixteen_bits_as_a_run_does(operator: str, dtype: str) -> None:
    for ground in grounds(operator, dtype, (1,)):
        for output, start in zip(ground.outputs, (0, 2**15), strict=True):
            _agree(ground, output, start, _wrong(ground, output, start, start + 2**15))


@pytest.mark.parametrize("ground", [g for g in EVERY if g.format.name == "float32"], ids=_told)
@pytest.mark.parametrize(
    "x", [1e-39, 1e-30, 0.3, 1 - 2.0**-14, 1.0, 16.6, 90.0, 103.9, 3e38], ids=lambda x: f"{x:.3g}"
)
def test_it_judges_binary32_as_a_run_does(ground: Ground, x: float) -> None:
    """Near where values are subnormal, where parts change, where a result is 1, and at the last numbers."""
    start = int(np.float32(x).view(np.uint32)) - FEW // 2
    for sign, output in itertools.product((0, 2**31), ground.outputs):
        _agree(ground, output, start + sign, _wrong(ground, output, start + sign, start + sign + FEW // 4))


@pytest.mark.parametrize("x", [80.0, 104.0, 700.0, 1e38])
@pytest.mark.parametrize(
    ("step", "grade", "ulps"),
    [(0, "exact", 0.0), (-1, "accurate", 1.0), (-2, "accurate", 2.0), (1, "accurate", 2.0)],
)
def test_just_below_one_an_ulp_is_half_of_what_it_is_above(
    x: float, step: int, grade: str, ulps: float
) -> None:
    """``σ = 1 − exp(−x)``. What binary64 rounds to an ulp is none less than one, as in a run."""
    start = int(np.float32(x).view(np.uint32))
    one = np.full(8, 1.0, dtype=np.float32)
    tally = judged(Ground("sigmoid", FORMATS["float32"]), "value", start, moved(one, np.full(8, step)))
    assert tally.grades[grade] == 8
    assert tally.worst is not None
    assert tally.worst.ulps == pytest.approx(ulps, abs=1e-10)


@pytest.mark.parametrize("ground", EVERY, ids=_told)
def test_what_is_right_is_right(ground: Ground) -> None:
    """Of two classes a stretch in which one logit is NaN, infinite, subnormal and ordinary."""
    stretches = [(0, 2**15)]
    if ground.pairs:
        stretches = [(first << 16, (first << 16) + 2**16) for first in (0x7C00, 0xFF80, 1, 0x3F12)]
    for (start, stop), output in itertools.product(stretches, ground.outputs):
        tally = judged(ground, output, start, right(ground, output, start, stop))
        assert tally.grades["exact"] == tally.judged == tally.elements - tally.open
        assert not tally.charges
