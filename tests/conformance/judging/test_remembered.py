"""Yardsticks that are remembered are those that are made, bit for bit, and what does not fit is made anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.support.by_hand import batch
from tests.support.entries import DAMAGES
from xent_conformance.cases.corpus import batches
from xent_conformance.judging import remembered
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.remembered import Yardsticks, of_yardsticks, yardsticks_of
from xent_conformance.judging.yardstick import Yardstick
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.oracle import Oracle, Truth

ORACLE = Oracle()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Of which batch and output one was made."""
    every: list[tuple[str, str]] = []
    original = Yardstick.of

    def make(truth: Truth, output: str) -> Yardstick:
        every.append((truth.inputs.digest, output))
        return original(truth, output)

    monkeypatch.setattr(Yardstick, "of", make)
    return every


def _truths() -> list[Truth]:
    """Of every kind of bound: rows, groups, what is around, derivatives, eight bits, a layer."""
    operators = ["softmax", "sigmoid_cross_entropy", "linear_cross_entropy"]
    asked = batches("quick", operators=operators, dtypes=["float32", "float8_e5m2"])
    every = {b.family: b for b in asked if b.inputs.logits.size <= 2**9}
    return [ORACLE.truth(b.inputs) for b in every.values()]


TRUTHS = _truths()


def _all(measure: Yardsticks, truths: Iterable[Truth] = TRUTHS) -> list[Yardstick]:
    return [measure(truth, output) for truth in truths for output in truth.inputs.outputs]


def _same(one: Yardstick, other: Yardstick) -> bool:
    for field in fields(Yardstick):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, Enclosure):
            a, b = (np.stack([x.hi, x.lo, x.radius, x.exponent]) for x in (a, b))
        if isinstance(a, np.ndarray):
            if (a.dtype, a.shape, a.tobytes()) != (b.dtype, b.shape, b.tobytes()):
                return False
        elif a is not b and a != b:
            return False
    return True


def test_they_are_those_that_are_made(made: list[tuple[str, str]], tmp_path: Path) -> None:
    entry = tmp_path / "quick.yardsticks"
    first = Yardsticks(entry)
    before = _all(first)
    assert len({t.inputs.definition.name for t in TRUTHS}) == 3 and len(made) == len(before) > 60
    first.write()
    made.clear()
    again = Yardsticks(entry)
    after = _all(again)
    assert made == [] and again.new == 0
    assert all(_same(a, b) for a, b in zip(before, after, strict=True))
    for a, b in zip(before, after, strict=True):  # what is asked only where numbers are far apart
        got = np.full_like(a.rounded, 1e300)
        rows, elements = np.nonzero(np.isfinite(a.hi))
        far, other = (s.far(got[rows, elements], rows, elements) for s in (a, b))
        assert np.array_equal(far, other, equal_nan=True)


def test_a_judge_measures_with_them(made: list[tuple[str, str]], tmp_path: Path) -> None:
    measure = Yardsticks(tmp_path / "quick.yardsticks")
    judge, digest = Judge(TRUTHS[0], measure), TRUTHS[0].inputs.digest
    assert judge.yardstick("value") is judge.yardstick("value") and made == [(digest, "value")]
    assert Judge(TRUTHS[0], measure).yardstick("value").k is judge.yardstick("value").k
    assert made == [(digest, "value")]


def test_what_is_new_is_added(made: list[tuple[str, str]], tmp_path: Path) -> None:
    entry = tmp_path / "quick.yardsticks"
    for truths in (TRUTHS[:2], TRUTHS[1:3]):
        measure = Yardsticks(entry)
        _all(measure, truths)
        measure.write()
    assert len(made) == len(set(made)), "what was known was made again"
    made.clear()
    _all(Yardsticks(entry), TRUTHS[:3])
    assert made == []


def test_where_nothing_is_new_nothing_is_written(tmp_path: Path) -> None:
    entry = tmp_path / "quick.yardsticks"
    Yardsticks(entry).write()
    assert not entry.exists()


def test_what_is_large_is_made_each_time(
    made: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(remembered, "SMALL", 5)
    large, small = (ORACLE.truth(batch("softmax", [row]).inputs) for row in ([1.0] * 6, [1.0] * 5))
    measure = Yardsticks(tmp_path / "quick.yardsticks")
    for truth in (large, small, large, small):
        measure(truth, "value")
    assert [digest for digest, _ in made] == [t.inputs.digest for t in (large, small, large)]
    monkeypatch.setattr(remembered, "LARGEST", 1)
    for _ in range(2):
        measure(small, "grad_logits")
    assert len(made) == 5, "an entry grows without an end"


@pytest.mark.parametrize("damage", [*DAMAGES, "of another shape"])
def test_what_does_not_fit_is_made_anew(damage: str, made: list[tuple[str, str]], tmp_path: Path) -> None:
    entry = tmp_path / "quick.yardsticks"
    measure = Yardsticks(entry)
    _all(measure, TRUTHS[:1])
    measure.write()
    if damage in DAMAGES:
        DAMAGES[damage](entry)
    else:
        remembered.keep(entry, remembered.packed({"whose": np.zeros(3, np.uint8)}))
    number = len(made)
    _all(Yardsticks(entry), TRUTHS[:1])
    assert len(made) == 2 * number


def test_where_nothing_can_be_written_they_are_made(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file", encoding="utf-8")
    measure = Yardsticks(tmp_path / "folder" / "quick.yardsticks")
    _all(measure, TRUTHS[:1])
    measure.write()
    assert measure.new


def test_they_lie_by_what_decides_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    measure = yardsticks_of("quick")
    _all(measure, TRUTHS[:1])
    measure.write()
    (entry,) = tmp_path.rglob("quick.yardsticks")
    assert entry.parent.name == of_yardsticks()
    monkeypatch.setattr(remembered, "of_yardsticks", lambda: "0" * 16)
    assert not yardsticks_of("quick")._known
