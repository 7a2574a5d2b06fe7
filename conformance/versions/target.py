"""Which Python is asked: the one that was named, that of the active environment, or the one that runs us.

The suite may live in an environment of its own (``uvx``, ``pipx``, a job of CI): what it is to judge lies in
another then, which is looked for where nobody says which. Whichever is taken is said, unless it is our own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from xent_conformance.versions.elsewhere import have_we, having, is_ours, maker

VARIABLE = "CONFORMANCE_PYTHON"
"""Names a Python, or an environment, as ``--python`` does."""

_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
"""The environment that a shell has activated, in the order in which they count."""


class NoPython(ValueError):
    """What was named is no Python; the message says who named it, and what to name instead."""


@dataclass(frozen=True)
class Target:
    """``python`` is asked unless one of ``named`` is its framework's; None is the Python that runs the suite.

    ``source``: what named it, ``--python`` or a variable; empty for our own.
    """

    python: str | None = None
    source: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    """By framework, a Python that has it, where ours has not and nobody has said which."""
    said: bool = field(default=False, compare=False)
    """Whether somebody has said which, be it our own."""

    def interpreters(self, frameworks: Iterable[str]) -> dict[str, str]:
        """By framework, the Python of its workers where it is not ours; ``named`` whatever is asked."""
        everywhere = {} if self.python is None else dict.fromkeys(frameworks, self.python)
        return {**everywhere, **self.found, **self.named}

    @property
    def told(self) -> str:
        """Whom we ask, in a line; empty where it is our own Python."""
        lines = [f"asking {self.python} ({self.source})"] if self.python else []
        lines += [f"{name}: {python} (--python)" for name, python in self.named.items()]
        lines += [
            f"{name}: {python} (which has it; {sys.executable}, which runs the suite, has not)"
            for name, python in self.found.items()
        ]
        return ", ".join(lines)

    @property
    def where(self) -> str:
        """The Python that is asked, for a sentence about what is not there."""
        if self.python:
            return f"{self.python} ({self.source})"
        made = f"{maker()} has made to run" if maker() else "runs"
        return f"{sys.executable}, which {made} the suite"

    def place(self, framework: str) -> str:
        """The Python of its workers, for such a sentence."""
        return self.named.get(framework) or self.found.get(framework) or self.where

    @property
    def takes(self) -> bool:
        """Whether a person installs anything there: not in what a tool has made for the suite."""
        return bool(self.python) or not maker()

    def by(self, asked: Iterable[str]) -> str:
        """Who was asked, for a line that says so."""
        if self.python:
            return self.where
        ours = [] if all(name in self.found for name in asked) else ["this Python"]
        theirs = dict.fromkeys(python for name, python in self.found.items())
        return " and ".join([*ours, *theirs])

    def another(self, needs: Iterable[Sequence[str]]) -> str:
        """Another Python, that has all of one of these, as ``--python`` takes it; ``PATH`` where none has."""
        return having(needs, self.python) or "PATH"

    def looking(self, needs: Mapping[str, Sequence[str]]) -> Target:
        """The same; where nobody has said which, by framework a Python that has what ours lacks."""
        if self.said:
            return self
        lacking = {n: needed for n, needed in needs.items() if n not in self.named and not have_we(needed)}
        found = {name: python for name, needed in lacking.items() if (python := having([needed]))}
        return replace(self, found=found)


def target(
    given: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    *,
    meant: Callable[[str], str] = str,
) -> Target:
    """The Python that is asked, by ``--python``, :data:`VARIABLE`, the active environment, or else our own.

    ``given``: each ``PATH``, which all frameworks have, or ``NAME=PATH``; a path is that of a Python or of an
    environment. ``meant``: the framework that a name means, where it has several. Raises
    :class:`NoPython`.
    """
    everywhere: tuple[str, str] | None = None
    named: dict[str, str] = {}
    for text in given:
        name, path = _split(text)
        name = name and meant(name)
        said = f"--python {text}"
        if name in named or (not name and everywhere):
            whose = f"{name} has" if name else "all frameworks have"
            raise NoPython(f"{said}: {whose} an interpreter already; name one")
        if name:
            named[name] = python_of(path, said)
        else:
            everywhere = (python_of(path, said), "--python")
    if everywhere is None and environment.get(VARIABLE):
        everywhere = (python_of(environment[VARIABLE], f"${VARIABLE}"), f"${VARIABLE}")
    if everywhere is None:
        active = (_active(name, environment, tried=not named) for name in _ACTIVE)
        everywhere = next((found for found in active if found), None)
    if everywhere is None or is_ours(everywhere[0]):
        return Target(named=named, said=everywhere is not None)
    return Target(*everywhere, named, said=True)


def _split(text: str) -> tuple[str, str]:
    """``("torch", PATH)`` of ``torch=PATH``; no name where a path alone is written, ``=`` or not."""
    name, equals, path = text.partition("=")
    return (name, path) if equals and "/" not in name and os.sep not in name else ("", text)


def python_of(path: str, said: str) -> str:
    """The program that a path names: itself, or the Python of the environment that the folder is.

    Raises :class:`NoPython` where there is none; ``said``: who named it.
    """
    folder = Path(path).expanduser()
    if path and folder.is_dir():
        found = _inside(folder)
        if found is None:
            raise NoPython(f"{said}: {path} is a folder without a Python in it; name an environment's")
        return _starting(found, said)
    # a Path loses the "./" by which a program is meant that is not on $PATH
    program = shutil.which(str(folder.absolute()) if "/" in path else path) if path else None
    if program is None:
        raise NoPython(f"{said}: {path or 'nothing'} is no program; name the python of an environment")
    return _starting(str(Path(program).absolute()), said)


def _starting(program: str, said: str) -> str:
    """The program, which the system starts. Raises :class:`NoPython` for what it does not.

    Only trying tells: a text without the name of its interpreter may be executed by its mode, and who may
    execute what is not for the mode alone to say. What it does then is not waited for.
    """
    quiet = subprocess.DEVNULL
    try:
        with subprocess.Popen([program, "-c", ""], stdin=quiet, stdout=quiet, stderr=quiet) as started:
            started.kill()
    except OSError as error:
        told = f"{said}: {program} cannot be started ({error.strerror or error})"
        raise NoPython(f"{told}; name the python of an environment") from None
    return program


def _inside(folder: Path) -> str | None:
    """The Python of an environment; a conda environment on Windows has it at its top."""
    for name in ("bin/python", "Scripts/python.exe", "python.exe"):
        if (folder / name).is_file():
            return str((folder / name).absolute())
    return None


def _active(variable: str, environment: Mapping[str, str], *, tried: bool) -> tuple[str, str] | None:
    """The Python of an activated environment; None where none is, or where it was taken away since.

    Where it is not ``tried`` it may be none that starts: who names those of frameworks may need no other.
    """
    folder = environment.get(variable, "")
    found = _inside(Path(folder)) if folder else None
    if found is None:
        return None
    return _starting(found, f"${variable}") if tried and not is_ours(found) else found, f"${variable}"
