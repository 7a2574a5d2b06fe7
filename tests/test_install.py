"""What `make` installs: CUDA is never downloaded by accident, and without PyTorch's index it goes on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from making.install import CPU_INDEX, main
from tests.support.paths import ROOT

PIP = """
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "log").open("a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if "--report" in sys.argv:
    plan = (here / "plan.json").read_text()
    pathlib.Path(sys.argv[sys.argv.index("--report") + 1]).write_text(plan)
sys.exit(int((here / "status").read_text()) if "--report" in sys.argv else 0)
"""

CPU = {"torch": "2.13.0+cpu", "numpy": "2.4.6"}
CUDA = {"torch": "2.13.0", "numpy": "2.4.6", "nvidia-nccl-cu13": "2.29.7", "cuda-toolkit": "13.0.3"}


class Installer:
    """A pip that logs what it is told and plans what it is told to."""

    def __init__(self, folder: Path, plan: dict[str, str], status: int = 0) -> None:
        self.folder = folder
        entries = [{"metadata": {"name": name, "version": version}} for name, version in plan.items()]
        (folder / "plan.json").write_text(json.dumps({"install": entries}))
        (folder / "status").write_text(str(status))
        (folder / "pip.py").write_text(PIP)
        self.words = (sys.executable, str(folder / "pip.py"))

    @property
    def installed(self) -> list[list[str]]:
        """The calls that install what was asked for."""
        calls = [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]
        return [call for call in calls if "--dry-run" not in call and not call[-1].startswith("pip")]


@pytest.fixture
def index(tmp_path: Path) -> str:
    """One that can be reached."""
    (tmp_path / "index" / "torch").mkdir(parents=True)
    return (tmp_path / "index").as_uri()


NOWHERE = "file:///nowhere"


def test_cuda_by_accident_is_said_and_not_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pip = Installer(tmp_path, CUDA)
    assert main(["--", "it"], pip.words, NOWHERE) == 1
    said = capsys.readouterr().err
    assert "torch 2.13.0 with CUDA, and for it cuda-toolkit, nvidia-nccl-cu13" in said
    assert "Nothing is installed" in said and "make TORCH=any" in said
    assert pip.installed == []


def test_a_cpu_build_is_said_and_installed_with_the_same_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without PyTorch's index too: what the machine has is enough."""
    pip = Installer(tmp_path, CPU)
    assert main(["--", "--constraint", "c.txt", "it"], pip.words, NOWHERE) == 0
    assert "2 distributions to install: torch 2.13.0+cpu, a CPU build" in capsys.readouterr().out
    (words,) = pip.installed
    assert words[-3:] == ["--constraint", "c.txt", "it"] and "--extra-index-url" not in words


@pytest.mark.parametrize(("torch", "looked"), [("cpu", True), ("any", True), ("cuda", False)])
def test_pytorchs_index_is_looked_into_where_it_can_be_reached(
    torch: str, looked: bool, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("making.install.reachable", lambda found: found == index)
    pip = Installer(tmp_path, CPU)
    assert main(["--torch", torch, "--", "it"], pip.words, index) == 0
    (words,) = pip.installed
    assert (words[-2:] == ["--extra-index-url", index]) is looked


@pytest.mark.parametrize("torch", ["any", "cuda"])
def test_cuda_that_is_asked_for_is_said_and_installed(
    torch: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pip = Installer(tmp_path, CUDA)
    assert main(["--torch", torch, "--", "it"], pip.words, NOWHERE) == 0
    assert "with CUDA" in capsys.readouterr().out and len(pip.installed) == 1


def test_what_pip_cannot_plan_is_not_installed(tmp_path: Path) -> None:
    pip = Installer(tmp_path, CPU, status=3)
    assert main(["--", "it"], pip.words, NOWHERE) == 3
    assert pip.installed == []


def test_make_installs_by_it_and_the_pins_say_what_decides() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"making/install\.py --torch \$\(TORCH\) -- --constraint constraints\.txt", makefile)
    assert re.search(r"^TORCH \?= cpu$", makefile, re.MULTILINE)
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "making/install.py" in pins and "installs a CPU build" not in pins
    assert CPU_INDEX.startswith("https://")
