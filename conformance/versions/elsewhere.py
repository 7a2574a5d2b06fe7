"""Another Python than the one that is asked, which has what this one lacks: looked at before it is named.

And whether our own Python is one that a person installs anything in: what ``uvx`` and ``pipx`` make for the
suite is theirs.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from xent_conformance.versions import lacks

SECONDS = 10.0
"""A Python that takes longer to say what it has is not named."""

_MARKS = {"uv-receipt.toml": "uv", "pipx_metadata.json": "pipx"}
"""What a tool leaves in an environment that it has made for a program."""

_CACHED = re.compile(r"(archive|environments)-v\d+")
"""Where uv keeps environments that serve one call, below a cache that says that it is one."""

_HASHED = re.compile(r"[0-9a-f]{15}")
"""What pipx calls an environment that serves one call; one that it installs has the name of its package."""


def pythons() -> list[str]:
    """Those that a person may mean: of the environment in this folder, and the first ones of the path."""
    folder = (Path(".venv", *place) for place in (("bin", "python"), ("Scripts", "python.exe")))
    there = [str(path.absolute()) for path in folder if path.is_file()]
    found = [*there, _first("python3"), _first("python")]
    return list(dict.fromkeys(path for path in found if path and not is_ours(path)))


def _first(name: str) -> str | None:
    """The first of that name on the path that is not ours: ``uvx`` puts what it has made before all else."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = (shutil.which(name, path=folder) for folder in folders if folder)
    return next((path for path in found if path and not is_ours(path)), None)


def having(needs: Iterable[Sequence[str]], but: str | None = None) -> str | None:
    """The first of :func:`pythons`, ``but`` for one, that has all of one of these; None where none has."""
    groups = [tuple(group) for group in needs]
    names = tuple(dict.fromkeys(name for group in groups for name in group))
    for python in pythons():
        there = {} if python == but else _has(python, names)
        if any(set(group) <= there.keys() for group in groups):
            return python
    return None


def have_we(names: Sequence[str]) -> bool:
    """Whether the Python that runs the suite has them all."""
    return len(lacks.has(list(names))) == len(names)


def installed(python: str, names: Iterable[str]) -> Mapping[str, str]:
    """Of these distributions those that a Python has, with their versions, by its records: none is imported.

    A version is empty where a package of that name is there alone.
    """
    asked = tuple(dict.fromkeys(names))
    return lacks.has(list(asked)) if is_ours(python) else _has(python, asked)


@functools.cache
def _has(python: str, names: tuple[str, ...]) -> Mapping[str, str]:
    """What of these a Python has; nothing where it does not say, as a program of that name that is none."""
    alone = {"PYTHONPATH": "", "PYTHONHOME": "", "PYTHONDONTWRITEBYTECODE": "1"}
    words = [python, lacks.__file__, *names]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, **alone},
            timeout=SECONDS,
        )  # fmt: skip
        return dict(json.loads(done.stdout))
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError):
        return {}


def maker() -> str:
    """``uv`` or ``pipx``, where it has made our environment for the suite; empty where a person did."""
    prefix = Path(sys.prefix)
    for mark, tool in _MARKS.items():
        if (prefix / mark).is_file():
            return tool
    return "uv" if _is_cached(prefix) else ""


def once() -> str:
    """The same, where it was made for one call, by ``uvx`` or ``pipx run``: no program of ours is kept."""
    tool, prefix = maker(), Path(sys.prefix)
    served = _is_cached(prefix) if tool == "uv" else _HASHED.fullmatch(prefix.name)
    return tool if served else ""


def _is_cached(prefix: Path) -> bool:
    return any(
        _CACHED.fullmatch(folder.name) and (folder.parent / "CACHEDIR.TAG").is_file()
        for folder in prefix.parents
    )


def is_ours(python: str) -> bool:
    """Whether it is the Python of the environment that we run in: an environment is a folder, not a program.

    Several environments may stand on one program, to which their ``python`` is a link.
    """
    ours, program = Path(sys.prefix).resolve(), Path(python)
    here = program.parent.resolve() in (ours / "bin", ours / "Scripts", ours)
    return here and program.resolve() == Path(sys.executable).resolve()
