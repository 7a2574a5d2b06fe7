"""docs/DEVICES.md is what the published runs give; `make report-devices` asks what installs and no more."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from docs import devices, ranks
from docs.published import DEVICES, read, run_file
from making import devices as making
from tests.support.paths import ROOT
from xent_conformance.asking.selection import Selection
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.frameworks import onnxruntime_web, tfjs
from xent_conformance.reports.run.words import FAULTS

PAGE = ROOT / "docs" / "DEVICES.md"
LARGEST = 2_700_000
"""Bytes of all run files together."""


def test_the_page_is_what_the_run_files_give() -> None:
    printed = devices.page()
    assert PAGE.read_text(encoding="utf-8") == printed, "run: python -m docs.devices > docs/DEVICES.md"
    assert sum(run_file(name).stat().st_size for name in DEVICES.runs) < LARGEST


def test_each_finding_is_a_row_that_breaks_its_clause() -> None:
    rows = read(DEVICES.runs).verdicts
    for finding in devices.FOUND:
        row = devices.row_of(finding, rows)
        assert row["status"] in FAULTS and row["cause"] == finding.cause
        assert devices.command(row) in PAGE.read_text(encoding="utf-8")
    with pytest.raises(LookupError, match="nothing published shows it"):
        devices.row_of(replace(devices.FOUND[0], clause="9.9"), rows)


def test_every_implementation_that_can_be_asked_has_a_line() -> None:
    """Among them layers, which are asked of who has any: a target that lost a door would not be noticed."""
    text = PAGE.read_text(encoding="utf-8")
    for name in making.TARGETS:
        doors = FRAMEWORKS[name].declaration.implementations
        for door in (d for d in doors if d.formulation != "naive"):  # controls are counted apart
            line = rf"^\| {name} \S+ \| `\S+` \| `{re.escape(door.name)}` \| {door.operator} \| [\d,]+ \|"
            assert re.search(line, text, re.MULTILINE), door.name


@pytest.mark.parametrize("name", list(making.TARGETS))
def test_a_target_can_be_asked_as_it_is_told(name: str) -> None:
    """Its line names a framework and devices that there are."""
    line = making.line(name)
    framework, *named = re.findall(r"--(?:framework|device) '?([^' ]+)", line)
    assert framework in FRAMEWORKS
    asked = Selection(making.PROFILE, (framework,), devices=tuple(named))
    assert [seat.name for seat in asked.seats()]
    seconds = re.findall(r"--timeout (\d+)", line)
    assert seconds == (["10"] if name == "onnxruntime-web" else [])
    assert (PAGE.read_text(encoding="utf-8")).count(f"--framework {name} ") >= 1


def test_losses_over_ranks_are_asked_the_same_over_every_number_of_them() -> None:
    """Uneven shards and none, labels on another rank: what one rank was asked, eight were."""
    rows = read(DEVICES.runs).verdicts
    for name in ranks.FRAMEWORKS:
        devices = making.TARGETS[name].devices
        assert [re.search(r"(\d+)\]$", device)[1] for device in devices] == [*map(str, making.RANKS)]  # type: ignore[index]
        of = [rows.filter((pl.col("framework") == name) & (pl.col("device") == d)) for d in devices]
        first, *others = (f.select("implementation", "output", "case").sort(pl.all()) for f in of)
        assert first.height > 5_000 and all(first.equals(other) for other in others)


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


PIP = """
import sys
told = " ".join(sys.argv)
open({log!r}, "a").write(told + "\\n")
sys.exit("xgboost" in told)
"""
"""A Python that can install everything but one, and says what it was asked."""


NPM = """
import sys
open({log!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
sys.exit("tfjs" in " ".join(sys.argv))
"""
"""An npm that can install everything but TensorFlow.js, and says what it was asked."""


def test_what_npm_installs_comes_into_the_environment_in_exact_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log, place = tmp_path / "log", tmp_path / "devices"
    python = _program(place / "bin" / "python", "")
    _program(tmp_path / "npm" / "npm", NPM.format(log=str(log)))
    asked = ("onnxruntime-web", "tfjs", "ncnn")
    monkeypatch.setenv("PATH", str(tmp_path / "npm"))
    assert making.install(python, tmp_path / "constraints.txt", asked) == ["onnxruntime-web", "ncnn"]
    assert "tfjs is left out: it does not install here" in capfd.readouterr().err
    lines = log.read_text(encoding="utf-8").splitlines()
    for line, name in zip(lines, asked[:2], strict=True):  # where nothing is npm's, it is not asked
        assert line.startswith(f"install --prefix {place} ") and "--ignore-scripts" in line
        assert line.endswith(" ".join(making.TARGETS[name].npm))
        assert all(re.search(r".@\d+\.\d+\.\d+$", package) for package in making.TARGETS[name].npm)
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert making.install(python, tmp_path / "constraints.txt", asked) == ["ncnn"]
    assert "npm is not here" in capfd.readouterr().err


def test_a_version_that_npm_installs_is_the_one_that_an_adapter_names() -> None:
    assert making.TARGETS["onnxruntime-web"].npm == (f"onnxruntime-web@{onnxruntime_web.VERSION}",)
    assert making.TARGETS["tfjs"].npm == tuple(f"{name}@{tfjs.VERSION}" for name in tfjs.SCRIPTS)


def test_what_does_not_install_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    python = _program(tmp_path / "python", PIP.format(log=str(log)))
    _program(tmp_path / "npm" / "npm", "")
    monkeypatch.setenv("PATH", str(tmp_path / "npm"))
    came = making.install(python, tmp_path / "constraints.txt", making.TARGETS)
    assert came == [name for name in making.TARGETS if name != "xgboost"]
    assert "xgboost is left out: it does not install here" in capfd.readouterr().err
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all("constraints.txt" in line for line in lines)
    # which torch that is, is for making/install.py to say: no CUDA by accident
    assert not [line for line in lines if re.search(r"pip install .*\btorch\b", line)]
    assert any("install.py" in line for line in lines)
    assert [line for line in lines if "--no-deps" in line and "liger-kernel triton" in line]


CONFORMANCE = """
import pathlib, sys
words = sys.argv[1:]
open({log!r}, "a").write(" ".join(words) + "\\n")
if words[0] == "run" and "tract" not in words:
    pathlib.Path(words[words.index("-o") + 1]).touch()
sys.exit(3 if "tract" in words else 0)
"""


def test_what_is_there_is_asked_and_shown(tmp_path: Path) -> None:
    """One that is absent ends its run and nobody else's."""
    log = tmp_path / "log"
    conformance = _program(tmp_path / "conformance", CONFORMANCE.format(log=str(log)))
    _program(tmp_path / "devices" / "bin" / "python", "")
    out = tmp_path / "out"
    words = [str(conformance), str(tmp_path / "devices"), "constraints.txt", str(out)]
    assert making.main([*words, "loss-parallel", "sklearn", "tract"]) == 0
    *runs, report = log.read_text(encoding="utf-8").splitlines()
    assert [line.split()[2] for line in runs] == ["loss-parallel", "sklearn", "tract"]
    assert runs[0].count("--device") == len(making.RANKS) and "--device cpu[mesh=tp8]" in runs[0]
    assert report == f"report {out}/loss-parallel.parquet {out}/sklearn.parquet -o {out}.html"
    assert making.main([*words[:3], str(tmp_path / "none"), "tract"]) == 1


def test_what_quarrels_has_an_environment_of_its_own(tmp_path: Path) -> None:
    """onnxruntime-webgpu is the module onnxruntime, which another target may come to need."""
    log = tmp_path / "log"
    conformance = _program(tmp_path / "conformance", CONFORMANCE.format(log=str(log)))
    shared = str(tmp_path / "devices")
    apart = making.environment("onnxruntime-webgpu", shared)
    assert apart != shared == making.environment("ncnn", shared)
    for place in (shared, apart):
        _program(Path(place) / "bin" / "python", "")
    words = [str(conformance), shared, "constraints.txt", str(tmp_path / "out")]
    assert making.main([*words, "ncnn", "onnxruntime-webgpu"]) == 0
    *runs, _ = log.read_text(encoding="utf-8").splitlines()
    asked = {line.split()[2]: re.findall(r"--python (\S+)", line) for line in runs}
    assert asked == {
        "ncnn": [f"{shared}/bin/python"],
        "onnxruntime-webgpu": [f"{apart}/bin/python"],
    }


def test_make_calls_it_so() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "making/devices.py $(BIN)/conformance .venv/devices constraints.txt $(OUT)/devices" in makefile
    help_ = subprocess.run(["make", "-n", "report-devices"], cwd=ROOT, capture_output=True, text=True)
    assert help_.returncode == 0 and "making/devices.py" in help_.stdout
