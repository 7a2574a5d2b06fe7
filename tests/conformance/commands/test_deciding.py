"""The files of a decision, as its commands name them to who reads of it somewhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from xent_conformance.commands.base import FailOn
from xent_conformance.commands.deciding import deciding, files_of
from xent_conformance.reports.run.commands import Files


def _files(*paths: str) -> Files:
    run, *baseline = map(Path, paths)
    return files_of([run], baseline, [Path("/home/work/repo/ci/waivers.toml")], True, ())


def test_in_a_job_files_are_named_as_they_are_had_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", "/home/work/repo")
    monkeypatch.setenv("RUNNER_TEMP", "/home/work/_temp")
    told = _files("/home/work/_temp/out/run.parquet", "/home/work/_temp/out/baseline.parquet")
    assert told == Files(("run.parquet",), ("baseline.parquet",), ("ci/waivers.toml",))
    assert _files("out/run.parquet", "/elsewhere/b.parquet").runs == ("out/run.parquet",)
    assert _files("out/run.parquet", "/elsewhere/b.parquet").baseline == ("/elsewhere/b.parquet",)
    alike = ("/home/work/_temp/a/run.parquet", "/home/work/_temp/b/run.parquet")
    told = _files(*alike)
    assert (told.runs, told.baseline) == ((alike[0],), (alike[1],)), "two files are not one name"


def test_what_is_found_beside_a_baseline_alone_says_so_without_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whichever command decides, as `run` and `report` do."""
    asked = [FailOn.DRIFT, FailOn.SHOULD]
    deciding(None, None, False, asked)
    told = "warning: nothing is compared, so --fail-on drift finds nothing: name a --baseline"
    assert " ".join(capsys.readouterr().err.split()) == told
    deciding(None, None, False, asked, first=True)
    assert capsys.readouterr().err == ""


def test_elsewhere_a_path_is_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_WORKSPACE", "RUNNER_TEMP"):
        monkeypatch.delenv(name, raising=False)
    told = _files("/home/work/_temp/out/run.parquet")
    assert told.runs == ("/home/work/_temp/out/run.parquet",)
    assert told.waivers == ("/home/work/repo/ci/waivers.toml",)
