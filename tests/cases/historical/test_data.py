"""Reported defects as data: every report is there once, what covers it exists, and the page says so."""

from __future__ import annotations

import fnmatch
import functools
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from docs.historical import page
from tests.support.corpus import of_corpus
from tests.support.historical.asking import WITHOUT_ARGUMENTS
from tests.support.paths import ROOT
from xent_conformance.cases.corpus import find_case
from xent_conformance.cases.families.historical import FAMILY, KINDS, Entry, entries, entry_of, path_safe
from xent_conformance.reference.formats import FORMATS

BUG, DESIGN, TRAP = KINDS

ABOUT = {"id": "x#1", "link": "", "framework": "x", "kind": BUG, "summary": ""}

WITHOUT = {
    *("Megatron-LM#7452", "NNlib.jl#489", "marin#8217", "ml-cross-entropy#42", "pytorch#71367", "xla#7992"),
    *("Paddle#43107", "pytorch#84144", "tensorflow#11723", "tensorflow#17783", "tensorflow#61639"),  # memory
    *("optax#1346", "pytorch#193757", "tensorflow#32869", "tensorflow#41595", "tf-keras#47"),  # other losses
    *("deepmd-kit#5717", "pytorch#102723", "tensorflow#22270", "tensorflow#22793"),  # other arguments
    *("tensorflow#46908", "tensorflow#51967", "tensorflow#59339"),
}


def test_every_report_is_there_once() -> None:
    assert len({e.id for e in entries()}) == len(entries()) == 138
    assert Counter(e.kind for e in entries()) == {BUG: 109, DESIGN: 21, TRAP: 8}
    for e in entries():
        assert e.link.startswith("https://github.com/")
        assert e.framework
        assert 20 < len(e.summary) < 120, e.id


@pytest.mark.parametrize("said", [{}, {"cases": ["a"], "why_not": "b"}, {"cases": []}])
def test_an_entry_says_exactly_one_thing(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="x#1 needs exactly one of cases, rows and why_not"):
        entry_of(ABOUT | said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"cases": ["a"]}, r"claims \('a',\), and is shown by \(\)"),
        ({"cases": ["a"], "recorded": ["a"], "shown_by": ["b"]}, r"claims \(\), and is shown by \('b',\)"),
        ({"recorded": ["a"], "shown_by": ["b"]}, r"claims \(\), and is shown by \('b',\)"),
        ({"why_not": "a", "recorded": ["b"]}, "says why no case asks it, and that cases record it"),
    ],
)
def test_a_claim_and_what_shows_it_stand_together(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"x#1 {words}"):
        entry_of(ABOUT | said)


def test_what_is_recorded_is_not_claimed() -> None:
    entry = entry_of(ABOUT | {"cases": ["a", "b"], "recorded": ["b", "c"], "shown_by": ["d"]})
    assert (entry.patterns, entry.recorded) == (("a",), ("b", "c"))


@functools.cache
def ids(operator: str, family: str) -> tuple[str, ...]:
    """The case ids of a family for an operator, in the largest profile."""
    asked = of_corpus("full", operators=[operator], families=[family])
    return tuple(case.id for b in asked for case in b.cases)


@pytest.mark.parametrize("entry", [e for e in entries() if not e.why_not], ids=lambda e: e.id)
def test_what_covers_a_report_exists(entry: Entry) -> None:
    assert entry.patterns or entry.recorded
    for pattern in (*entry.patterns, *entry.recorded):
        operator, family, *_ = pattern.split("/")
        assert (family == FAMILY) == bool(entry.rows), "a row is asked by its own family"
        assert fnmatch.filter(ids(operator, family), pattern), pattern


def test_every_row_is_asked_as_often_as_the_data_says() -> None:
    found = Counter(case.variant for b in of_corpus("standard", families=[FAMILY]) for case in b.cases)
    wanted: Counter[str] = Counter()
    for row in (row for e in entries() for row in e.rows):
        wanted[row.variant] += len(row.dtypes) * (1 if row.attributes.grouped else len(row.logits))
    assert found == wanted
    assert {variant.split("+")[0] for variant in found} == {path_safe(e.id) for e in entries() if e.rows}


def test_every_case_is_found_and_none_is_asked_in_quick() -> None:
    for b in of_corpus("standard", families=[FAMILY]):
        for case in b.cases:
            found, again = find_case(case.id)
            assert (found.id, found.inputs.digest, again) == (b.id, b.inputs.digest, case)
    assert of_corpus("quick", families=[FAMILY]) == []


def test_every_length_has_a_row_in_every_format() -> None:
    """A family's formats are those of all its lengths: an empty batch is refused by the corpus."""
    asked: dict[tuple[str, int], set[str]] = {}
    for row in (row for e in entries() for row in e.rows):
        asked.setdefault((row.operator, row.n), set()).update(row.dtypes)
    assert {key for key, names in asked.items() if names != set(FORMATS)} == set()


def test_what_no_case_can_ask_is_known() -> None:
    """So that no report loses its case unseen."""
    without = [e for e in entries() if e.why_not]
    assert {e.id for e in without} == WITHOUT
    assert all(len(e.why_not) > 30 for e in without)
    assert [e.id for e in without if e.kind == TRAP] == [WITHOUT_ARGUMENTS]


def test_the_page_is_what_the_data_says() -> None:
    assert (ROOT / "docs" / "HISTORICAL.md").read_text(encoding="utf-8") == page()


def test_the_command_prints_the_page() -> None:
    command = [sys.executable, "-m", "docs.historical"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert printed.decode() == page()
