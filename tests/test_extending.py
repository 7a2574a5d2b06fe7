"""What it takes to add something: CONTRIBUTING's table, counted in the tree.

For each kind of thing, one that is there stands for the next: the files that know it by name are those that
a newcomer will touch. Waivers, published pages and tests of what it does come after, and are not counted.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from xent_conformance.cases.corpus import families
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.operators import OPERATORS

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

TABLE = {
    name.strip(): int(count)
    for name, count in re.findall(
        r"^\| (?:\[)?an? ([^|\]]+?)(?:\]\([^)]*\))? \| (\d+)", CONTRIBUTING, re.MULTILINE
    )
}
"""``framework in the tree: 3``, as CONTRIBUTING says it."""

FOLDERS = ("reference", "cases", "conformance", "reports")
GOLDEN = "tests/cases/test_corpus.py"
EIGHT_BITS = "reference/bounds/eight_bits.py"
"""What few operators are asked in, and derived for."""

SMOKE = "cases/smoke.py"

FOUNDATIONS = "cases/family.py"
"""What stands for the others before a compiler is a choice too."""

FEATURED = "reports/text/featured.py"
"""What the pages say first is a choice; nothing has to be in it."""


@functools.cache
def sources() -> tuple[Path, ...]:
    """Everything that is written by hand and shipped, and what installs it."""
    written = (
        file
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*"))
        if file.suffix in (".py", ".html", ".md") and not {"known", "published"} & set(file.parts)
    )
    return (*written, ROOT / "pyproject.toml")


def knowing(*patterns: str) -> set[str]:
    """The files in which one of the patterns is found."""
    wanted = re.compile("|".join(patterns))
    return {file.relative_to(ROOT).as_posix() for file in sources() if wanted.search(_text(file))}


@functools.cache
def _text(file: Path) -> str:
    """Each is looked through for hundreds of names."""
    return file.read_text(encoding="utf-8")


def quoted(*names: str) -> list[str]:
    return [rf"[\"']{re.escape(name)}[\"'\[>=,]" for name in names]


def test_the_table_says_all() -> None:
    assert set(TABLE) == {
        "framework as a plug-in", "framework in the tree", "implementation", "family", "operator", "clause",
        "section of the page", "variant of a device",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["mlx", "paddle", "tinygrad", "optax"])
def test_a_framework(name: str) -> None:
    """Its adapter, the line that registers it, and how it is installed."""
    files = knowing(*quoted(name), rf"^{name} = ", rf"\b{name}\.\*")
    expected = {f"conformance/frameworks/{name}.py", "conformance/discovery/framework.py", "pyproject.toml"}
    assert expected <= files and len(expected) == TABLE["framework in the tree"]
    rest = files - expected
    extras = {"conformance/explain/script/dialects.py", "reports/text/trackers.py"}
    assert rest <= extras, "scripts in its own dialect, and issues in the form of its tracker, are extras"


def test_a_framework_as_a_plug_in_is_one_file() -> None:
    """The smallest of its page, which another test runs, is one file and imports one dataclass of ours."""
    page = (ROOT / "docs" / "ADAPTERS.md").read_text(encoding="utf-8")
    (plugin,) = re.findall(r"```python\n(from xent_conformance.frameworks.interface.*?)```", page, re.DOTALL)
    assert TABLE["framework as a plug-in"] == 1
    assert re.findall(r"xent_conformance[\w.]*", plugin) == ["xent_conformance.frameworks.interface"]


@pytest.mark.parametrize("name", list(FRAMEWORKS))
def test_an_implementation(name: str) -> None:
    """Nobody but its adapter knows it by name."""
    adapter = FRAMEWORKS[name].adapter.partition(":")[0].removeprefix("xent_conformance.frameworks.")
    own = {f"conformance/frameworks/{adapter}{of}.py" for of in ("", "_doors", "_layers")}
    for i in FRAMEWORKS[name].declaration.implementations:
        found = knowing(rf"\"{re.escape(i.name)}\"")
        assert found - {"reference/clauses/SPEC.md"} <= own, i.name
    assert TABLE["implementation"] == 1


@pytest.mark.parametrize("name", list(families()))
def test_a_family(name: str) -> None:
    """Its file and the list of families, and the digest of the corpus, which is a test's."""
    files = {f"cases/families/{name}.py", "cases/families/__init__.py"}
    assert files <= knowing(rf"families\.{name} import", rf"Family\(\s*(\"{name}\"|FAMILY)")
    assert len(files) == TABLE["family"] and (ROOT / GOLDEN).is_file()
    if "_" in name:  # the others are words that mean more than a family
        elsewhere = {f for f in knowing(rf"\"{name}\"") if not f.startswith(("cases/", "reports/"))}
        assert elsewhere == set(), "a room of ours that knows one family"


@pytest.mark.parametrize("name", ["log_sigmoid", "logsumexp", "sigmoid_cross_entropy"])
def test_an_operator(name: str) -> None:
    """Definition, entry, bounds of value and gradient, bounds of how it moves, specification; then a door.

    The golden digest is the seventh. Families that are about it alone, readers of its calls, hypotheses about
    how it goes wrong, a sweep of all its numbers, and that ``smoke`` or compilers are asked it, are extras.
    """
    files = knowing(rf"\b{name}\b")
    asked = {f for f in files if f.startswith("cases/families/")}
    doors = {f for f in files if f.startswith(("conformance/frameworks/", "conformance/capturing/"))}
    doors |= {f for f in files if f.startswith(("conformance/diagnosis/", "conformance/sweep/"))}
    needed = files - asked - doors - {FEATURED, EIGHT_BITS, SMOKE, FOUNDATIONS}
    assert len(needed) + 2 <= TABLE["operator"], sorted(needed)
    assert {f.partition("/")[0] for f in needed} == {"reference"} and name in OPERATORS


@pytest.mark.parametrize("number", ["2.8", "4.2", "6.11", "7.6"])
def test_a_clause(number: str) -> None:
    """The specification, and whoever asks it: a family, or the judge where it is charged by what is seen."""
    found = knowing(rf"\"{re.escape(number)}\"") - {FEATURED}
    assert number in clauses() and {f.partition("/")[0] for f in found} == {"cases"}
    assert TABLE["clause"] == 2


def test_a_section_of_the_page() -> None:
    """A file, a template and a line in the list."""
    sections = {f.stem for f in (ROOT / "reports/html/sections").glob("*.py")} - {"__init__"}
    for name in sorted(sections):
        files = knowing(rf"sections\.{name}\b", rf"sections import .*\b{name}\b")
        assert len(files | {f"reports/html/sections/{name}.py"}) <= TABLE["section of the page"], name


@pytest.mark.parametrize("variant", ["isa=avx2", "onednn=off"])
def test_a_variant_of_a_device(variant: str) -> None:
    """Where devices are declared, and nowhere else."""
    assert knowing(rf"\"{re.escape(variant)}\": ") == {"conformance/devices/variants.py"}
    assert TABLE["variant of a device"] == 1
