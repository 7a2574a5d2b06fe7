"""What was said in an earlier run: the same, and not computed again; anything else is said anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.by_hand import batch
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis import where
from xent_conformance.diagnosis.predict import names, predictions
from xent_conformance.diagnosis.remembered import Remembered, remember, remembering
from xent_conformance.diagnosis.said import PLACE_BYTES, Call, Said
from xent_conformance.diagnosis.sayings import Packed, Saying, pack
from xent_conformance.diagnosis.where import sayings_folder, sayings_of
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.kept import keep, kept
from xent_conformance.reference.oracle import Oracle

IDENTITY: Mapping[str, Any] = {"instrument": "0123456789abcdef", "selection": {"profile": "quick"}}

LOGITS = [[1.0, 2.0, 3.0], [1000.0, 1.0, 0.0], [0.5, 0.25, -0.5]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for what is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "xent-conformance"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each time that hypotheses are asked."""
    times: list[int] = []
    original = predictions

    def counted(*given: Any) -> Iterator[Any]:
        times.append(len(times))
        return original(*given)

    monkeypatch.setattr("xent_conformance.diagnosis.said.predictions", counted)
    return times


def _call(got: list[float]) -> tuple[Batch, Call]:
    rows = np.arange(len(LOGITS))
    zeros, bad = np.zeros_like(rows), np.array([False, True, True])
    return batch("softmax", LOGITS), Call(zeros, zeros, rows, zeros, np.array(got), bad, bad)


DUE = names(_call([0.0] * 3)[0].inputs, "value")
"""Whatever may be said of such a call."""


def _said(got: list[float], identity: Mapping[str, Any] = IDENTITY) -> list[Saying]:
    """What a run of that identity says of these numbers."""
    asked, call = _call(got)
    with remembering(Oracle(default_cache()), identity) as said:
        return said.of(asked, "value", call, DUE)


WRONG = [0.09003057, np.nan, 0.2]
"""The textbook's softmax of a logit that is huge is NaN, which many hypotheses predict."""


def _equal(a: list[Saying], b: list[Saying]) -> bool:
    return len(a) == len(b) and all(
        x.name == y.name and np.array_equal(x.met, y.met) and np.array_equal(x.contradicted, y.contradicted)
        for x, y in zip(a, b, strict=True)
    )


def test_the_same_is_said_and_computed_once(computed: list[int]) -> None:
    first = _said(WRONG)
    assert any(s.met.any() for s in first) and any(s.contradicted.any() for s in first)
    many = len(computed)
    again = _said(WRONG)
    assert _equal(first, again) and len(computed) == many > 0


@pytest.mark.parametrize(
    ("got", "identity"),
    [
        ([0.09003058, np.nan, 0.2], IDENTITY),
        (WRONG, {**IDENTITY, "instrument": "f" * 16}),
        (WRONG, {**IDENTITY, "selection": {"profile": "standard"}}),
    ],
    ids=["another number", "another instrument", "other questions"],
)
def test_anything_else_is_computed(
    got: list[float], identity: Mapping[str, Any], computed: list[int]
) -> None:
    _said(WRONG)
    many = len(computed)
    _said(got, identity)
    assert len(computed) > many


def test_other_hypotheses_say_it_anew(computed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    _said(WRONG)
    many = len(computed)
    monkeypatch.setattr(where, "of_hypotheses", lambda: "f" * 16)
    _said(WRONG)
    assert len(computed) > many


def test_what_was_known_is_still_known_when_there_is_more(computed: list[int]) -> None:
    _said(WRONG)
    asked, call = _call([0.5, np.nan, 0.2])
    with remembering(Oracle(default_cache()), IDENTITY) as said:
        said.of(asked, "value", _call(WRONG)[1], DUE)
        said.of(asked, "value", call, DUE)
    many = len(computed)
    _said(WRONG)
    _said([0.5, np.nan, 0.2])
    assert len(computed) == many


def _asked_of(said: Said, got: list[float]) -> None:
    asked, call = _call(got)
    said.of(asked, "value", call, DUE)


def test_no_more_is_held_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a call a second time, with more, takes the place of what was held of it."""
    calls = [[0.25, np.nan, 0.125 * i] for i in range(4)]
    with remembering(Oracle(default_cache()), IDENTITY) as said:
        _asked_of(said, calls[0])
        size = said.known[next(iter(said.known))].nbytes
    with remembering(Oracle(default_cache()), {**IDENTITY, "selection": {}}) as said:
        asked, call = _call(calls[0])
        assert not said.of(asked, "value", call, [])
        for i in range(3):
            said.of(asked, "value", call, [name for name in DUE if len(name[0]) % 3 <= i])
        assert said._held == sum(of.nbytes for of in said.known.values()) == size
    monkeypatch.setattr("xent_conformance.diagnosis.said.LARGEST", 2 * size)
    with remembering(Oracle(default_cache()), {**IDENTITY, "selection": {"profile": "full"}}) as said:
        for got in calls:
            _asked_of(said, got)
        assert len(said.known) == 2


def test_who_remembers_nothing_holds_nothing() -> None:
    said = Said(Oracle())
    _asked_of(said, WRONG)
    assert not said.known


def test_nothing_new_writes_nothing() -> None:
    _said(WRONG)
    path = sayings_of(IDENTITY)
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    _said(WRONG)
    assert path.stat().st_mtime_ns == before


def test_without_truths_that_are_remembered_nothing_is(cache: Path) -> None:
    asked, _ = _call(WRONG)
    with remembering(Oracle(), IDENTITY) as said:
        said.of(asked, "value", _call(WRONG)[1], DUE)
    assert not (cache / "diagnosis").exists()


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _of_another_version(path: Path) -> None:
    keep(path, b"[]\n")


def _no_arrays(path: Path) -> None:
    keep(path, b"anything")


@pytest.mark.parametrize("damage", [_torn, _of_another_version, _no_arrays])
def test_what_does_not_fit_is_said_anew(damage: Any, computed: list[int]) -> None:
    first = _said(WRONG)
    path, many = sayings_of(IDENTITY), len(computed)
    damage(path)
    assert _equal(_said(WRONG), first) and len(computed) > many
    many = len(computed)
    assert _equal(_said(WRONG), first) and len(computed) == many, "and it is whole again"


def test_a_disk_that_refuses_is_no_error(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "diagnosis").write_text("a file where the folder should be")
    assert _said(WRONG)


def test_a_file_holds_what_it_is_given() -> None:
    """Rows that fill no byte, more than one byte of them, and places of which nothing is said."""
    masks = np.random.default_rng(0).random((4, 11)) < 0.5
    known: dict[bytes, dict[tuple[str, str], Saying | None]] = {
        b"a" * PLACE_BYTES: {
            ("one", ""): Saying(("one", ""), masks[0], masks[1]),
            ("two", "x"): None,
            ("three", ""): Saying(("three", ""), masks[2], masks[3]),
        },
        b"b" * PLACE_BYTES: {("two", "x"): None},
        b"c" * PLACE_BYTES: {("two", "x"): Saying(("two", "x"), masks[0][:1], masks[1][:1])},
    }
    path = sayings_folder() / "0" / "some.sayings"
    remember(path, {place: pack(of) for place, of in known.items()})
    read = Remembered(path)
    for place, of in known.items():
        there = read.at(place).known
        assert list(there) == list(of)
        for name, ours in of.items():
            theirs = there[name]
            assert (ours is None) == (theirs is None)
            assert ours is None or theirs is None or _equal([ours], [theirs])
    assert read.at(b"d" * PLACE_BYTES) == Packed() and not Packed().known
    body = kept(path)
    assert body is not None and json.loads(body.split(b"\n")[0])


def test_a_say_that_is_remembered_is_what_is_said() -> None:
    asked, call = _call(WRONG)
    alone = Said(Oracle()).of(asked, "value", call, names(asked.inputs, "value"))
    _said(WRONG)
    assert _equal(_said(WRONG), alone)
