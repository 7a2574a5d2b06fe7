"""The rooms of ``reports``: folders import one way, no two modules each other, and nothing from upstairs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT

REPORTS = "xent_conformance.reports"

ORDER = ("run", "text", "views")
"""Each may import those before it."""

SHOWN = ("terminal", "ci", "html")
"""Each may import all of those, and not one another."""


def imports(folder: Path = ROOT / "reports") -> dict[str, set[str]]:
    """By module, below ``reports``, what it imports; what is imported for its types alone counts too."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        name = ".".join(file.relative_to(folder).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if name:
            found[name] = _imported(file.read_text("utf-8"), folder)
    return found


def _imported(source: str, folder: Path) -> set[str]:
    named = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("xent_conformance"):
            module = node.module.removeprefix(REPORTS).lstrip(".")
            for alias in node.names:
                inside = folder / module.replace(".", "/") / f"{alias.name}.py"
                named.add(f"{module}.{alias.name}".lstrip(".") if inside.is_file() else module)
        if isinstance(node, ast.Import):
            named |= {a.name for a in node.names if a.name.startswith("xent_conformance")}
    return named


def _folder(module: str) -> str:
    return module.partition(".")[0]


def upwards(graph: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Imports that a folder may not have; ``atomic`` is below all of them."""
    below = {name: set(ORDER[:i]) for i, name in enumerate(ORDER)} | {name: set(ORDER) for name in SHOWN}
    return {
        (module, other)
        for module, others in graph.items()
        for other in others
        if _folder(other) not in below.get(_folder(module), set()) | {_folder(module), "atomic"}
    }


def test_folders_import_one_way() -> None:
    graph = imports()
    assert {_folder(module) for module in graph} == {*ORDER, *SHOWN, "atomic"}
    assert upwards(graph) == set()


def test_no_modules_import_each_other() -> None:
    graph = imports()
    assert sum(map(len, graph.values())) > 100
    TopologicalSorter(graph).prepare()


# --- the test of these tests -------------------------------------------------------------------------------


def test_a_circle_is_seen() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter(imports() | {"run.words": {"run.findings"}}).prepare()


@pytest.mark.parametrize(
    ("module", "other"),
    [
        ("text.wording", "views.gate"),
        ("run.words", "text.numbers"),
        ("html.page", "terminal.screen"),
        ("ci.junit", "html.marks"),
        ("views.gate", "xent_conformance.decision.gate"),
        ("atomic", "run.file"),
    ],
)
def test_an_arrow_that_goes_up_is_seen(module: str, other: str) -> None:
    assert upwards({module: {other}}) == {(module, other)}
