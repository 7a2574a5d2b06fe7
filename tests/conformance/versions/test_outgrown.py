"""When a run takes the place of a baseline: where the suite is another, and nothing else lost or wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.support.by_hand import Install
from tests.support.gating import TWO_CLASSES, Make, changed, gated, kinds, of_an_older_suite, with_more
from xent_conformance.reports.run import file as run_file
from xent_conformance.reports.run.file import Run, read_run, write_run
from xent_conformance.reports.views.slim import slim
from xent_conformance.versions import outgrown

Change = Callable[[Run], Run]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def run(make: Make, install: Install) -> Path:
    """Of a framework that is there, and wrong in nothing."""
    found = make("Exact", *TWO_CLASSES)
    install(fake="Exact")
    return found


def _without(output: str) -> Change:
    return lambda run: Run(run.verdicts.filter(pl.col("output") != output), run.headers)


def _ends(before: Path, now: Path, monkeypatch: pytest.MonkeyPatch, blocking: set[str] | None = None) -> int:
    """What the module says of the decision that the gate makes on the two."""
    _, told, _ = gated(now, "--baseline", before)
    if blocking is not None:
        assert {r["kind"] for r in told["reasons"] if r["blocking"]} == blocking
    decision = now.parent / "told.json"
    monkeypatch.setattr(sys, "argv", ["outgrown", str(before), str(now), str(decision)])
    return outgrown.main()


def test_a_suite_that_asks_less_has_outgrown_its_baseline(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {"missing since the baseline"}
    before = changed(run, tmp_path / "more.parquet", lambda r: of_an_older_suite(with_more(r)))
    assert _ends(before, run, monkeypatch, missing) == 0
    instrument = read_run(run).header["instrument"]
    same = changed(
        run, tmp_path / "same.parquet", lambda r: of_an_older_suite(with_more(r), instrument=instrument)
    )
    assert _ends(same, run, monkeypatch, missing) == 1, "the suite is the same: somebody lost it"


@pytest.mark.parametrize(
    "columns", [{"device": "cpu[isa=gone]"}, {"case": "softmax/crossing/crossing/float16/n18/r0"}], ids=str
)
def test_a_device_or_a_length_that_is_not_asked_any_more_is_the_suites(
    columns: dict[str, str], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = changed(run, tmp_path / "before.parquet", lambda r: of_an_older_suite(with_more(r, **columns)))
    assert _ends(before, run, monkeypatch, {"missing since the baseline"}) == 0


def test_what_can_be_compared_is_compared(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = changed(run, tmp_path / "before.parquet", of_an_older_suite)
    assert _ends(before, run, monkeypatch, set()) == 1
    whole, less = read_run(before), slim(read_run(run))
    assert not outgrown.outgrown(with_more(whole), less, ["not comparable with the baseline"])
    assert outgrown.outgrown(with_more(whole), read_run(run), ["missing since the baseline"])


def test_what_a_framework_has_lost_is_not_the_suites(
    run: Path, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = changed(run, tmp_path / "before.parquet", of_an_older_suite)
    poorer = changed(run, tmp_path / "poorer.parquet", _without("grad_logits"))
    assert _ends(before, poorer, monkeypatch, {"missing since the baseline"}) == 1
    install(other="Exact")
    assert _ends(before, poorer, monkeypatch) == 1, "whom it asked then nobody can ask now"


def test_what_is_wrong_beside_is_not_forgotten(
    run: Path, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = make("AlwaysNan", *TWO_CLASSES)
    before = changed(run, tmp_path / "before.parquet", lambda r: of_an_older_suite(with_more(r)))
    assert _ends(before, bad, monkeypatch) == 1
    _, told, _ = gated(bad, "--baseline", before)
    assert "missing since the baseline" in kinds(told) and len(kinds(told)) > 1


def test_a_form_that_is_not_read_any_more_is_outgrown_and_a_damaged_file_is_not(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, read = tmp_path / "old.parquet", read_run(run)
    with monkeypatch.context() as patched:
        patched.setattr(run_file, "SCHEMA_VERSION", run_file.SCHEMA_VERSION - 1)
        write_run(before, Run(read.verdicts, (dict(read.header),)))
    assert _ends(before, run, monkeypatch) == 0
    assert _ends(run, before, monkeypatch) == 1, "the run itself is of another version"
    before.write_bytes(b"PAR1" + before.read_bytes()[4:400])
    assert _ends(before, run, monkeypatch) == 1
    before.unlink()
    assert _ends(before, run, monkeypatch) == 1
