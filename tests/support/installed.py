"""The suite as somebody else has it: built, installed in a clean environment, beside a repository of theirs.

Their repository has packages of the names that our folders have at the top of the checkout; whatever imports
one of them fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.support.house import FLOORS
from tests.support.paths import ROOT

THEIRS = """raise ImportError("this {name} is theirs")\n"""

THEIR_TEST = """
import sys


def test_theirs():
    assert not [name for name in sys.modules if name.partition(".")[0] in {names!r}]
"""


@dataclass(frozen=True)
class Installed:
    """A clean environment with the suite in it, and a repository that is not ours."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def wheel(self) -> Path:
        (found,) = (self.folder / "wheels").glob("*.whl")
        return found

    def program(self, name: str) -> str:
        """The path of an installed script."""
        return str(self.python.with_name(name))

    def __call__(self, *command: str, status: int = 0) -> str:
        """What it prints, in the repository."""
        return done(command, self.repository, self.folder / "cache", status)


def done(command: Sequence[str | Path], where: Path, cache: Path | None = None, status: int = 0) -> str:
    """What a command prints; nothing in its environment leads it to the checkout."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV"))}
    kept |= {} if cache is None else {"XDG_CACHE_HOME": str(cache)}
    ended = subprocess.run(
        command,
        cwd=where,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == status, f"{command} ended with {ended.returncode}:\n{ended.stdout}"
    return ended.stdout


def copy_of_the_checkout(to: Path) -> Path:
    """What a build needs: it writes beside its sources, and the checkout is for reading."""
    for folder in FLOORS.values():
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, to / name)
    return to


def build_options() -> list[str]:
    """With the setuptools that is here, if it is; else pip fetches one."""
    return ["--no-build-isolation"] if find_spec("setuptools") else []


def install(folder: Path) -> None:
    """A wheel of the checkout, and an environment with it, pytest and no framework but NumPy."""
    suite = Installed(folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    source = copy_of_the_checkout(folder / "source")
    done([*pip, "wheel", "--no-deps", *build_options(), "-w", folder / "wheels", source], folder)
    done([sys.executable, "-m", "venv", folder / "venv"], folder)
    wanted = [suite.wheel, "pytest", "-c", ROOT / "constraints.txt"]
    done([suite.python, *pip[1:], "install", "--no-compile", *wanted], folder)
    for name in FLOORS.values():
        package = suite.repository / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(THEIRS.format(name=name), encoding="utf-8")
    text = THEIR_TEST.format(names=sorted(FLOORS.values()))
    (suite.repository / "test_theirs.py").write_text(text, encoding="utf-8")
