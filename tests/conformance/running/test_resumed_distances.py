"""A resumed run measures between frameworks what an uninterrupted one does, wherever it was interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.by_hand import Install, selection
from xent_conformance.asking.inside import InProcess
from xent_conformance.discovery.framework import Seat
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import desk, journal
from xent_conformance.running.conversation import Connect
from xent_conformance.running.engine import run
from xent_conformance.running.journal import Journal

pytestmark = pytest.mark.usefixtures("forked")

FAKES = {"fake": "OneUlpOff", "other": "FourUlpsOff", "third": "OneUlpBelow"}


class Interrupted(Exception):
    """What a test's progress callback raises, as Ctrl-C would."""


@pytest.fixture(autouse=True)
def _a_part_for_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "VERDICTS", 1)


def _here(seat: Seat) -> InProcess:
    """Each seat asked in this process, one after another: the first answers everything first."""
    return InProcess(seat.framework.adapter_class())


def _run(out: Path | None, *, stop: int = 0, inside: Connect | None = _here, **options: Any) -> Run:
    """Interrupted when so many batches are answered, of all seats together."""
    finished: dict[str, int] = {}

    def progress(seat: str, done: int, planned: int) -> None:
        finished[seat] = done
        if sum(finished.values()) == stop:
            raise Interrupted

    return run(
        selection(dtypes=("float16", "float32")),
        out,
        oracle=Oracle(),
        inside=inside,
        progress=progress if stop else None,
        **options,
    )


def _interrupted(out: Path, stop: int, **options: Any) -> None:
    with pytest.raises(Interrupted):
        _run(out, stop=stop, **options)


@pytest.fixture
def whole(install: Install) -> list[dict[str, Any]]:
    """The distances of a run that nothing interrupts; its seats are as fast as they are."""
    install(**FAKES)
    found: list[dict[str, Any]] = _run(None).header["distances"]
    assert {d["framework_a"] + d["framework_b"] for d in found} == {"fakeother", "fakethird", "otherthird"}
    assert all(d["ulps"] > 0 for d in found)
    return found


@pytest.mark.parametrize(
    ("stops", "inside"),
    [((1,), _here), ((5,), _here), ((9, 17), _here), ((4, 8, 12, 16), _here), ((6, 12), None)],
    ids=["early", "one seat", "twice", "four times", "workers side by side"],
)
def test_a_resumed_run_has_the_distances_of_a_whole_one(
    stops: tuple[int, ...], inside: Connect | None, whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "run.parquet"
    for number, stop in enumerate(stops):
        _interrupted(out, stop, resume=number > 0, inside=inside)
    result = _run(out, resume=True, inside=inside)
    assert result.complete and result.header["distances"] == whole
    assert not journal_of(out).exists()


def test_what_lags_behind_is_compared_with_what_was_answered_long_before(
    install: Install, tmp_path: Path
) -> None:
    """One framework has answered everything, and the others nothing, when the run is interrupted."""
    out = tmp_path / "run.parquet"
    install(fake="OneUlpOff", other="Absent")
    asked = selection(frameworks=("fake", "other"))
    assert not run(asked, out, oracle=Oracle()).complete
    install(fake="OneUlpOff", other="FourUlpsOff")
    whole = run(asked, None, oracle=Oracle()).header["distances"]
    assert run(asked, out, oracle=Oracle(), resume=True).header["distances"] == whole
    assert whole


def test_without_what_is_kept_distances_are_lost(
    whole: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: this is how runs were resumed before answers were kept."""
    out = tmp_path / "run.parquet"
    _interrupted(out, 9)
    monkeypatch.setattr(Journal, "measured", lambda _: iter(()))
    assert _run(out, resume=True).header["distances"] != whole


def test_answers_that_everybody_has_given_are_let_go_of(install: Install, tmp_path: Path) -> None:
    """What is on disk is what is waited for."""
    install(**FAKES)
    out = tmp_path / "run.parquet"
    _interrupted(out, 16)
    parts = sorted(journal_of(out).glob("part-*.parquet"))
    kept = sorted(journal_of(out).glob("answers-*.parquet"))
    answered: dict[str, int] = {}
    for part in parts:
        for _, batch in json.loads(pl.read_parquet_metadata(part)["done"]):
            answered[batch] = answered.get(batch, 0) + 1
    waiting = {b for path in kept for _, b in json.loads(pl.read_parquet_metadata(path)["kept"])}
    assert waiting == {batch for batch, seats in answered.items() if seats < len(FAKES)}


def test_answers_that_are_too_large_to_keep_are_asked_again(
    whole: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For their distances alone: the verdicts stay, and none is there twice."""
    out = tmp_path / "run.parquet"
    monkeypatch.setattr(journal, "ANSWERS_BYTES", 0)
    _interrupted(out, 9)
    assert not list(journal_of(out).glob("answers-*.parquet"))
    result = _run(out, resume=True)
    assert result.complete and result.header["distances"] == whole
    assert result.header["finished"] == result.header["planned"]
    assert not result.verdicts.select("framework", "implementation", "case", "output").is_duplicated().any()


@pytest.mark.parametrize("victim", ["part-*.parquet", "answers-*.parquet"])
def test_damage_costs_no_distance(victim: str, whole: list[dict[str, Any]], tmp_path: Path) -> None:
    """Whichever file of the journal it is: what it has is asked again, of whom it takes."""
    out = tmp_path / "run.parquet"
    _interrupted(out, 13)
    for path in sorted(journal_of(out).glob(victim))[::2]:
        held = bytearray(path.read_bytes())
        held[len(held) // 2] ^= 16
        path.write_bytes(bytes(held))
    result = _run(out, resume=True)
    assert result.header["asked_again"] and result.complete
    assert result.header["distances"] == whole


def test_another_time_to_wait_does_not_resume(install: Install, tmp_path: Path) -> None:
    """It decides what has timed out."""
    install(**FAKES)
    out = tmp_path / "run.parquet"
    _interrupted(out, 5, timeout=20.0)
    with pytest.raises(RunFileError, match=r"timeout 20\.0, now 30\.0"):
        _run(out, resume=True, timeout=30.0)
    assert _run(out, resume=True, timeout=20.0).complete
