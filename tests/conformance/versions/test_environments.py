"""Environments: made once, found again, made anew when torn, never left half-made."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.support.upgrading import fake_uv, framework, interpreter, script, told
from xent_conformance.versions import environments
from xent_conformance.versions.environments import (
    RECORD,
    EnvironmentNotMade,
    default_folder,
    environment_for,
    named_interpreters,
)

PIN = "fakeframe==1.0"


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Version 1.0 can be installed, by a fake uv that is first on the path."""
    framework(tmp_path, "1.0")
    monkeypatch.setenv("PATH", str(fake_uv(tmp_path)), prepend=os.pathsep)
    return tmp_path


def _made(uv: Path, *requirements: str, said: list[str] | None = None) -> Path:
    say = (lambda _: None) if said is None else said.append
    return environment_for(requirements or (PIN,), folder=uv / "kept", say=say)


def _homes(uv: Path) -> list[Path]:
    return [p for p in (uv / "kept").iterdir() if p.is_dir()]


def test_made_with_what_a_worker_needs(uv: Path) -> None:
    said: list[str] = []
    python = _made(uv, said=said)
    assert python.is_file() and os.access(python, os.X_OK)
    venv, install, freeze = told(uv)
    assert venv.startswith(f"venv --quiet --python {sys.executable} ")
    assert install == f"pip install --quiet --python {python} fakeframe==1.0 ml-dtypes>=0.3 numpy>=1.26"
    assert freeze == f"pip freeze --python {python}"
    assert said == [
        "making an environment with fakeframe==1.0, ml-dtypes>=0.3, numpy>=1.26 (once; it is kept)"
    ]
    record = json.loads((python.parents[1] / RECORD).read_text())
    assert record["requirements"] == ["fakeframe==1.0", "ml-dtypes>=0.3", "numpy>=1.26"]
    assert record["installed"] == ["fakeframe==9.9", "numpy==2.0.0"]


def test_the_same_requirements_are_the_same_environment(uv: Path) -> None:
    said: list[str] = []
    first = _made(uv, PIN, "numpy<2")
    calls = len(told(uv))
    assert _made(uv, "numpy < 2", "FakeFrame == 1.0", said=said) == first
    assert len(told(uv)) == calls and said == []


def test_other_requirements_are_another(uv: Path) -> None:
    assert _made(uv) != _made(uv, PIN, "numpy<2")
    assert len(_homes(uv)) == 2


def test_another_python_is_another(uv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _made(uv)
    monkeypatch.setattr(environments.platform, "python_version", lambda: "3.99.0")
    assert _made(uv) != first


@pytest.mark.parametrize("lost", [RECORD, "bin/python"])
def test_a_torn_one_is_made_anew(uv: Path, lost: str) -> None:
    home = _made(uv).parents[1]
    (home / "left over").touch()
    (home / lost).unlink()
    python = _made(uv)
    assert python.is_file() and (home / RECORD).is_file() and not (home / "left over").exists()


def test_a_failing_install_says_why_and_leaves_nothing(uv: Path) -> None:
    with pytest.raises(EnvironmentNotMade) as caught:
        _made(uv, "fakeframe==7.0")
    words = str(caught.value)
    assert words.startswith("`uv pip install …` ended with status 1:\n")
    assert "No solution found: there is no fakeframe==7.0" in words
    assert "check that fakeframe==7.0, ml-dtypes>=0.3, numpy>=1.26 exist together for Python 3." in words
    assert words.endswith("or give interpreters that you made yourself, with --python")
    assert _homes(uv) == []


def test_of_a_long_story_the_last_lines_are_told(uv: Path) -> None:
    fake_uv(uv, install="for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; exit 4")
    with pytest.raises(EnvironmentNotMade, match="ended with status 4") as caught:
        _made(uv)
    assert "line 4\n" in str(caught.value) and "line 3" not in str(caught.value)


def test_an_endless_line_is_cut(uv: Path) -> None:
    fake_uv(uv, install=f"echo {'x' * 1000}; exit 4")
    with pytest.raises(EnvironmentNotMade) as caught:
        _made(uv)
    assert f"{'x' * 300} …" in str(caught.value) and "x" * 301 not in str(caught.value)


def test_an_interruption_leaves_nothing(uv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        (*_homes_of(uv),)[0].mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(environments, "_call", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _made(uv)
    assert _homes(uv) == []


def _homes_of(uv: Path) -> list[Path]:
    """Where the environment would be: beside its lock."""
    return [p.with_suffix("") for p in (uv / "kept").glob("*.lock")]


def test_two_at_once_make_one(uv: Path) -> None:
    fake_uv(uv, slow="1")
    said: list[str] = []
    threads = [threading.Thread(target=lambda: _made(uv, said=said)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [line.split()[0] for line in told(uv)] == ["venv", "pip", "pip"]
    assert "waiting for another process that makes the same environment" in said


@pytest.mark.parametrize("text", ["jax=0.9", "=="])
def test_what_is_no_requirement_is_refused(uv: Path, text: str) -> None:
    with pytest.raises(
        EnvironmentNotMade, match=r"is no requirement .*; write it as pip takes it, as in 'jax=="
    ):
        _made(uv, text)
    assert told(uv) == []


# --- without uv ---

_PYTHON = """
echo "$@" >> "{log}"
case "$*" in
"-m venv "*) {venv} mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
*" freeze") echo "fakeframe==1.0";;
esac
"""


def _without_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, venv: str = "") -> None:
    python = script(folder / "python", _PYTHON.format(log=folder / "uv.log", venv=venv))
    monkeypatch.setattr(environments.sys, "executable", str(python))
    monkeypatch.setattr(environments.shutil, "which", lambda _: None)


def test_venv_and_pip_do_without_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_uv(tmp_path, monkeypatch)
    python = _made(tmp_path)
    assert told(tmp_path) == [
        f"-m venv {python.parents[1]}",
        "-m pip --disable-pip-version-check --no-input install --quiet "
        "fakeframe==1.0 ml-dtypes>=0.3 numpy>=1.26",
        "-m pip --disable-pip-version-check --no-input freeze",
    ]


def test_without_ensurepip_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_uv(tmp_path, monkeypatch, venv="echo ensurepip is not available; exit 1;")
    with pytest.raises(EnvironmentNotMade) as caught:
        _made(tmp_path)
    words = str(caught.value)
    assert "`python -m venv …` ended with status 1:" in words and "ensurepip is not available" in words
    assert "`apt install python3-venv`" in words and "install uv instead" in words


# --- where, and what is there already ---


def test_they_are_kept_in_the_cache_of_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "xent-conformance" / "environments"


def test_named_interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = interpreter(tmp_path, "1.0")
    assert named_interpreters([f"jax={path}"]) == {"jax": path}
    assert named_interpreters([f"jax==0.10.2={path}"]) == {"jax==0.10.2": path}
    monkeypatch.chdir(tmp_path)
    assert named_interpreters(["OLD=./python-1.0"]) == {"OLD": path}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert named_interpreters(["OLD=python-1.0"]) == {"OLD": path}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["/usr/bin/python"], "--python /usr/bin/python: write NAME=/path/to/python"),
        (["=/usr/bin/python"], "write NAME=/path/to/python"),
        (["jax="], "write NAME=/path/to/python"),
        (["jax==0.10.2"], "--python jax==0.10.2: write NAME=/path/to/python"),
        (["jax=/no/such"], "/no/such is no program; name the python of an environment"),
        (["jax=/bin/sh", "jax=/bin/ls"], "--python jax=/bin/ls: jax has an interpreter already, /bin/sh"),
    ],
)
def test_interpreters_that_cannot_be_used(given: list[str], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        named_interpreters(given)
    assert message in str(caught.value)
