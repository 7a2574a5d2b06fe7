"""``conformance sweep``: what it prints and writes, how it ends, and that a kill loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import conformance, invoke
from tests.support.fakes import HERE
from tests.support.living import PATIENCE, wait_for
from tests.support.paths import ROOT
from tests.support.small_run import Page, run_of, verdict
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.reports.run.file import write_run

pytestmark = pytest.mark.usefixtures("forked")

MINE = """
from tests.support import fakes_to_sweep


class Mine(fakes_to_sweep.{kind}):
    name = distribution = "mine"
"""

OF_MINE = ["sweep", "--plugin", "mine.py", "--implementation", "swept.sigmoid", "--dtype", "fp16"]

NAIVE = ["sweep", "--implementation", "numpy:sigmoid-naive", "--dtype", "half"]


def _words(text: str) -> str:
    return " ".join(text.split())


def test_a_whole_sweep_is_exhaustive_and_its_document_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = conformance(*NAIVE)
    assert "exhaustive: all 65,536 points were asked and judged" in done.output
    assert "true maximum" in done.output and "worst found" not in done.output
    told = json.loads(Path("sweep.json").read_text())
    assert told["exhaustive"] and told["word"] == "exhaustive"
    assert told["asked"]["dtype"] == "float16"
    assert not Path("sweep.json.partial").exists()
    again = json.loads(conformance(*NAIVE, "--format", "json", "-o", "-").stdout)
    assert again["parts"] == told["parts"]
    assert "wrote" not in conformance(*NAIVE, "-o", "-", "--quiet").stderr


def test_shards_are_called_partial_and_merged_they_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for i in (1, 2):
        part = conformance(*NAIVE, "--shard", f"{i}/2", "-o", f"{i}.json")
        assert "partial: 32,768 points of 65,536" in part.output
        assert "exhaustive" not in part.output and "true maximum" not in part.output
    whole = conformance("sweep", "1.json", "2.json", "-o", "whole.json")
    assert "exhaustive: all 65,536" in whole.output
    gap = conformance("sweep", "1.json", "-o", "other.json", status=3)
    assert "there is a gap" in gap.output and not Path("other.json").exists()
    Path("mine.txt").write_text("mine")
    kept = conformance("sweep", "1.json", "2.json", "-o", "mine.txt", status=2)
    assert "stays as it is" in kept.output and Path("mine.txt").read_text() == "mine"


def test_a_page_shows_what_is_exhaustive_and_refuses_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(Path("run.parquet"), run_of([verdict()]))
    conformance(*NAIVE, "-q")
    conformance("report", "run.parquet", "--sweep", "sweep.json")
    shown = " ".join(Page(Path("report.html").read_text(encoding="utf-8")).text.split())
    (at,) = [part["maximum"] for part in json.loads(Path("sweep.json").read_text())["parts"]]
    assert "Every number of float16" in shown and "all 65,536 numbers of float16 were asked" in shown
    assert f"{at['logits'][0]} ({at['bits']}) {at['got']} {at['right']}" in shown
    plain = conformance("report", "run.parquet", "-o", "-").output
    assert "Every number of" not in plain
    conformance(*NAIVE, "-q", "--shard", "1/2", "-o", "part.json")
    for wrong, words in (
        ("part.json", "is a part of a sweep"),
        ("run.parquet", "is no sweep of this version"),
    ):
        refused = conformance("report", "run.parquet", "--sweep", wrong, "-o", "other.html", status=3)
        assert words in _words(refused.output) and not Path("other.html").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--implementation", "torch.sigmod"], 2, "did you mean torch.sigmoid"),
        (["--implementation", "torch.sigmoid", "--dtype", "float64"], 2, "float64 is not swept"),
        (["--implementation", "torch.sigmoid", "--dtype", "float7"], 2, "unknown dtype"),
        (["--implementation", "torch.softmax"], 2, "pairs of float32 are 2^64"),
        (["--implementation", "torch.logsumexp"], 2, "torch.logsumexp computes logsumexp, and not any of"),
        (
            ["--implementation", "torch.sigmoid", "--operator", "softmax"],
            2,
            "computes sigmoid, and not softmax",
        ),
        (["--implementation", "torch.sigmoid", "--operator", "logsumexp"], 2, "logsumexp is not swept"),
        (["--implementation", "torch.sigmoid", "--label", "1"], 2, "sigmoid has no label"),
        (["--implementation", "torch.sigmoid", "--output", "jvp"], 2, "unknown output 'jvp'"),
        (["--implementation", "numpy:sigmoid-naive", "--output", "grad_logits"], 2, "unknown output"),
        (
            ["--implementation", "numpy:sigmoid-naive", "--dtype", "bf16"],
            2,
            "does not offer value in bfloat16",
        ),
        (["--implementation", "torch.sigmoid", "--mode", "jit"], 2, "unknown mode"),
        (["--implementation", "torch.sigmoid", "--device", "gpu"], 2, "unknown device"),
        (["--implementation", "torch.sigmoid", "--shard", "0/3"], 2, "an index and a count"),
        (["--implementation", "torch.sigmoid", "-o", "-", "--resume"], 2, "nothing to resume"),
        (["--implementation", "numpy:sigmoid-naive", "--resume"], 3, "nothing to resume"),
        (["--implementation", "numpy:sigmoid-naive", "--shard", "2000/2000"], 2, "shard 2000/2000 is empty"),
        ([], 2, "name what is swept with --implementation"),
        (["a.json", "--implementation", "torch.sigmoid"], 2, "nobody is asked"),
        (["a.json"], 3, "a.json is no sweep of this version"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_words(
    arguments: list[str], status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("sweep", *arguments)
    assert done.exit_code == status, done.output
    assert message in _words(done.output)
    assert list(tmp_path.iterdir()) == []


def _environment(tmp_path: Path) -> dict[str, str]:
    paths = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return {**os.environ, **paths, "SWEPT_FOLDER": str(tmp_path)}


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("ended", [signal.SIGKILL, signal.SIGINT])
def test_what_was_swept_before_a_kill_is_gone_on_with(tmp_path: Path, ended: signal.Signals) -> None:
    (tmp_path / "mine.py").write_text(MINE.format(kind="Slow"))
    command = [sys.executable, "-m", "xent_conformance", *OF_MINE]
    journal = tmp_path / "sweep.json.partial"
    with subprocess.Popen(
        command, cwd=tmp_path, env=_environment(tmp_path), stderr=subprocess.PIPE, text=True
    ) as first:
        try:
            wait_for((tmp_path / "hangs").exists)
            wait_for(lambda: len(journal.read_text().splitlines()) == 1 + 3)  # all before the logit 1
            first.send_signal(ended)
            _, err = first.communicate(timeout=PATIENCE)
        finally:
            first.kill()
    assert first.returncode == (130 if ended is signal.SIGINT else -signal.SIGKILL)
    assert ("add --resume to the same command" in _words(err)) is (ended is signal.SIGINT)
    assert not (tmp_path / "sweep.json").exists()
    (tmp_path / "go").touch()
    on = subprocess.run(
        [*command, "--resume"],
        cwd=tmp_path,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert on.returncode == 0, on.stderr
    assert "exhaustive: all 65,536" in on.stdout
    assert not journal.exists()


def test_an_absent_framework_is_status_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    absent = Framework("absent", "tests.support.fakes_to_sweep:Absent", "pip install absent", (HERE,))
    monkeypatch.setitem(FRAMEWORKS, "swept", absent)
    done = invoke("sweep", "--implementation", "swept.sigmoid", "--dtype", "fp16")
    assert done.exit_code == 3, done.output
    assert "No module named 'no_such_module'" in _words(done.output)
