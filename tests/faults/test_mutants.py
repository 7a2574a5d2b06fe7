"""Mechanical mutants of a textbook are all caught, unless they are shown to be the same function."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter

import pytest

from docs.mutants import EQUIVALENT, page
from tests.support.corpus import of_corpus
from tests.support.mutants import textbook
from tests.support.mutants.adapter import DOORS, Textbook
from tests.support.mutants.asked import Bench, survivors
from tests.support.mutants.mutate import TEXTBOOK, Mutant, callers, mutants
from tests.support.paths import ROOT
from xent_conformance.reference.operators import OF_ROWS


def test_the_textbook_itself_breaks_nothing() -> None:
    bench = Bench("quick")
    asked = of_corpus("quick")
    assert [b.id for b in asked if bench.breaks(textbook, b)] == []
    assert set(DOORS) == set(OF_ROWS)


@pytest.mark.long
def test_every_mutant_is_caught_in_quick_or_is_the_same_function() -> None:
    assert [m.name for m in survivors()] == [name for name in _names() if name in EQUIVALENT]
    assert set(EQUIVALENT) <= set(_names()), "a mutant that is no longer made"


def _names() -> list[str]:
    return [m.name for m in mutants()]


def test_there_are_many_and_each_is_another() -> None:
    assert len(mutants()) > 150
    assert max(Counter(_names()).values()) == 1
    functions = set(re.findall(r"^def (\w+)", TEXTBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    assert {m.function for m in mutants()} == functions, "a function that nothing is changed in"


def test_a_mutant_differs_from_the_textbook_in_one_line() -> None:
    lines = functools.cache(lambda node: ast.unparse(node).splitlines())
    textbook_as_it_is = ast.parse(TEXTBOOK.read_text(encoding="utf-8")).body
    for m in mutants():
        pairs = zip(textbook_as_it_is, m.tree.body, strict=True)
        different = [
            (a, b) for is_, has in pairs for a, b in zip(lines(is_), lines(has), strict=True) if a != b
        ]
        assert len(different) == 1, m.name


@pytest.mark.parametrize(
    ("function", "doors"),
    [
        ("logit", {"logit", "given_binary_cross_entropy"}),
        ("softplus", {"log_sigmoid", "binary_cross_entropy"}),
        ("effective", {"cross_entropy", "sparse_cross_entropy", "given_cross_entropy"}),
    ],
)
def test_who_is_asked_about_a_change(function: str, doors: set[str]) -> None:
    assert callers(function) & {door for door, _ in DOORS.values()} == doors


def test_a_change_that_means_nothing_survives() -> None:
    """Or the bench would catch whatever it is given."""
    same = Mutant("same", "softmax", "", mutants()[0].tree)
    assert Bench("quick").caught(same), "the first change is one"
    assert not Bench("quick").caught(
        Mutant("same", "logit", "", ast.parse(TEXTBOOK.read_text(encoding="utf-8")))
    )
    assert Textbook.module is not textbook


def test_the_page_is_what_the_command_prints() -> None:
    assert (ROOT / "docs" / "MUTANTS.md").read_text(encoding="utf-8") == page()
