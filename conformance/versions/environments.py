"""Isolated environments by exact requirement set, made once and kept, for other versions of a framework.

This suite is never installed in one: a worker is lent its code (``asking/process``) and needs NumPy
and ml_dtypes beside the framework. An environment counts from the moment its record is written, which is
last: what an interruption left half-made is made anew, and what could not be made is taken away.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from xent_conformance.asking.lending import NEEDS
from xent_conformance.reference.kept import kept_folder
from xent_conformance.reports.atomic import write_text
from xent_conformance.versions.target import python_of

RECORD = "complete.json"
"""Written last, with the requirements that were asked for and everything that was installed for them."""

_LAST_LINES, _LINE = 6, 300

Say = Callable[[str], None]


class EnvironmentNotMade(Exception):
    """An environment that cannot be made; the message has the installer's last words and what to do."""


def named_interpreters(given: Sequence[str]) -> dict[str, str]:
    """``["OLD=/path/to/python", "jax==0.10.2=/path"]`` by name: a word, or a pin.

    Raises ValueError for what is not written so, or not there.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if path.startswith("="):
            version, equals, path = path[1:].partition("=")
            name = f"{name}=={version}"
        if not (name and equals and path):
            raise ValueError(f"--python {text}: write NAME=/path/to/python")
        if name in found:
            raise ValueError(f"--python {text}: {name} has an interpreter already, {found[name]}")
        found[name] = python_of(path, f"--python {text}")
    return found


def default_folder() -> Path:
    """Where environments are kept between runs (the platform's cache directory)."""
    return kept_folder() / "environments"


def environment_for(requirements: Sequence[str], *, folder: Path | None = None, say: Say = print) -> Path:
    """The interpreter of an environment that has ``requirements``; made if there is none yet.

    The same requirements, in any order, give the same environment under the same Python and platform.
    ``say`` is told what takes long. Raises :class:`EnvironmentNotMade` where a requirement cannot be read or
    installed; nothing is left behind then.
    """
    wanted = _normal([*requirements, *NEEDS])
    folder = default_folder() if folder is None else folder
    home = folder / _key(wanted)
    if _whole(home):
        os.utime(home / RECORD)  # `cache clean --older-than` spares what is used
        return _python(home)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{home.name}.lock", say):
        if not _whole(home):  # while we waited, another process may have made it
            _make(home, wanted, say)
    return _python(home)


def _normal(requirements: Sequence[str]) -> list[str]:
    """The requirements in one spelling and order. Raises :class:`EnvironmentNotMade` for one that is none."""
    found = set()
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise EnvironmentNotMade(
                f"{text!r} is no requirement ({str(error).splitlines()[0]}); write it as pip takes it, "
                "as in 'jax==0.10.2' or 'numpy<2'"
            ) from None
        requirement.name = canonicalize_name(requirement.name)
        found.add(str(requirement))
    return sorted(found)


def _key(wanted: Sequence[str]) -> str:
    """Requirements, Python and platform as the name of a folder."""
    python = (platform.python_implementation(), platform.python_version(), sysconfig.get_platform())
    return hashlib.sha256("\n".join([*wanted, *python]).encode()).hexdigest()[:24]


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _whole(home: Path) -> bool:
    """Whether it was finished, and the Python that it stands on is still there."""
    return (home / RECORD).is_file() and _python(home).is_file()


@contextlib.contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    """One process at a time. The system lets go of the lock when its holder ends, however it ends."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        say("waiting for another process that makes the same environment")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _make(home: Path, wanted: Sequence[str], say: Say) -> None:
    shutil.rmtree(home, ignore_errors=True)
    say(f"making an environment with {', '.join(wanted)} (once; it is kept)")
    try:
        installed = _install(home, wanted)
        record = {"requirements": list(wanted), "python": platform.python_version(), "installed": installed}
        write_text(home / RECORD, json.dumps(record, indent=1))
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def _install(home: Path, wanted: Sequence[str]) -> list[str]:
    """With uv where there is one, else with venv and pip; the names and versions of all that came."""
    python, uv = str(_python(home)), shutil.which("uv")
    if uv:
        _call([uv, "venv", "--quiet", "--python", sys.executable, str(home)], _NO_VENV)
        pip, target = [uv, "pip"], ["--python", python]
    else:
        _call([sys.executable, "-m", "venv", str(home)], _NO_VENV)
        pip, target = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"], []
    _call([*pip, "install", "--quiet", *target, *wanted], _advice(wanted))
    return _call([*pip, "freeze", *target], "run the command again").split("\n")


def _call(command: Sequence[str], advice: str) -> str:
    """Standard output. Raises :class:`EnvironmentNotMade` with the last lines and ``advice``."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout.strip()
    said = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    last = [line if len(line) <= _LINE else f"{line[:_LINE]} …" for line in said[-_LAST_LINES:]]
    what = " ".join([Path(command[0]).name, *command[1:3]])
    raise EnvironmentNotMade("\n  ".join([f"`{what} …` ended with status {done.returncode}:", *last, advice]))


_OWN = "or give interpreters that you made yourself, with --python"
_NO_VENV = f"on Debian `apt install python3-venv` adds what venv needs; install uv instead, {_OWN}"


def _advice(wanted: Sequence[str]) -> str:
    return (
        f"check that {', '.join(wanted)} exist together for Python {platform.python_version()} on "
        f"{sysconfig.get_platform()} and that the package index can be reached, {_OWN}"
    )
