"""The first day of a version: its run becomes the baseline, and what a person must write is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import conformance
from tests.support.gating import TWO_CLASSES, Make, changed, earlier, gated
from xent_conformance.reports.run.file import Run


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_first_gate_says_what_to_type_and_from_then_on_it_passes(make: Make) -> None:
    run = make("AlwaysNan", *TWO_CLASSES)
    status, _, lines = gated(run)
    assert status == 1
    first_day = [
        line for line in lines if line.startswith(("no baseline: ", "known and accepted: ", "first run"))
    ]
    assert first_day[0].startswith("no baseline: 4 causes of a broken must clause that no waiver knows")
    assert first_day[2].endswith(f"conformance adopt {run}")
    told = conformance("adopt", run, "--no-known", status=0).stdout
    assert (
        "conformance/waivers.toml: 4 stubs for 80 verdicts that no waiver accepts; write reason and link"
        in told
    )
    assert Path("conformance/baseline.parquet").read_bytes() == run.read_bytes()
    asks, gates = (line.partition(": ")[2] for line in told.splitlines()[-2:])
    after = run.with_stem(f"{run.stem}-next")
    assert asks.startswith("conformance run --profile quick ") and asks.endswith(f" -o {after}")
    assert gates == f"conformance gate {after} --baseline conformance/baseline.parquet --no-known"
    again = earlier(run, after)  # the next run, whose day is of no importance
    status, told_again, _ = gated(again, "--baseline", Path("conformance/baseline.parquet"))
    assert status == 0 and {r["kind"] for r in told_again["reasons"]} == {"broken as before"}


def test_where_nothing_is_broken_there_is_no_stub(make: Make) -> None:
    told = conformance("adopt", make("Exact", *TWO_CLASSES), "--no-known", "-o", "kept", status=0).stdout
    assert "there is no stub to write" in told
    assert sorted(p.name for p in Path("kept").iterdir()) == ["baseline.parquet"]


def test_nothing_is_written_over(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    conformance("adopt", run, status=0)
    again = conformance("adopt", run, status=2)
    assert "conformance/baseline.parquet is there already, and stays as it is: name another" in again.stderr
    conformance("adopt", run, "--force", status=0)


def test_a_run_that_did_not_finish_is_no_baseline(make: Make, tmp_path: Path) -> None:
    def cut(run: Run) -> Run:
        return Run(run.verdicts, ({**run.header, "finished": {"fake": 0}},))

    run = changed(make("Exact", *TWO_CLASSES), tmp_path / "cut.parquet", cut)
    assert "it is no baseline" in conformance("adopt", run, status=3).stderr
    assert not Path("conformance").exists()


def test_a_folder_that_cannot_be_made(make: Make) -> None:
    Path("file").touch()
    told = conformance("adopt", make("Exact", *TWO_CLASSES), "-o", "file/there", status=3).stderr
    assert "no file can be made in file" in told
