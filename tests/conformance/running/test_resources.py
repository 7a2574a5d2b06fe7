"""A full disk, a cache that is none, a home that is none: told in a line, nothing lost, no wrong answer.

The limits are the system's own: a process may write no larger file, and there is no folder where a file is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.living import PATIENCE
from tests.support.paths import ROOT
from xent_conformance.reports.run.file import read_run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such limits")

PLUGIN = """
from tests.support.fakes import {kind} as Kind

class Mine(Kind):
    name = "mine"
    distribution = "mine"
"""

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--framework", "mine"]
FAMILIES = ["--family", "two_classes", "--family", "special_values"]

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv[1:] = sys.argv[2:]
from xent_conformance.running import desk
desk.VERDICTS = 1  # a part of the journal for each batch
from xent_conformance.__main__ import main
main()
"""


def _run(
    folder: Path, *words: str, largest: int = 1 << 30, kind: str = "OneUlpOff", **variables: str
) -> subprocess.CompletedProcess[str]:
    """A run in that folder; no file of it may have more than so many bytes."""
    (folder / "mine.py").write_text(PLUGIN.format(kind=kind))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [
            sys.executable,
            "-c",
            LIMITED,
            str(largest),
            "run",
            "--plugin",
            "mine.py",
            *SMALL,
            *FAMILIES,
            *words,
        ],
        cwd=folder,
        env={k: v for k, v in (environment | variables).items() if v},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _told(done: subprocess.CompletedProcess[str], status: int) -> str:
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing limits."""
    folder = tmp_path_factory.mktemp("whole")
    _told(_run(folder), 0)
    return folder / "run.parquet"


@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_full_disk_loses_nothing(share: float, whole: Path, tmp_path: Path) -> None:
    """Full while the journal is written, or when the run file is: the same command goes on."""
    part = 25_000
    largest = part if share < 0.5 else int(whole.stat().st_size * share)
    told = _told(_run(tmp_path, largest=largest), 3)
    assert "cannot be written: File too large" in told
    assert not (tmp_path / "run.parquet").exists(), "nothing half written"
    kept = list((tmp_path / "run.parquet.partial").glob("part-*.parquet"))
    assert ("add --resume to the same command to go on" in told) is bool(kept)
    _told(_run(tmp_path, *(["--resume"] if kept else [])), 0)
    assert read_run(tmp_path / "run.parquet").verdicts.equals(read_run(whole).verdicts)
    assert not (tmp_path / "run.parquet.partial").exists()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"XDG_CACHE_HOME": "{folder}/mine.py"},
            "cannot be written (Not a directory): what is certified is not",
        ),
        ({"XDG_CACHE_HOME": "", "HOME": "~"}, ""),
    ],
    ids=["a cache that is none", "no home"],
)
def test_a_run_goes_on_without_a_cache(
    variables: dict[str, str], told: str, whole: Path, tmp_path: Path
) -> None:
    named = {name: value.format(folder=tmp_path) for name, value in variables.items()}
    said = _told(_run(tmp_path, **named), 0)
    assert told in said and ("warning:" in said) is bool(told)
    assert read_run(tmp_path / "run.parquet").verdicts.equals(read_run(whole).verdicts)
    assert not (tmp_path / "~").exists(), "nothing is kept in a folder of that name"
