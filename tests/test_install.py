"""What `make` installs: CUDA is never downloaded by accident, and without PyTorch's index it goes on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from making.install import CPU_INDEX, main, pinned
from tests.support.paths import ROOT

PIP = """
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "log").open("a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "index":
    more = "+cpu, 2.13.0" if "--extra-index-url" in sys.argv else ""
    print("torch (2.15.0)")
    print("Available versions: 2.15.0, " + (here / "there").read_text() + more)
sys.exit(3 if sys.argv[1] == "install" and (here / "fails").exists() else 0)
"""

CPU, CUDA = "2.13.0+cpu, 2.13.0", "2.13.0"
PINS = "numpy==2.4.6\ntorch==2.13.0\n"
NOWHERE = "file:///nowhere"


class Machine:
    """A pip that logs what it is told, and knows these versions; with PyTorch's index, a CPU build too."""

    def __init__(self, folder: Path, there: str) -> None:
        self.folder = folder
        (folder / "there").write_text(there)
        (folder / "pip.py").write_text(PIP)
        (folder / "pins.txt").write_text(PINS)

    def make(self, torch: str = "cpu", index: str = NOWHERE, *, linux: bool = True) -> int:
        words = ["--torch", torch, "--constraint", str(self.folder / "pins.txt"), "--", "--editable", "it"]
        return main(words, pip=(sys.executable, str(self.folder / "pip.py")), index=index, linux=linux)

    @property
    def installed(self) -> list[list[str]]:
        """The calls that install; nothing else downloads."""
        log = self.folder / "log"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        assert {call[0] for call in calls} <= {"index", "install"}
        return [call for call in calls if call[0] == "install"]


@pytest.fixture
def index(tmp_path: Path) -> str:
    """One that can be reached."""
    (tmp_path / "index" / "torch").mkdir(parents=True)
    return (tmp_path / "index").as_uri()


@pytest.fixture(autouse=True)
def _folders_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of a folder is reached where the folder is there."""
    monkeypatch.setattr(
        "making.install.reachable", lambda index: Path(index.removeprefix("file://"), "torch").is_dir()
    )


def test_cuda_by_accident_is_said_and_not_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path, CUDA)
    assert machine.make() == 1
    said = capsys.readouterr().err
    assert "Nothing is installed: torch==2.13.0 would come with CUDA" in said and "make TORCH=any" in said
    assert machine.installed == []


@pytest.mark.parametrize("torch", ["cpu", "any"])
def test_a_cpu_build_that_the_machine_has_is_named_whole(
    torch: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], index: str
) -> None:
    """Then nothing else is looked at, and the package registry is enough."""
    machine = Machine(tmp_path, CPU)
    assert machine.make(torch, index) == 0
    assert capsys.readouterr().out == "torch==2.13.0+cpu, a CPU build\n"
    (words,) = machine.installed
    assert words[-5:] == ["--constraint", str(tmp_path / "pins.txt"), "torch==2.13.0+cpu", "--editable", "it"]
    assert "--extra-index-url" not in words


@pytest.mark.parametrize("torch", ["cpu", "any"])
def test_pytorchs_index_is_looked_into_where_it_can_be_reached(
    torch: str, index: str, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, CUDA)
    assert machine.make(torch, index) == 0
    (words,) = machine.installed
    assert "torch==2.13.0+cpu" in words and words[words.index("--extra-index-url") + 1] == index


@pytest.mark.parametrize("torch", ["any", "cuda"])
def test_cuda_that_is_asked_for_is_said_and_installed(
    torch: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path, CUDA)
    assert machine.make(torch) == 0
    said = capsys.readouterr().out
    assert ("with CUDA, gigabytes" in said) is (torch == "any") and "torch==2.13.0" in said
    (words,) = machine.installed
    assert "torch==2.13.0" in words


def test_elsewhere_than_on_linux_what_there_is_is_a_cpu_build(tmp_path: Path) -> None:
    machine = Machine(tmp_path, CUDA)
    assert machine.make(linux=False) == 0
    (words,) = machine.installed
    assert "torch==2.13.0" in words


def test_what_pip_says_is_what_make_says(tmp_path: Path) -> None:
    machine = Machine(tmp_path, CPU)
    (tmp_path / "fails").touch()
    assert machine.make() == 3


def test_make_installs_by_it_and_the_pins_say_what_decides() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"making/install\.py --torch \$\(TORCH\) --constraint constraints\.txt -- ", makefile)
    assert re.search(r"^TORCH \?= cpu$", makefile, re.MULTILINE)
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert pinned(pins) and "making/install.py" in pins and "installs a CPU build" not in pins
    with pytest.raises(ValueError, match="do not pin torch"):
        pinned("torch>=2\n")
    assert CPU_INDEX.startswith("https://")
