"""The built suite in an environment and a repository of somebody else: all ways in lead to what is installed.

The repository has its own ``conformance``, ``reference``, ``cases`` and ``reports``; none can be imported.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import runner, shared
from tests.support.environments import environment, files
from tests.support.house import FLOORS, NAME, House
from tests.support.installed import Installed, build_options, copy_of_the_checkout, done, install
from tests.support.paths import ROOT
from tests.support.upgrading import PLUGIN
from xent_conformance.reports.run.file import read_run
from xent_conformance.version import __version__

ASKED = ("--framework", "numpy", "--operator", "softmax", "--family", "two_classes", "--dtype", "float32")

CHECK = """
import numpy
from xent_conformance import Divergence, check


def mine(x):
    e = numpy.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


asked = {"operator": "softmax", "framework": "numpy", "dtypes": "float32", "families": "two_classes"}
check(mine, **asked).raise_on_divergence()
try:
    check(lambda x: numpy.exp(x) / numpy.exp(x).sum(axis=-1, keepdims=True), **asked).raise_on_divergence()
except Divergence as divergence:
    print(divergence)
"""


@pytest.fixture(scope="session")
def theirs() -> Installed:
    return Installed(shared.once("installed", install))


@pytest.fixture(scope="session")
def run_file(theirs: Installed) -> Path:
    """A run by the module, as the README has it for workers of CI."""

    def ask(folder: Path) -> None:
        command = (str(theirs.python), "-m", NAME, "run", *ASKED, "--profile", "quick", "-o")
        (folder / "said").write_text(theirs(*command, str(folder / "run.parquet")), encoding="utf-8")

    return shared.once("installed-run", ask) / "run.parquet"


def test_the_wheel_has_every_module_and_all_data_under_one_name(theirs: Installed) -> None:
    packed = {n for n in zipfile.ZipFile(theirs.wheel).namelist() if ".dist-info/" not in n}
    names = {v: k.replace(".", "/") for k, v in FLOORS.items()}
    there = {
        f"{names[floor]}/{file.relative_to(ROOT / floor).as_posix()}"
        for floor in names
        for file in (ROOT / floor).rglob("*")
        if file.is_file() and not {"__pycache__", "published"} & set(file.parts)
    }
    assert packed == there
    assert len(House().modules) == len([n for n in there if n.endswith(".py")])


def test_what_is_theirs_cannot_be_imported(theirs: Installed) -> None:
    """Or nothing below would show anything."""
    for name in FLOORS.values():
        said = theirs(str(theirs.python), "-c", f"import {name}", status=1)
        assert f"ImportError: this {name} is theirs" in said


@pytest.mark.parametrize("name", ["conformance", "xent-conformance"])
def test_the_scripts(theirs: Installed, name: str) -> None:
    assert theirs(theirs.program(name), "--version") == f"xent-conformance {__version__}\n"
    assert "sparse_softmax_cross_entropy" in theirs(theirs.program(name), "list", "operators")


def test_a_run_its_gate_and_its_report(theirs: Installed, run_file: Path) -> None:
    said = (run_file.parent / "said").read_text(encoding="utf-8")
    assert "numpy" in said and "wrote" in said
    conformance = theirs.program("conformance")
    assert theirs(conformance, "gate", str(run_file)).startswith("gate passed")
    theirs(conformance, "report", str(run_file), "-o", "report.html")
    assert "<h1" in (theirs.repository / "report.html").read_text(encoding="utf-8")


def test_the_steps_of_the_action(theirs: Installed, tmp_path: Path) -> None:
    """Where the steps run a runner has a repository with folders of our names."""
    asked = " ".join(ASKED[2:])
    job = runner.of(tmp_path, framework="numpy", arguments=asked, python=str(theirs.python))
    assert job.run() == 0, job.log
    assert job.outputs["gate"] == {"status": "0"}
    folder = Path(job.outputs["install"]["folder"])
    assert (folder / "report.html").stat().st_size and (folder / "run.parquet").stat().st_size


def test_a_function_is_checked(theirs: Installed) -> None:
    said = theirs(str(theirs.python), "-c", CHECK)
    assert "as softmax, numpy eager cpu" in said and "clause" in said


def test_their_own_tests_run_as_before(theirs: Installed) -> None:
    """With the plug-in, which every pytest of the environment loads."""
    said = theirs(str(theirs.python), "-m", "pytest", "-v", "test_theirs.py", "-W", "error")
    assert f"plugins: {NAME.replace('_', '-')}-{__version__}" in said.replace("_", "-")
    assert re.search(r"^test_theirs.py::test_theirs PASSED", said, re.MULTILINE) and "1 passed" in said


def test_the_conformance_tests_are_collected_and_run(theirs: Installed) -> None:
    words = ("--pyargs", NAME, "--framework", "numpy", "-k", "two_classes and float32 and softmax")
    said = theirs(theirs.program("pytest"), *words, "-v", "-W", "error")
    assert "[numpy:softmax-shifted-eager-cpu-float32-softmax-value-two_classes] PASSED" in said
    assert "failed" not in said.splitlines()[-1]


def test_an_editable_installation_finds_what_is_new(tmp_path: Path) -> None:
    """A module and a package of each floor, written after it was made: nothing is installed again."""
    source, site = copy_of_the_checkout(tmp_path / "source"), tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
    done([*pip, *build_options(), "--target", site, "--editable", source], tmp_path)
    for folder in FLOORS.values():
        (source / folder / "new_package").mkdir()
        for name in ("new", "new_package/__init__", "new_package/inner"):
            (source / folder / f"{name}.py").touch()
    imported = ", ".join(f"{floor}.new, {floor}.new_package.inner" for floor in FLOORS)
    program = f"import site; site.addsitedir({str(site)!r})\nimport {imported}\nprint({NAME}.new.__file__)"
    said = done([sys.executable, "-P", "-S", "-c", program], tmp_path)
    assert said.strip() == str(source / FLOORS[NAME] / "new.py")


def test_the_action_leaves_the_environment_that_it_asks_as_it_is(theirs: Installed, tmp_path: Path) -> None:
    """The suite is in one environment, their framework in another, which has no NumPy."""
    python, _ = environment(tmp_path / "theirs")
    before = files(tmp_path / "theirs")
    asked = f"{' '.join(ASKED[2:])} --plugin {PLUGIN}"
    job = runner.of(tmp_path / "job", framework="fakeframe", arguments=asked, python=str(python))
    job.suite = str(theirs.python)
    assert job.run() == 0, job.log
    folder = Path(job.outputs["install"]["folder"])
    assert read_run(folder / "run.parquet").tested == ("fakeframe 1.0",)
    assert files(tmp_path / "theirs") == before
    kept = (tmp_path / "job" / "temp" / "zz-plugins-of-theirs.pth").read_text(encoding="utf-8")
    assert Path(kept.strip()) == next((tmp_path / "theirs").glob("lib/python*/site-packages"))


@pytest.mark.parametrize("name", ["conformance", "xent-conformance"])
def test_the_first_answer_about_another_environment(theirs: Installed, tmp_path: Path, name: str) -> None:
    """As ``uvx`` and ``pipx run`` start it: the suite in an environment of its own, the wheel its source."""
    python, _ = environment(tmp_path / "theirs")
    before = files(tmp_path / "theirs")
    words = ("fakeframe", "--plugin", PLUGIN, *ASKED[2:], "-o", str(tmp_path / "out"))
    said = theirs(theirs.program(name), *words, "--python", str(tmp_path / "theirs"))
    assert f"asking {python} (--python)" in said and "gate passed: " in said
    assert "<h1" in (tmp_path / "out" / "fakeframe-softmax-float32-two_classes.html").read_text(
        encoding="utf-8"
    )
    assert files(tmp_path / "theirs") == before
