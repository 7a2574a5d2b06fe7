"""What two ends tell of a stretch is what every point of it says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.support.sweeping import right
from xent_conformance.reference.formats import FORMATS
from xent_conformance.sweep import judge
from xent_conformance.sweep.ground import Ground, grounds
from xent_conformance.sweep.level import counted
from xent_conformance.sweep.tally import Tally

LENGTH = 2**14

EVERY = [
    g
    for operator in ("sigmoid", "log_sigmoid", "sigmoid_cross_entropy")
    for g in grounds(operator, "float32", (0, 1))
]

SIGMOID = Ground("sigmoid", FORMATS["float32"])


def _start(x: float) -> int:
    """The stretch that x is in."""
    return int(np.float32(x).view(np.uint32)) // LENGTH * LENGTH


def _point_by_point(
    ground: Ground, output: str, start: int, got: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> Tally:
    with monkeypatch.context() as patch:
        patch.setattr(judge, "counted", lambda *_: None)
        return judge.judged(ground, output, start, got)


@pytest.mark.parametrize("ground", EVERY, ids=lambda g: f"{g.operator}-{g.label}")
@pytest.mark.parametrize("output", ["value", "grad_logits"])
def test_it_is_what_its_points_say(ground: Ground, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the largest error, which is at an end, as far as binary64 can tell one from the next."""
    level = 0
    places = (1e-42, 1e-38, 1e-30, 1e-8, 2e-5, 0.02, 0.3, 0.5, 1.0, 5.0, 17.5, 30.0, 89.0, 120.0, 1e9, 3e38)
    for x, sign in itertools.product(places, (1, -1)):
        start = _start(sign * x)
        got = right(ground, output, start, start + LENGTH)
        if (told := counted(ground, output, start, got)) is None:
            continue
        level += 1
        each = _point_by_point(ground, output, start, got, monkeypatch)
        assert told.worst is not None and each.worst is not None
        assert told.worst.ulps == pytest.approx(each.worst.ulps, rel=2.0**-30, abs=2.0**-40)
        told.worst = each.worst = None
        assert told == each
    assert level >= 8, "or nothing was compared"


@pytest.mark.parametrize("x", [1e-30, -1e-30, 40.0, -120.0])
@pytest.mark.parametrize("at", [0, 5000, LENGTH - 1])
@pytest.mark.parametrize("wrong", [0.25, np.nan, np.inf])
def test_one_that_is_wrong_among_them_is_counted(
    x: float, at: int, wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = _start(x)
    got = right(SIGMOID, "value", start, start + LENGTH)
    assert counted(SIGMOID, "value", start, got) is not None
    got[at] = wrong
    tally = judge.judged(SIGMOID, "value", start, got)
    assert tally.grades["exact"] == LENGTH - 1 and tally.judged == LENGTH
    each = _point_by_point(SIGMOID, "value", start, got, monkeypatch)
    assert tally.as_dict("float32") == each.as_dict("float32")


@pytest.mark.parametrize(("x", "grade"), [(-1e-40, "accurate"), (-1e-25, "accurate"), (-1e-22, "faithful")])
def test_one_other_number_all_along_is_measured_at_the_ends_alone(
    x: float, grade: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``1/2 − 2^-25`` where the value is next to 1/2: an ulp off but for less than binary64 can tell, or a
    little more than that."""
    start = _start(x)
    got = np.full(64, np.nextafter(np.float32(0.5), np.float32(0)))
    told = counted(SIGMOID, "value", start, got)
    each = _point_by_point(SIGMOID, "value", start, got, monkeypatch)
    assert told is not None and told.looked_up <= 2
    assert told.grades == each.grades and told.grades[grade] == 64
    assert told.charges == each.charges == {} and told.histogram == each.histogram
    assert told.worst is not None and each.worst is not None and told.worst.ulps == each.worst.ulps
    further = np.nextafter(got, np.float32(0))
    assert counted(SIGMOID, "value", start, further) is None, "two ulps: each is to be measured"


@pytest.mark.parametrize("x", [-18.0, -200.0, -3e38])
def test_far_from_zero_a_logit_is_its_own_result(x: float) -> None:
    ground, start = Ground("log_sigmoid", FORMATS["float32"]), _start(x)
    got = ground.logits(start, start + LENGTH)
    assert counted(ground, "value", start, got) is not None
    got[77] = np.nextafter(got[77], np.float32(0))
    assert counted(ground, "value", start, got) is None


def test_a_stretch_of_two_binades_is_judged_point_by_point() -> None:
    """There a function need not go one way: ``1/(p (1 − p))`` does not at one half."""
    ground = Ground("logit", FORMATS["float32"])
    start, last = (int(np.float32(0.5 + off).view(np.uint32)) for off in (-(2.0**-10), 2.0**-10))
    ends = [right(ground, "grad_logits", end, end + 1)[0] for end in (start, last)]
    assert ends[0] == ends[1] > right(ground, "grad_logits", _start(0.5), _start(0.5) + 1)[0]
    assert counted(ground, "grad_logits", start, np.full(last + 1 - start, ends[0])) is None


@pytest.mark.parametrize("x", [np.inf, np.nan])
def test_what_is_no_number_is_judged_point_by_point(x: float) -> None:
    start = int(np.float32(x).view(np.uint32))
    assert counted(SIGMOID, "value", start, np.ones(8, dtype=np.float32)) is None
