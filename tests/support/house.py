"""The house as its files say it: which room each module stands in, and which rooms each room knows.

A room is a folder. Where a folder holds folders, each of its own modules is a room by itself: beside
``reference/exact`` stand ``reference/formats``, which it knows, and ``reference/oracle``, which knows it.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

NAME = "xent_conformance"

FLOORS: Mapping[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]["package-dir"]
"""Each floor's installed name, and its folder in the checkout."""

_OURS = re.compile(rf"\b{NAME}(?:\.\w+)*")


class Arrow(NamedTuple):
    """A module that knows another, and the line that says so."""

    module: str
    knows: str
    line: int


@dataclass(frozen=True)
class House:
    """The four floors below a folder."""

    root: Path = ROOT

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Every module by its installed name, and its file."""
        found = {}
        for name, folder in FLOORS.items():
            for file in sorted((self.root / folder).rglob("*.py")):
                parts = file.relative_to(self.root / folder).with_suffix("").parts
                found[".".join([name, *parts]).removesuffix(".__init__")] = file
        return found

    @cached_property
    def folders(self) -> set[str]:
        """Every folder that has modules."""
        return {self._folder(module) for module in self.modules}

    def room(self, module: str) -> str:
        """Where the module stands: its folder, or itself where the folder holds others."""
        folder = self._folder(module)
        holds = any(f.startswith(f"{folder}/") for f in self.folders)
        return f"{folder}/{self.modules[module].stem}" if holds and not self._is_package(module) else folder

    def members(self, room: str) -> list[str]:
        """The modules of a room."""
        return [module for module in self.modules if self.room(module) == room]

    @cached_property
    def rooms(self) -> set[str]:
        return {self.room(module) for module in self.modules}

    @cached_property
    def arrows(self) -> dict[str, dict[str, list[Arrow]]]:
        """For each room, the rooms that it knows, each with the lines that say so."""
        found: dict[str, dict[str, list[Arrow]]] = defaultdict(lambda: defaultdict(list))
        for module in self.modules:
            for known, line in self._known(module):
                here, there = self.room(module), self.room(known)
                if here != there:
                    found[here][there].append(Arrow(module, known, line))
        return found

    def _folder(self, module: str) -> str:
        return self.modules[module].parent.relative_to(self.root).as_posix()

    def _known(self, module: str) -> Iterator[tuple[str, int]]:
        """What a module imports, at its top, later or for types only; and the modules it names in a string.

        What is named in a string is loaded by its name: an export, an adapter, what a worker begins with. A
        package named there is a place of files, templates or data.
        """
        tree = ast.parse(self.modules[module].read_text(encoding="utf-8"))
        docstrings = set(_docstrings(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._named(alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(module, node)
                for alias in node.names:
                    yield from self._named(f"{base}.{alias.name}", node.lineno)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
                for name in _OURS.findall(node.value):
                    named = self._named(name, node.lineno)
                    yield from ((n, line) for n, line in named if not self._is_package(n))

    def _named(self, name: str, line: int) -> Iterator[tuple[str, int]]:
        """The module that the name is, or that has it."""
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        if name:
            yield name, line

    def _is_package(self, module: str) -> bool:
        return self.modules[module].name == "__init__.py"

    def _base(self, module: str, node: ast.ImportFrom) -> str:
        """What is imported from; a relative name is read where it stands."""
        if not node.level:
            return node.module or ""
        package = module if self._is_package(module) else module.rpartition(".")[0]
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        return ".".join([*above, node.module] if node.module else above)


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The shortest way from a room back to itself, for each set of rooms that has one; none is wanted."""
    found: dict[frozenset[str], list[str]] = {}
    for start in sorted(arrows):
        if way := _back(start, arrows):
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _back(start: str, arrows: Mapping[str, Iterable[str]]) -> list[str]:
    ways, seen = [[start]], set()
    for way in ways:  # which grows
        for there in sorted(arrows.get(way[-1], ())):
            if there == start:
                return [*way, there]
            if there not in seen:
                seen.add(there)
                ways.append([*way, there])
    return []


def reach(arrows: Mapping[str, Iterable[str]], room: str) -> set[str]:
    """The room, what it knows, what that knows, and so on."""
    found, left = {room}, [room]
    while left:
        new = set(arrows.get(left.pop(), ())) - found
        found |= new
        left += new
    return found


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    """Strings that stand for themselves, after a module's, class's or function's line or a field's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
