"""What another Python lacks of what a worker imports, lent to it: its environment stays as it is.

A fresh ``pip install torch`` has neither NumPy nor ml_dtypes. What is lacking comes from a folder of our
cache, made for that Python, at the end of the worker's path: whatever is there comes first. Nothing is
installed there, and no bytecode is written there.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from xent_conformance.reference.kept import kept_folder, own_folder, use

NEEDS = ("numpy>=1.26", "ml_dtypes>=0.3")
"""What a worker imports beside its framework: ranges, so that the framework's own limits decide."""

PROBE_SECONDS = 60.0

_PROBE = """
import importlib.util, json, sys, sysconfig
print(json.dumps({
    "version": sys.version.split()[0],
    "extensions": sysconfig.get_config_var("EXT_SUFFIX"),
    "tag": sys.implementation.cache_tag,
    "path": [folder for folder in sys.path if folder],
    "lacks": [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None],
}))
"""

_LAST_LINES = 3


class NotLent(Exception):
    """What a Python lacks cannot be lent to it, or it is none; the message says why, and what to do."""


@dataclass(frozen=True)
class There:
    """What a Python says of itself: its version, and what its compiled modules and its bytecode are called.

    ``path``: where it looks for modules; ``lacks``: what of :data:`NEEDS` it does not have.
    """

    python: str
    version: str
    extensions: str
    tag: str
    path: Sequence[str]
    lacks: Sequence[str]

    def compiled(self, package: str) -> bool:
        """Whether a package has its bytecode beside it, as pip leaves it and uv does not; or is not there."""
        places = (Path(folder, package) for folder in self.path)
        found = next((place for place in places if (place / "__init__.py").is_file()), None)
        return found is None or (found / "__pycache__" / f"__init__.{self.tag}.pyc").is_file()


@dataclass(frozen=True)
class Loan:
    """``folders`` for the end of a worker's path; ``lent``: what is in them, by its version."""

    there: There
    folders: tuple[str, ...]
    lent: Mapping[str, str]

    def environment(self, package: str) -> Mapping[str, str]:
        """Variables by which no bytecode is written beside the modules of another's environment.

        A framework that has none yet would be compiled anew at every start: ours is kept in the cache.
        """
        if self.there.compiled(package):
            return {"PYTHONDONTWRITEBYTECODE": "1"}
        return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(bytecode_folder())}


def default_folder() -> Path:
    """Where what is lent is kept between runs (the platform's cache directory)."""
    return kept_folder() / "lent"


def bytecode_folder() -> Path:
    """Where the bytecode of other environments is kept between runs."""
    return kept_folder() / "bytecode"


_one_at_a_time = threading.Lock()


def loan_for(python: str, environment: Mapping[str, str]) -> Loan:
    """What ``python``, started with those variables beside ours, is lent. Raises :class:`NotLent`."""
    told = tuple(sorted(environment.items()))
    with _one_at_a_time:  # each seat asks, from a thread of its own
        try:
            return _loan(python, told, default_folder())
        except OSError:  # what cannot be kept between runs is made for this one
            return _loan(python, told, own_folder() / "lent")


@functools.cache
def _loan(python: str, environment: tuple[tuple[str, str], ...], folder: Path) -> Loan:
    there = look(python, dict(environment))
    wanted = {Requirement(text).name: text for text in NEEDS}
    folders, lent = [], {}
    for name in there.lacks:
        home, version = _lent(name, wanted[name], there, folder)
        folders.append(str(home))
        lent[name] = version
    return Loan(there, tuple(folders), lent)


def look(python: str, environment: Mapping[str, str]) -> There:
    """What a Python has. Raises :class:`NotLent` for what is no Python that can be asked."""
    names = [Requirement(text).name for text in NEEDS]
    told = {**os.environ, **environment, "PYTHONDONTWRITEBYTECODE": "1"}
    words = [python, "-c", _PROBE, *names]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=told, timeout=PROBE_SECONDS
        )  # fmt: skip
        said: dict[str, Any] = json.loads(done.stdout)
    except OSError as error:
        raise NotLent(f"{python} cannot be started: {error.strerror or error}") from None
    except subprocess.TimeoutExpired:
        raise NotLent(f"{python} does not say within {PROBE_SECONDS:g} s what it has") from None
    except ValueError:
        raise NotLent(
            f"{python} is no Python that can be asked: {_last(done.stdout + done.stderr)}"
        ) from None
    return There(python, **said)


# --- what is lent ---------------------------------------------------------------------------------------


def _lent(name: str, requirement: str, there: There, folder: Path) -> tuple[Path, str]:
    """A folder that has the distribution for that Python, and its version; made if there is none yet."""
    ours = _ours(name) if there.extensions == sysconfig.get_config_var("EXT_SUFFIX") else None
    if ours:
        version = importlib.metadata.version(name)
        home = folder / f"{name}-{version}-{_key(*map(str, ours.values()))}"
        _made(home, lambda: all((home / part).exists() for part in ours), lambda new: _link(new, ours))
        use(home)
        return home, version
    home = folder / f"{name}-{_key(requirement, there.version, there.extensions)}"
    _made(home, lambda: (home / name).is_dir(), lambda new: _install(new, requirement, there))
    use(home)
    (found,) = importlib.metadata.distributions(name=name, path=[str(home)])
    return home, found.version


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _ours(name: str) -> dict[str, Path]:
    """What lies in our own ``site-packages`` of a distribution, by name; nothing where it lies otherwise."""
    installed = importlib.metadata.distribution(name)
    tops = {file.parts[0] for file in installed.files or () if len(file.parts) > 1 and file.parts[0] != ".."}
    found = {top: Path(str(installed.locate_file(top))) for top in sorted(tops)}
    there = name in found and (found[name] / "__init__.py").is_file()
    return {top: path for top, path in found.items() if path.is_dir()} if there else {}


def _made(home: Path, whole: Callable[[], bool], fill: Callable[[Path], None]) -> None:
    """Fill a new folder and give it its name, unless it is whole: what an interruption leaves has another.

    What another process has made meanwhile serves as well, and is in use: it stays.
    """
    if whole():
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="making-", dir=home.parent))
    try:
        fill(new)
        if whole():
            return
        if home.exists():  # its links lead nowhere any more: what they led to was taken away
            shutil.rmtree(home)
        try:
            new.rename(home)
        except OSError:  # another process was faster
            if not whole():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _link(new: Path, ours: Mapping[str, Path]) -> None:
    """Links where the system has them: numpy alone is sixty megabytes."""
    for name, path in ours.items():
        try:
            (new / name).symlink_to(path, target_is_directory=True)
        except OSError:
            shutil.copytree(path, new / name, ignore=shutil.ignore_patterns("__pycache__"))


def _install(new: Path, requirement: str, there: There) -> None:
    """For another Python than ours: by uv if there is one, else by pip, into our folder."""
    uv = shutil.which("uv")
    if uv:
        words = [uv, "pip", "install", "--quiet", "--python", there.python]
    elif importlib.util.find_spec("pip"):
        words = [sys.executable, "-m", "pip", "--python", there.python, "install", "--quiet"]
    else:
        words = [there.python, "-m", "pip", "install", "--quiet"]
    words += ["--no-deps", "--target", str(new), requirement]
    told = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=told)
        said = "" if done.returncode == 0 else _last(done.stdout + done.stderr)
    except OSError as error:
        said = str(error)
    if said:
        raise NotLent(
            f"Python {there.version} at {there.python} has no {Requirement(requirement).name}, which a "
            f"worker imports, and {requirement} cannot be fetched for it ({said}); install it there, or "
            "install the suite with that Python's version, which then lends its own"
        )


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-_LAST_LINES:])[:400]
