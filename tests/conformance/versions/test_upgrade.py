"""``conformance upgrade`` and ``conformance matrix`` from the command line, with versions made here."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.paths import ROOT
from tests.support.upgrading import (
    DRIFTED,
    PLUGIN,
    RIGHT,
    WORSE,
    WRONG,
    bare_interpreter,
    fake_uv,
    framework,
    interpreter,
    told,
)
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import read_run

OLD, NEW = "fakeframe==1.0", "fakeframe==2.0"
SMALL = ["--profile", "quick", "--dtype", "float32", "--family", "two_classes", "--plugin", PLUGIN]


@pytest.fixture(autouse=True)
def _alone(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The one framework there is comes by ``--plugin``; files and caches stay in a folder of the test."""
    install()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("xent_conformance.discovery.plugins.entry_points", list)
    yield
    FRAMEWORKS.pop("fakeframe", None)


def _refused(*arguments: str, status: int) -> str:
    return " ".join(conformance(*arguments, status=status).stderr.split())


def _pythons(folder: Path, old: float, new: float) -> list[str]:
    """The options that name an interpreter for each side."""
    sides = {"OLD": interpreter(folder, "1.0", old), "NEW": interpreter(folder, "2.0", new)}
    return [w for name, path in sides.items() for w in ("--python", f"{name}={path}")]


def _kept(folder: str | Path, version: str) -> Path:
    """The one run file of a version in a folder."""
    (found,) = Path(folder).glob(f"fakeframe-{version}-quick-*.parquet")
    return found


# --- decisions ---


def test_a_version_that_regresses_fails_and_the_last_line_shows_it_again(tmp_path: Path) -> None:
    python = _pythons(tmp_path, RIGHT, WRONG)
    text = conformance("upgrade", OLD, NEW, *SMALL, *python, "--no-known", status=FAILED).stdout
    assert text.startswith("gate failed: fakeframe.softmax value: less accurate: "), "before all else"
    assert text.count("gate failed: ") == 1
    assert "against: fakeframe 1.0" in text and "tested: fakeframe 2.0" in text
    again = shlex.split(text.splitlines()[-1])
    assert again[:4] == ["conformance", "upgrade", OLD, NEW]
    assert again[again.index("--family") + 1] == "two_classes"
    assert again[again.index("--implementation") + 1] == "fakeframe.softmax"
    before = {file.name: file.read_bytes() for file in Path("upgrade").iterdir()}
    shown = conformance(*again[1:], status=FAILED).stdout
    assert "fakeframe.softmax value: less accurate: " in shown
    assert "fakeframe.other_softmax" not in shown
    after = {file.name: file.read_bytes() for file in Path("upgrade").iterdir()}
    assert before.items() <= after.items() and len(after) == 4, "the reproduction lies beside what it repeats"


def test_a_version_that_fixes_passes(tmp_path: Path) -> None:
    text = conformance("upgrade", OLD, NEW, *SMALL, *_pythons(tmp_path, WORSE, RIGHT)).stdout
    assert text.startswith("gate passed") and " fixed" in text
    old, new = (read_run(_kept("upgrade", version)) for version in ("1.0", "2.0"))
    assert {f["version"] for f in old.header["frameworks"]} == {"1.0"}
    assert set(new.verdicts["version"]) == {"2.0"}


def test_the_same_faults_on_both_sides_break_what_is_absolute(tmp_path: Path) -> None:
    """A must clause that was broken before is broken now: no worse, so it is told; who is strict fails."""
    python = _pythons(tmp_path, WRONG, WRONG)
    text = conformance("upgrade", OLD, NEW, *SMALL, *python).stdout
    assert "fakeframe 2.0 after fakeframe 1.0: no verdict is worse" in text and "broken as before" in text
    conformance("upgrade", OLD, NEW, *SMALL, *python, "--fail-on", "strict", status=FAILED)


def test_a_python_is_named_by_a_pin(tmp_path: Path) -> None:
    pythons = {pin: interpreter(tmp_path, pin[-3:], RIGHT) for pin in (OLD, NEW)}
    words = [word for pin, path in pythons.items() for word in ("--python", f"{pin}={path}")]
    assert conformance("upgrade", OLD, NEW, *SMALL, *words).stdout.startswith("gate passed")


def test_how_a_python_is_named_is_told() -> None:
    """In the help and on the page, with the two pins, which stay."""
    told = " ".join(re.sub(r"[^-\w.,=: ]", " ", conformance("upgrade", "--help").stdout).split())
    assert "jax==0.9.2 jax==0.10.2 --python OLD=PATH --python NEW=PATH" in told
    page = (ROOT / "docs" / "GATE.md").read_text(encoding="utf-8")
    assert "upgrade 'jax==0.9.2' 'jax==0.10.2' --python OLD=.venv-old/bin/python --python NEW=" in page


def test_drift_fails_where_it_is_asked_to(tmp_path: Path) -> None:
    python = _pythons(tmp_path, RIGHT, DRIFTED)
    conformance("upgrade", OLD, NEW, *SMALL, *python)
    text = conformance("upgrade", OLD, NEW, *SMALL, *python, "--fail-on", "drift", status=FAILED).stdout
    assert "drifted" in text and text.splitlines()[-1].endswith("--fail-on drift")


def test_what_it_writes(tmp_path: Path) -> None:
    files = ["--html", "v.html", "--markdown", "v.md", "--json", "v.json", "-o", "kept"]
    python = _pythons(tmp_path, RIGHT, WRONG)
    text = conformance("upgrade", OLD, NEW, *SMALL, *python, *files, status=FAILED).stdout
    assert f"run files are in kept; side by side: conformance compare {_kept('kept', '1.0')}" in text
    assert all(f"wrote v.{kind}" in text for kind in ("html", "md", "json"))
    told = json.loads((tmp_path / "v.json").read_text())
    assert told["gate"]["status"] == FAILED and told["comparison"]["counts"]["regressed"] > 0
    assert told["versions"]["versions"] == ["1.0", "2.0"]
    assert all(r["command"].startswith("conformance upgrade") for r in told["gate"]["reasons"])
    assert "fakeframe 1.0" in (tmp_path / "v.md").read_text()
    assert "beyond the stable bound" in (tmp_path / "v.html").read_text()
    compared = conformance("compare", _kept("kept", "1.0"), _kept("kept", "2.0")).stdout
    assert "regressed" in compared


def test_no_path_of_this_machine_is_in_a_run_file(tmp_path: Path) -> None:
    """But for the plug-in, which is named by its path."""
    conformance("upgrade", OLD, NEW, *SMALL, *_pythons(tmp_path, RIGHT, RIGHT))
    header = read_run(_kept("upgrade", "1.0")).header
    assert str(tmp_path) not in json.dumps(header)
    (worker,) = header["frameworks"]
    assert worker["environment"]["python"].startswith("3.")


# --- environments that are made ---


def test_environments_are_made_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    framework(tmp_path, "1.0")
    framework(tmp_path, "2.0", WRONG)
    monkeypatch.setenv("PATH", str(fake_uv(tmp_path)), prepend=os.pathsep)
    command = ["upgrade", OLD, NEW, *SMALL, "--with", "numpy<3"]
    result = conformance(*command, status=FAILED)
    assert "making an environment with fakeframe==1.0, ml-dtypes>=0.3, numpy<3, numpy>=1.26" in result.stderr
    assert "asking fakeframe: fakeframe==2.0" in result.stderr
    assert "--with 'numpy<3'" in result.stdout.splitlines()[-1]
    calls = len(told(tmp_path))
    assert calls == 6
    conformance(*command, status=FAILED)
    assert len(told(tmp_path)) == calls
    kept = list((tmp_path / "cache" / "xent-conformance" / "environments").glob("*/complete.json"))
    assert len(kept) == 2


def test_a_version_that_cannot_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    framework(tmp_path, "1.0")
    monkeypatch.setenv("PATH", str(fake_uv(tmp_path)), prepend=os.pathsep)
    words = _refused("upgrade", OLD, NEW, *SMALL, status=EVIDENCE)
    assert "No solution found: there is no fakeframe==2.0" in words
    assert "or give interpreters that you made yourself, with --python" in words
    assert not (tmp_path / "upgrade").exists(), "nothing is asked before all versions are there"


# --- what cannot be asked ---


def test_absent(tmp_path: Path) -> None:
    python = [
        "--python",
        f"OLD={interpreter(tmp_path, '1.0')}",
        "--python",
        f"NEW={bare_interpreter(tmp_path)}",
    ]
    words = _refused("upgrade", OLD, NEW, *SMALL, *python, status=EVIDENCE)
    assert "fakeframe==2.0: fakeframe does not start under" in words
    assert "No module named 'fakeframe'; install fakeframe==2.0 numpy ml_dtypes" in words
    assert "or leave --python out" in words
    assert not (tmp_path / "upgrade").exists()


def test_another_version_than_was_named(tmp_path: Path) -> None:
    python = [
        *("--python", f"OLD={interpreter(tmp_path, '1.0')}"),
        *("--python", f"2.0={interpreter(tmp_path, '2.0', says='1.9')}"),
    ]
    words = _refused("upgrade", OLD, NEW, *SMALL, *python, status=EVIDENCE)
    assert "fakeframe==2.0: under" in words
    assert "there is fakeframe 1.9; name the version that is there, or another interpreter" in words


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        (["pytorch==1", "pytorch==2"], "no framework is the distribution 'pytorch'; there are fakeframe."),
        (
            ["fakeframe>=1", NEW],
            "'fakeframe>=1' is not one exact version; write NAME==VERSION, as in fakeframe==",
        ),
        (["fakeframe==1.*", NEW], "is not one exact version"),
        (["fakeframe", NEW], "is not one exact version"),
        (["OLD", "NEW"], "'OLD' names a version in --python alone; write the version itself, and its Python"),
        ([OLD, "new"], "'jax==0.9.2' 'jax==0.10.2' --python OLD=PATH --python NEW=PATH"),
        (["?", NEW], "'?' is no requirement; write NAME==VERSION"),
        ([NEW, NEW], "fakeframe==2.0 is named twice; two builds of one version are compared by"),
        ([OLD, "other==2"], "fakeframe and other are different distributions; --framework says whose"),
    ],
)
def test_versions_that_cannot_be_compared(pins: list[str], message: str) -> None:
    assert message in _refused("upgrade", *pins, *SMALL, status=USAGE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--framework", "pytorch"], "unknown framework 'pytorch': there are fakeframe"),
        (["--python", "/bin/sh"], "--python /bin/sh: write NAME=/path/to/python"),
        (["--python", "3.0=/bin/sh"], "--python 3.0=…: there is no 3.0; name OLD, NEW, 1.0, 2.0"),
        (["--python", "fakeframe==3.0=/bin/sh"], "there is no fakeframe==3.0; name OLD, NEW, 1.0, 2.0"),
        (
            ["--python", "OLD=/bin/sh", "--python", f"{OLD}=/bin/ls"],
            "--python fakeframe==1.0=…: fakeframe==1.0 has an interpreter already, by OLD=…",
        ),
        (["--operator", "softmx"], "did you mean softmax"),
        (["--waivers", "gone.toml"], "gone.toml"),
        (["--fail-on", "noise"], "'noise' is not one of 'should',"),
        (["--html", "x", "--json", "x"], "--json x: that file is written (--html) by the same command"),
    ],
)
def test_options_that_cannot_be_met(options: list[str], message: str, tmp_path: Path) -> None:
    assert message in _refused("upgrade", OLD, NEW, *SMALL, *options, status=USAGE)
    assert not (tmp_path / "upgrade").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "upgrade").touch()
    words = _refused("upgrade", OLD, NEW, *SMALL, *_pythons(tmp_path, RIGHT, RIGHT), status=EVIDENCE)
    assert "error: " in words and "upgrade" in words


# --- matrix ---


def _matrix(folder: Path, *more: str, status: int = 0) -> Result:
    python = [
        *("--python", f"1.0={interpreter(folder, '1.0', RIGHT)}"),
        *("--python", f"2.0={interpreter(folder, '2.0', WRONG)}"),
        *("--python", f"10.0={interpreter(folder, '10.0', DRIFTED)}"),
    ]
    return conformance("matrix", "fakeframe==10.0", OLD, NEW, *SMALL, *python, *more, status=status)


def test_matrix(tmp_path: Path) -> None:
    result = _matrix(tmp_path, "--html", "m.html", "--json", "m.json")
    text = result.stdout
    assert text.index("1.0 ") < text.index("2.0 ") < text.index("10.0 ")
    assert "fakeframe.softmax value: beyond the stable bound; new in 2.0, gone in 10.0" in text
    assert "fakeframe.naive" not in text
    assert "run files are in matrix" in text and "wrote m.html" in text
    assert "<td>2.0</td><td>10.0</td>" in (tmp_path / "m.html").read_text()
    told = json.loads((tmp_path / "m.json").read_text())
    assert told["versions"] == ["1.0", "2.0", "10.0"]
    assert shlex.split(told["command"])[:5] == ["conformance", "matrix", "fakeframe==10.0", OLD, NEW]
    assert len(list((tmp_path / "matrix").iterdir())) == 3
    assert all(_kept("matrix", version).is_file() for version in ("1.0", "2.0", "10.0"))


def test_matrix_of_one_version() -> None:
    assert "one version is nothing to compare; name two or more" in _refused(
        "matrix", OLD, *SMALL, status=USAGE
    )


def test_matrix_knows_no_old_and_new_of_three(tmp_path: Path) -> None:
    words = _refused("matrix", OLD, NEW, "fakeframe==3", *SMALL, "--python", "OLD=/bin/sh", status=USAGE)
    assert "there is no OLD; name 1.0, 2.0, 3" in words


# --- one framework under another Python ---


def test_run_under_another_python(tmp_path: Path) -> None:
    python = interpreter(tmp_path, "1.5")
    conformance("run", *SMALL, "--framework", "fakeframe", "--python", f"fakeframe={python}")
    run = read_run(tmp_path / "run.parquet")
    assert set(run.verdicts["version"]) == {"1.5"} and run.complete


def test_an_interpreter_for_what_is_not_asked(tmp_path: Path) -> None:
    words = _refused("run", *SMALL, "--python", "torch=/bin/sh", status=USAGE)
    assert "unknown framework 'torch'" in words
