"""The largest distance of two frameworks, against all pairs of their answers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from xent_conformance.frameworks.interface import dtype_of
from xent_conformance.reference.formats import Floats
from xent_conformance.running import apart
from xent_conformance.running.apart import Answered, Farthest, farthest

ROWS, ELEMENTS = 5, 3
DEVICES = ("cpu", "cpu[isa=avx2]", "cuda:0")
ENDS = apart._ends
ODD = (np.nan, np.inf, -np.inf, 0.0, 1.0)


def _answers(seed: int) -> tuple[list[Answered], apart.Exponents]:
    """Of three frameworks, each in several ways and some on several devices; many distances are equal."""
    draw = random.Random(seed)
    found = []
    for framework in "abc":
        for device in DEVICES:
            for implementation in draw.sample(["f", "g", "h"], draw.randint(0, 3)):
                dtype = draw.choice(["float32", "float64", "bfloat16"])
                numbers = np.array([draw.choice((*ODD, *range(9))) for _ in range(ROWS * ELEMENTS)])
                there = np.array([draw.random() < 0.8 for _ in range(ROWS)])
                returned = numbers.astype(dtype_of(dtype)).tobytes()
                who = framework, implementation, draw.choice(["eager", "jit"]), device
                found.append(Answered(*who, dtype, ELEMENTS, returned, there.tobytes()))
    return found, np.array([draw.randint(-2, 1) for _ in range(ROWS * ELEMENTS)], dtype=np.int32)


def _every_pair(answers: Sequence[Answered], exponents: apart.Exponents) -> Iterator[Farthest]:
    """As it is defined: each answer against each other that it is compared with."""
    for one, other in combinations(sorted(answers, key=lambda a: (*a.side, a.implementation, a.mode)), 2):
        door = (one.implementation, one.mode) == (other.implementation, other.mode)
        plain = "[" not in one.device + other.device
        if one.framework != other.framework and not plain:
            continue
        if one.framework == other.framework and (one.device == other.device or not door):
            continue
        a, b = (x.part(0, ROWS * ELEMENTS) for x in (one, other))
        ulps = np.ldexp(np.abs(a - b), -exponents)
        ulps = np.where(np.isfinite(ulps), ulps, 0.0)
        place = int(np.argmax(ulps))
        yield Farthest(float(ulps[place]), place, one, other)


def _largest(found: Iterator[Farthest]) -> dict[tuple[tuple[str, str], ...], tuple[object, ...]]:
    """Of each two sides the first of the largest, by place and by name."""
    best: dict[tuple[tuple[str, str], ...], tuple[object, ...]] = {}
    for f in found:
        names = (f.a.implementation, f.a.mode, f.b.implementation, f.b.mode)
        rank, pair = (-f.ulps, f.place, *names), (f.a.side, f.b.side)
        best[pair] = min(best.get(pair, rank), rank)
    return best


@pytest.mark.parametrize("at_once", [1, 4, 10**6])
@pytest.mark.parametrize("seed", range(12))
def test_the_ends_say_what_all_pairs_say(seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "AT_ONCE", at_once)
    answers, exponents = _answers(seed)
    assert _largest(farthest(answers, exponents)) == _largest(_every_pair(answers, exponents))


@pytest.mark.parametrize("seed", range(12))
def test_it_does_not_matter_who_was_faster(seed: int) -> None:
    answers, exponents = _answers(seed)
    whole = _largest(farthest(answers, exponents))
    random.Random(seed).shuffle(answers)
    assert _largest(farthest(answers, exponents)) == whole and whole


def _no_upper_end(answers: Sequence[Answered], begin: int, end: int) -> tuple[Floats, Floats]:
    low, _ = ENDS(answers, begin, end)
    return low, low


def _everybody_takes_part(answers: Sequence[Answered], begin: int, end: int) -> tuple[Floats, Floats]:
    return ENDS([replace(a, there=b"\1" * ROWS) for a in answers], begin, end)


@pytest.mark.parametrize("fault", [_no_upper_end, _everybody_takes_part])
def test_the_tests_above_can_fail(fault: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_ends", fault)
    made = map(_answers, range(12))
    assert any(_largest(farthest(*each)) != _largest(_every_pair(*each)) for each in made)
