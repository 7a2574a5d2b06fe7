"""Which Python is asked: the order in which they count, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.environments import standing
from tests.support.upgrading import bare_interpreter, script
from xent_conformance.versions.target import NoPython, Target, python_of, target


def _environment(folder: Path) -> Path:
    """What an activated environment looks like to whoever looks for its Python."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    return folder


@pytest.fixture
def variables(tmp_path: Path) -> Mapping[str, str]:
    """An environment for each variable, all of them set."""
    named = ("CONFORMANCE_PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX")
    return {name: str(_environment(tmp_path / name.lower())) for name in named}


def test_the_order(tmp_path: Path, variables: Mapping[str, str]) -> None:
    """``--python``, ``$CONFORMANCE_PYTHON``, the active environment, the Python that runs us."""
    rest = dict(variables)
    named = bare_interpreter(tmp_path)
    assert target([named], rest) == Target(named, "--python")
    for name in ("CONFORMANCE_PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX"):
        found = target((), rest)
        assert found == Target(f"{rest[name]}/bin/python", f"${name}")
        assert found.told == f"asking {rest.pop(name)}/bin/python (${name})"
    assert target((), rest) == Target() and not Target().told
    assert Target().where == f"{sys.executable}, which runs the suite"


def test_a_framework_has_its_own(tmp_path: Path, variables: Mapping[str, str]) -> None:
    jax, every = bare_interpreter(tmp_path), str(_environment(tmp_path / "an=other"))
    found = target([f"jax={jax}", every], variables)
    assert found.interpreters(["torch", "jax"]) == {"torch": f"{every}/bin/python", "jax": jax}
    assert found.told == f"asking {every}/bin/python (--python), jax: {jax} (--python)"
    alone = target([f"jax={jax}"], {})
    assert alone.interpreters(["torch", "jax"]) == {"jax": jax} and alone.told == f"jax: {jax} (--python)"


def test_our_own_environment_is_ours_however_it_is_named() -> None:
    for name in (sys.executable, sys.prefix):
        assert target([name], {}) == Target()
    assert target((), {"VIRTUAL_ENV": sys.prefix}) == Target()


def test_another_environment_on_the_same_program_is_another(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "theirs"], check=True)
    found = target((), {"VIRTUAL_ENV": str(tmp_path / "theirs")})
    assert found.python == str(tmp_path / "theirs" / "bin" / "python")


def test_an_environment_that_was_taken_away_does_not_count(tmp_path: Path) -> None:
    """A shell keeps its variable when the folder goes."""
    assert target((), {"VIRTUAL_ENV": str(tmp_path / "gone")}) == Target()


def test_another_python_is_named_where_this_one_lacks_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the folder, or what the path has; never the one that was asked already."""
    monkeypatch.chdir(tmp_path)
    needs = [("framework", "notation"), ("other",)]
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert Target().another(needs) == "PATH", "our own is no other"
    system = standing(tmp_path / "system", "framework", "notation")
    monkeypatch.setenv("PATH", str(Path(system).parent))
    assert Target().another(needs) == system
    assert Target().another([("framework", "what is not there")]) == "PATH", (
        "it was looked at, and has it not"
    )
    there = standing(tmp_path / ".venv", "other").removesuffix("3")
    assert Target().another(needs) == there
    assert Target(there).another(needs) == system


def test_what_ours_lacks_is_looked_for_where_nobody_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    system = standing(tmp_path / "system", "framework")
    monkeypatch.setenv("PATH", str(Path(system).parent))
    needs = {"framework": ["framework"], "other": ["other"], "numpy": ["numpy"]}
    found = target((), {}).looking(needs)
    assert found.interpreters(["framework", "numpy"]) == {"framework": system}
    assert found.told.startswith(f"framework: {system} (which has it; {sys.executable}, which runs the suite")
    assert (
        found.by(["framework"]) == system and found.by(["framework", "numpy"]) == f"this Python and {system}"
    )
    assert found.place("framework") == system and found.place("other") == found.where
    for said in ([sys.executable], [f"framework={sys.executable}"], [str(tmp_path / "system")]):
        assert not target(said, {}).looking(needs).found, "somebody has said which"
    assert not target((), {"VIRTUAL_ENV": sys.prefix}).looking(needs).found


def test_a_program_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = bare_interpreter(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert python_of("python-bare", "") == there
    monkeypatch.chdir(Path(there).parent)
    monkeypatch.setenv("PATH", "")
    assert python_of("./python-bare", "") == there, "beside us, and not on $PATH"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["/no/such"], "--python /no/such: /no/such is no program; name the python of an environment"),
        (["torch=/no/such"], "--python torch=/no/such: /no/such is no program"),
        (["torch="], "--python torch=: nothing is no program"),
        (["/usr"], "--python /usr: /usr is a folder without a Python in it; name an environment's"),
        (["/bin/sh", "/bin/ls"], "--python /bin/ls: all frameworks have an interpreter already; name one"),
        (["a=/bin/sh", "a=/bin/ls"], "--python a=/bin/ls: a has an interpreter already; name one"),
    ],
)
def test_what_cannot_be_asked(given: list[str], message: str, tmp_path: Path) -> None:
    given = [str(tmp_path) if text == "/usr" else text for text in given]
    with pytest.raises(NoPython) as caught:
        target(given, {})
    assert str(caught.value).startswith(message.replace("/usr", str(tmp_path)))


def _text(path: Path, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no program, and no name of one that reads it", encoding="utf-8")
    path.chmod(mode)
    return path


def test_what_the_system_does_not_start_is_told_with_what_named_it(tmp_path: Path) -> None:
    """A text that may be executed by its mode; and a Python that may not, in an environment."""
    text = str(_text(tmp_path / "text", 0o755))
    environment = str(_text(tmp_path / "theirs" / "bin" / "python", 0o644).parents[1])
    do = "name the python of an environment"
    for given, variables, message in (
        ([text], {}, f"--python {text}: {text} cannot be started (Exec format error); {do}"),
        ([f"torch={text}"], {}, f"--python torch={text}: {text} cannot be started (Exec format error); {do}"),
        ([environment], {}, f"--python {environment}: {environment}/bin/python cannot be started (Per"),
        ([], {"VIRTUAL_ENV": environment}, f"$VIRTUAL_ENV: {environment}/bin/python cannot be started (Per"),
    ):
        with pytest.raises(NoPython) as caught:
            target(given, variables)
        assert str(caught.value).startswith(message)


def test_an_active_environment_is_not_tried_where_it_may_not_be_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By who names the Python of a framework; and our own starts, or nobody asked."""
    environment = str(_text(tmp_path / "theirs" / "bin" / "python", 0o644).parents[1])
    found = target([f"torch={sys.executable}"], {"VIRTUAL_ENV": environment})
    assert found.named == {"torch": sys.executable} and found.source == "$VIRTUAL_ENV"

    def started(*_: object, **__: object) -> None:
        raise AssertionError("it is our own")

    monkeypatch.setattr("xent_conformance.versions.target.subprocess.Popen", started)
    assert target((), {"VIRTUAL_ENV": sys.prefix}) == Target()


def test_a_program_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    forever = script(tmp_path / "forever", "exec sleep 600")
    start = time.monotonic()
    assert python_of(str(forever), "") == str(forever)
    assert time.monotonic() - start < 60


def test_what_a_variable_names_is_refused_by_its_name() -> None:
    with pytest.raises(NoPython, match=r"^\$CONFORMANCE_PYTHON: /no/such is no program"):
        target((), {"CONFORMANCE_PYTHON": "/no/such"})
