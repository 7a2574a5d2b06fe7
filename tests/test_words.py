"""One word for one thing in what users read: README, pages of docs, the terminal, what CI reads, refusals.

A verdict *conforms*, an *implementation* is asked, a waiver accepts a *cause*. The words that were there
beside these are refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

DROPPED = {
    r"\bdoors?\b": "implementation",
    r"\b(?:clause|verdict|answer|row)s? (?:that )?(?:holds?|held)\b|\bbroken holds\b": "conforms",
    r"\b(?:known|accepted|this) divergences?\b|\bdivergence (?:is|you) accept": "cause",
}
"""What is refused, and what is said in its place. A grade is ``divergent``; Kullback's is a divergence."""

PAGES = [p for p in (ROOT / "docs").glob("*.md") if p.name not in ("HISTORICAL.md", "POWER.md")]
"""Those two quote reports of others, and what each fault does."""

ROOMS = (
    "reports/terminal",
    "reports/text",
    "reports/views",
    "reports/ci",
    "reports/html",
    "reports/run",
    "conformance/commands",
    "conformance/configuration",
    "conformance/decision",
    "conformance/devices",
    "conformance/explain",
    "conformance/kernel",
    "conformance/pytesting",
    "conformance/discovery",
    "conformance/versions",
)
"""The rooms whose texts a user reads."""


def _prose(text: str) -> str:
    """Without names of files and of code, which are no words."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return re.sub(r"`[^`]*`|\]\([^)]*\)|docs[./]doors|DOORS\.md", "", text, flags=re.IGNORECASE)


def _said(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module that are sentences and no documentation, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in bare else None
        if isinstance(text, str) and " " in text.strip():
            yield node.lineno, text  # type: ignore[attr-defined]


def _refused(text: str) -> list[str]:
    found = ((m[0], instead) for p, instead in DROPPED.items() for m in re.finditer(p, text, re.IGNORECASE))
    return [f"{word!r}: say {instead}" for word, instead in found]


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda p: p.name)
def test_a_page_has_one_word_for_one_thing(path: Path) -> None:
    assert _refused(_prose(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_printed_has_one_word_for_one_thing(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [(f.name, line, wrong) for f in files for line, text in _said(f) for wrong in _refused(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "none of the doors exceeds it",
        "every clause holds",
        "a clause that held is broken",
        "accept this divergence",
        "write why a known divergence stays",
    ],
)
def test_a_word_that_was_dropped_is_seen(text: str) -> None:
    assert _refused(text)


@pytest.mark.parametrize(
    "text", ["the Kullback-Leibler divergence of two", "--json FILE holds all", "divergent"]
)
def test_a_word_that_means_something_else_is_not(text: str) -> None:
    assert not _refused(text)
