"""Capture: the call that is wanted, in its bits, from Python and of a script; words where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.capturing import needs, only, x32
from tests.support.cli import conformance
from tests.support.later import Later
from tests.support.paths import ROOT
from xent_conformance import capture, read_run
from xent_conformance.capturing.capture import NothingCaptured
from xent_conformance.cases.outside.files import read_file
from xent_conformance.commands.line import EVIDENCE, USAGE

if TYPE_CHECKING:
    import torch
else:
    torch = Later("torch")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.json"


# --- which call ---------------------------------------------------------------------------------------------


@needs("torch")
def test_the_call_that_is_wanted(path: Path) -> None:
    x = x32(1, 3)
    with capture(path, framework="torch", call=2):
        torch.softmax(x, 1)
        torch.log_softmax(x, 1)
        torch.sigmoid(x)
    assert only(path).operator.name == "log_softmax"


@needs("torch")
def test_the_first_that_is_not_finite(path: Path) -> None:
    x = x32(1, 3)
    with capture(path, framework="torch", when="nonfinite"):
        torch.softmax(x, 1)
        x[0, 0] = float("nan")
        torch.log_softmax(x, 1)
        torch.sigmoid(x)
    call = only(path)
    assert call.operator.name == "log_softmax" and np.isnan(call.logits[0, 0]) and call.id == "call2"


@needs("torch")
def test_a_call_that_raises_is_one_too(path: Path) -> None:
    with (
        pytest.raises((IndexError, RuntimeError)),
        capture(path, framework="torch", when="nonfinite"),
    ):
        torch.nn.functional.cross_entropy(x32(2, 3), torch.tensor([0, 3]))
    assert only(path).labels is not None


@needs("torch")
def test_what_is_written_is_what_was_given(path: Path) -> None:
    """Not what became of it: a result may be written over its argument."""
    x = x32(1, 3)
    before = x.clone().numpy()
    with capture(path, framework="torch"):
        torch.sigmoid(x, out=x)
    assert np.array_equal(only(path).logits, before) and not np.array_equal(before, x.numpy())


@needs("torch")
def test_everything_is_as_it_was_afterwards(path: Path) -> None:
    functional = torch.nn.functional
    before = functional.cross_entropy, torch.softmax, functional.softmax
    with pytest.raises(NothingCaptured), capture(path, framework="torch"):
        assert functional.cross_entropy is not before[0]
    assert (functional.cross_entropy, torch.softmax, functional.softmax) == before
    assert not path.exists()


@needs("torch")
def test_a_name_that_was_imported_before_is_watched(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ModuleType("mine_before")
    mine.loss = torch.nn.functional.cross_entropy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mine_before", mine)
    with capture(path, framework="torch"):
        mine.loss(x32(2, 3), torch.tensor([0, 1]))
    assert only(path).n == 3


@needs("torch")
def test_a_file_of_a_family_s_name_has_another(tmp_path: Path) -> None:
    with capture(tmp_path / "ordinary.json", framework="torch"):
        torch.sigmoid(x32(3))
    assert read_file(tmp_path / "ordinary.json").name == "captured_ordinary"


# --- the command --------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from torch.nn.functional import cross_entropy
import torch
import beside
print("given", sys.argv[1:], __name__)
for step in range(5):
    x = torch.full((2, 3), float(step), dtype=torch.bfloat16)
    if step == 3:
        x[0, 0] = float("inf")
    try:
        cross_entropy(x, torch.tensor([0, 1]))
    except Exception:
        print("swallowed")
print("the end")
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").write_text("", encoding="utf-8")
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path / "train.py"


@needs("torch")
def test_a_script_is_run_until_the_call(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv, search = list(sys.argv), list(sys.path)
    found = conformance("capture", "--when", "nonfinite", "-o", "b.json", "train.py", "--when", "x", "-o")
    assert (sys.argv, sys.path) == (argv, search)
    assert "given ['--when', 'x', '-o'] __main__" in found.stdout, "what stands after its name is its own"
    assert "the end" not in found.stdout and "swallowed" not in found.stdout
    said = "captured call 4 of torch.nn.functional.cross_entropy in train.py: wrote b.json"
    assert said in found.stdout
    assert "ask it with: conformance run --cases b.json --framework torch" in found.stdout
    assert np.isposinf(only(Path("b.json")).logits[0, 0])


@needs("torch")
def test_a_call_is_captured_to_standard_output_and_nothing_else_is_printed_there(script: Path) -> None:
    found = conformance("capture", "--when", "nonfinite", "-o", "-", "train.py", "--when", "x", "-o")
    assert json.loads(found.stdout)["schema"] == 1
    assert "__main__" in found.stderr and "captured call 4 of" in found.stderr
    assert sorted(p.name for p in script.parent.iterdir() if p.is_file()) == ["beside.py", "train.py"]


@needs("torch")
def test_what_its_processes_print_does_not_go_there_either(script: Path) -> None:
    told = """
import ctypes, os
os.system("echo of-a-child")
os.write(1, b"of-a-number")
ctypes.CDLL(None).printf(b"of-C")
"""
    script.write_text(told + script.read_text(encoding="utf-8"), encoding="utf-8")
    words = [sys.executable, "-m", "xent_conformance", "capture", "--call", "2", "-o", "-", "train.py"]
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}  # by which C keeps nothing too
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=plain)
    assert json.loads(done.stdout)["schema"] == 1
    assert "of-a-child" in done.stderr and "of-a-number" in done.stderr and "of-C" in done.stderr


@needs("torch")
def test_what_is_captured_is_asked(script: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the line that is printed, and the answer is the one that was wrong."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    conformance("capture", "--call", "2", "-o", "b.json", "train.py")
    conformance(
        "run", "--cases", "b.json", "--framework", "torch", "--profile", "quick",
        "--implementation", "torch.nn.functional.cross_entropy:indices",
    )  # fmt: skip
    run = read_run("run.parquet")
    assert set(run.verdicts["status"]) == {"conforms"} and set(run.verdicts["dtype"]) == {"bfloat16"}
    (row,) = run.verdicts.filter(output="value").iter_rows(named=True)
    assert row["case"] == "sparse_softmax_cross_entropy/b/call2/bfloat16/n3/r0"
    assert row["rounded"] == 1.1015625, "log 3 in bfloat16"


@needs("torch")
def test_a_script_that_calls_nothing(script: Path) -> None:
    script.write_text("raise SystemExit(0)\n", encoding="utf-8")
    said = conformance("capture", "train.py", status=EVIDENCE).stderr
    assert "nothing is captured: none of the functions that are watched was called" in " ".join(said.split())
    assert not Path("captured.json").exists()


@needs("torch")
@pytest.mark.parametrize("error", ["1 / 0", "raise ValueError('mine')", "import nowhere_to_be_found"])
def test_a_script_that_fails(error: str, script: Path) -> None:
    script.write_text(f"{error}\n", encoding="utf-8")
    said = conformance("capture", "train.py", status=EVIDENCE).stderr
    assert "train.py" in said and "the script ended with an error, before the call was captured" in said


def test_wrong_usage(script: Path) -> None:
    assert "none.py: no such script" in conformance("capture", "none.py", status=USAGE).stderr
    said = conformance("capture", "--framework", "numpy", "train.py", status=USAGE).stderr
    assert "calls of 'numpy' are not watched" in said


@needs("torch")
def test_the_file_is_one_case_a_line(script: Path) -> None:
    conformance("capture", "-o", "b.json", "train.py")
    text = Path("b.json").read_text(encoding="utf-8")
    assert json.loads(text)["schema"] == 1 and len(text.splitlines()) == 8
    assert str(ROOT) not in text and str(script.parent) not in text, "no path of a machine is in it"
