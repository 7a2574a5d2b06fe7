"""A baseline that says less than a run of before would is none: itself, unfinished, or judged otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.gating import TWO_CLASSES, Make, changed, gated, kinds
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.views.reasons import Kind


def test_a_run_is_no_baseline_of_itself(make: Make, tmp_path: Path) -> None:
    """A regressed file would pass: it is as wrong as it is. A copy, or one sealed anew, is the same run."""
    run = make("AlwaysNan", *TWO_CLASSES)
    copy = Path(shutil.copy(run, tmp_path / "copy.parquet"))
    again = changed(run, tmp_path / "again.parquet", lambda r: r)
    for baseline in (run, copy, again):
        done = conformance("gate", run, "--baseline", baseline, "--no-known", status=3)
        told = " ".join(done.output.split())
        assert "is the run itself" in told and "give the run file of before as --baseline" in told


def test_a_run_that_is_made_again_has_a_baseline_in_the_first(install: Install, tmp_path: Path) -> None:
    """Though every verdict is the same."""
    install(fake="Exact")
    files = [tmp_path / "old.parquet", tmp_path / "new.parquet"]
    for file in files:
        conformance("run", "--profile", "quick", *TWO_CLASSES, "-o", file)
    old, new = map(read_run, files)
    assert old.verdicts.equals(new.verdicts)
    assert gated(files[1], "--baseline", files[0])[0] == 0


def _header(**changes: Any) -> Any:
    return lambda r: Run(r.verdicts, ({**r.header, **changes},))


@pytest.mark.parametrize(
    ("changes", "kind", "title", "detail"),
    [
        ({"finished": {"fake": 0}}, Kind.UNFINISHED, "the baseline is unfinished", "fake answered 0 of"),
        (
            {"absent": [{"framework": "gone", "message": "no", "install": "pip install gone"}]},
            Kind.UNFINISHED,
            "the baseline is unfinished",
            "gone is absent",
        ),
        (
            {"reference": "another"},
            Kind.NOT_COMPARABLE,
            "the baseline was judged by another reference",
            "make a new baseline",
        ),
        (
            {"corpus": "another"},
            Kind.NOT_COMPARABLE,
            "the baseline asked another corpus (quick)",
            "make a new baseline",
        ),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else "",
)
def test_a_baseline_that_says_less_is_refused(
    changes: dict[str, Any], kind: Kind, title: str, detail: str, make: Make, tmp_path: Path
) -> None:
    run = make("Exact", *TWO_CLASSES)
    baseline = changed(run, tmp_path / "old.parquet", _header(**changes))
    status, told, lines = gated(run, "--baseline", baseline)
    assert status == 3 and kinds(told) == {kind}
    (reason,) = told["reasons"]
    assert reason["title"] == title and detail in reason["detail"]
    assert lines[-1].startswith("conformance run --profile quick")
