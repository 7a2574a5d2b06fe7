"""Somebody else's test suite, in an environment where the plug-in happens to be installed, is left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pytest_inside import Done, run_pytest

HEAVY = {
    *("numpy", "polars", "flint", "typer", "rich", "jinja2", "ml_dtypes"),
    *("torch", "tensorflow", "jax", "keras"),
}

LIGHT = {
    "xent_conformance",
    "xent_conformance.pytesting",
    "xent_conformance.pytesting.plugin",
    "xent_conformance.version",
}
"""All that a pytest of somebody else loads of ours."""

CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--profile", action="store_true", help="time the tests")
    parser.addoption("--device", default="gpu")
"""

PLUGIN = """
def pytest_addoption(parser):
    parser.getgroup("theirs").addoption("--framework", default="django")
"""

TESTS = f"""
import sys
import warnings


def test_options(request):
    options = request.config.option
    assert (options.profile, options.device, options.framework) == (True, "gpu", "flask")
    assert options.conformance_profile is None and options.conformance_device == ["cuda"]


def test_nothing_is_loaded():
    names = {{name.partition(".")[0] for name in sys.modules}}
    assert names & {HEAVY!r} == set()
    ours = {{name for name in sys.modules if name.startswith("xent_conformance")}}
    assert ours in ({LIGHT!r}, set())


def test_fails():
    assert False


def test_warns():
    warnings.warn("theirs")
"""

INI = "[pytest]\ntestpaths = tests\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A repository with options of the names that ours have, and a tests folder."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "their_plugin.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "tests" / "test_theirs.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def outcomes(done: Done) -> list[str]:
    """The lines that say what became of each test."""
    return sorted(re.findall(r"^(?:PASSED|FAILED|ERROR) \S+", done.text, re.MULTILINE))


def test_their_options_stay_theirs(theirs: Path) -> None:
    """Of a plug-in of theirs and of a conftest, which is loaded long after us; ours have their long forms."""
    arguments = ("-rA", "-p", "their_plugin", "--profile", "--framework", "flask")
    done = run_pytest(theirs, *arguments, "--conformance-device", "cuda", path=[theirs])
    assert outcomes(done) == [
        "FAILED tests/test_theirs.py::test_fails",
        "FAILED tests/test_theirs.py::test_warns",
        "PASSED tests/test_theirs.py::test_nothing_is_loaded",
        "PASSED tests/test_theirs.py::test_options",
    ]
    assert done.status == pytest.ExitCode.TESTS_FAILED


def test_their_outcomes_are_the_same_without_us(theirs: Path) -> None:
    """Tests, their order, exit status, and every line but the one that names the plug-ins."""
    (theirs / "tests" / "test_theirs.py").write_text("def test_one(): pass\n" + TESTS, encoding="utf-8")
    arguments = ("-v", "-p", "their_plugin", "--deselect", "tests/test_theirs.py::test_options")
    lines = []
    for plugged in (False, True):
        done = run_pytest(theirs, *arguments, path=[theirs], plugged=plugged)
        assert done.status == pytest.ExitCode.TESTS_FAILED
        told = re.sub(r" in [\d.]+s", "", done.text).splitlines()
        lines.append([line for line in told if not line.startswith("plugins:")])
    assert lines[0] == lines[1]


def test_the_plug_in_is_named_and_its_options_are_in_the_help(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--help")
    assert done.status == 0
    for option in ("profile", "device", "framework", "waivers", "no-known-waivers", "fail-on"):
        assert re.search(rf"^  --conformance-{option}\b", done.text, re.MULTILINE)
        assert re.search(rf"^  --{option}\b", done.text, re.MULTILINE)
    assert "--conformance-run" in done.text and not re.search(r"^  --run[ =]", done.text, re.M)


def test_nothing_but_pytest_is_imported(tmp_path: Path) -> None:
    """Of the plug-in itself and of the module that a collection of ours imports first."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    before = set(sys.modules)\n"
        "    assert 'xent_conformance.pytesting.plugin' in before\n"
        "    import xent_conformance.pytesting.test_frameworks\n"
        f"    names = {{name.partition('.')[0] for name in sys.modules}}\n"
        f"    assert names & {HEAVY!r} == set()\n"
        "    ours = {name for name in sys.modules if name.startswith('xent_conformance')}\n"
        f"    assert ours - {LIGHT!r} == {{'xent_conformance.pytesting.test_frameworks'}}\n",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, "-q", "-W", "error")
    assert done.status == 0, done.text


def test_long_and_short_forms_are_the_same_options(tmp_path: Path) -> None:
    """Where nobody else has the short ones; each may be repeated, and mixed."""
    (tmp_path / "test_it.py").write_text(
        "from xent_conformance.pytesting.plugin import Options\n"
        "def test_it(request):\n"
        "    assert Options.of(request.config) == Options(\n"
        "        frameworks=('torch', 'jax'), devices=('cuda',), profile='full', waivers=('a', 'b'),\n"
        "        known_waivers=False, fail_on=frozenset({'should'}), run='r', plugins=('p',))\n",
        encoding="utf-8",
    )
    short = "--framework torch --device cuda --profile full --waivers a --no-known-waivers --fail-on should"
    long = "--conformance-framework jax --conformance-waivers b --conformance-run r --conformance-plugin p"
    done = run_pytest(tmp_path, "-q", *short.split(), *long.split())
    assert done.status == 0, done.text


def test_what_can_be_failed_on_is_told(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--fail-on", "drift")
    assert done.status == pytest.ExitCode.USAGE_ERROR
    assert "invalid choice: 'drift'" in done.text


@pytest.mark.parametrize(
    "option", ["--conformance-run", "--waivers", "--conformance-waivers", "--conformance-plugin"]
)
def test_a_file_of_ours_does_not_move_the_root_of_their_tests(option: str, tmp_path: Path) -> None:
    """Written with a space pytest takes it for a place of tests, before it knows any option of ours."""
    here, there = tmp_path / "project", tmp_path / "elsewhere"
    (here / "tests").mkdir(parents=True)
    there.mkdir()
    (here / "pytest.ini").write_text("[pytest]\naddopts = -rA\n")
    (here / "tests" / "test_theirs.py").write_text(
        "from pathlib import Path\n"
        "def test_root(pytestconfig): assert pytestconfig.rootpath == Path(__file__).parents[1]\n"
    )
    (there / "pytest.ini").write_text("[pytest]\n")
    file = there / "file"
    file.touch()
    moved = run_pytest(here, option, str(file))
    assert (
        moved.status == 4
        and "write it with an equals sign, as in --conformance-run=RUN.parquet" in moved.text
    )
    whole = run_pytest(here, f"{option}={file}")
    assert whole.status == 0 and "PASSED" in whole.text
    # where nothing is moved a space does no harm
    (here / "file").touch()
    assert run_pytest(here, option, "file", "tests").status == 0
