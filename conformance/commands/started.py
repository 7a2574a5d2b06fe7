"""The command line by the name that this process was started by: what is printed can be typed again.

A document says ``conformance``, whoever made it. A terminal says what was typed there: who has started the
suite by ``uvx --from PLACE xent-conformance`` has no program that is called ``conformance``.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from xent_conformance.versions.elsewhere import once

DISTRIBUTION = "xent-conformance"
NAME = "conformance"
SCRIPTS = (NAME, DISTRIBUTION)
MODULE = "xent_conformance"

_RUNS = {"uv": ("uvx", "--from"), "pipx": ("pipx", "run", "--spec")}
"""By the tool that has made our environment for one call: how it is told what to run."""


@functools.cache
def program() -> str:
    """What a shell takes in place of ``conformance``."""
    return shlex.join(_program(sys.argv[0], sys.orig_argv, once(), _source()))


def _program(script: str, typed: Sequence[str], tool: str, source: str) -> Sequence[str]:
    """``script``: what runs, by its path; ``typed``: the whole line; ``tool``: see :func:`once`."""
    name = Path(script).name.removesuffix(".exe")
    if name in SCRIPTS:
        if tool:
            return [*_RUNS[tool], source, name]
        return [name] if _found(script, name) else [script]
    if MODULE in typed and typed[typed.index(MODULE) - 1] == "-m":
        return typed[: typed.index(MODULE) + 1]
    return [NAME]  # another's program that calls us, or a test


def _found(script: str, name: str) -> bool:
    """Whether the name alone starts the same."""
    first = shutil.which(name)
    return first is not None and Path(first).absolute() == Path(script).absolute()


def _source() -> str:
    """Where the suite was installed from, as ``pip install`` takes it; from an index, its name."""
    try:
        told = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        told = None
    return DISTRIBUTION if told is None else source_of(told)


def source_of(direct_url: str) -> str:
    """The same of a ``direct_url.json`` (PEP 610): a path, or an address with what was asked of it."""
    told = json.loads(direct_url)
    url = str(told["url"])
    if (vcs := told.get("vcs_info")) is not None:
        asked = vcs.get("requested_revision")
        at = f"{vcs['vcs']}+{url}" + (f"@{asked}" if asked else "")
    else:
        at = unquote(urlsplit(url).path) if url.startswith("file:///") else url
    folder = told.get("subdirectory")
    return f"{at}#subdirectory={folder}" if folder else at


def as_started(text: str, commands: Iterable[str], name: str) -> str:
    """The text, every command line in it begun by ``name``."""
    return _lines(tuple(commands)).sub(lambda _: name, text)


@functools.cache
def _lines(commands: tuple[str, ...]) -> re.Pattern[str]:
    """Where a text has our name as the first word of a command line: ``conformance VERB`` and ``--help``."""
    verbs = "|".join(map(re.escape, (*commands, "--help")))
    return re.compile(rf"(?<![\w./+-]){NAME}(?= (?:{verbs})(?![\w-]))")


class Screen(Console):
    """A console on which every command line is as it was started. ``verbs``: the commands that there are."""

    def __init__(self, verbs: Callable[[], Iterable[str]], **how: Any) -> None:
        super().__init__(highlight=False, emoji=False, **how)
        self._verbs = verbs

    def print(self, *objects: Any, **how: Any) -> None:
        name = program()
        if name != NAME:
            objects = tuple(self._as_started(o, name) for o in objects)
        super().print(*objects, **how)

    def _as_started(self, printed: object, name: str) -> object:
        if isinstance(printed, str):
            return as_started(printed, self._verbs(), escape(name))
        return retold(printed, self._verbs(), name) if isinstance(printed, Text) else printed


def retold(text: Text, commands: Iterable[str], name: str) -> Text:
    """The same of a text with styles, which it keeps."""
    found = list(_lines(tuple(commands)).finditer(text.plain))
    if not found:
        return text
    told, begun = text.blank_copy(), 0
    for m in found:
        here = text[m.start()]
        told.append_text(text[begun : m.start()])
        told.append(name, here.spans[0].style if here.spans else None)
        begun = m.end()
    return told.append_text(text[begun:])
