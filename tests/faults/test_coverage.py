"""No family and no clause is idle: each is asked, broken by some fault, or says why it is there."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping

import polars as pl
import pytest

from docs.power import only_by
from tests.support.corpus import of_corpus, told
from tests.support.faults.asked import beyond, quick
from tests.support.faults.kept import KEPT
from tests.support.faults.seeded import FAULTS
from xent_conformance.cases.corpus import families
from xent_conformance.reference.clauses import Level, clauses


@functools.cache
def asking() -> Mapping[str, set[str]]:
    """For each clause that some case of some profile names, the families that ask it."""
    found: dict[str, set[str]] = defaultdict(set)
    for case in told():
        found[case.clause].add(case.family)
    return found


def test_every_clause_has_a_case_and_every_case_a_clause() -> None:
    """But 1.7, 5.11, 7.11 and 7.13, which are charged by what happens, whatever the case tests."""
    assert set(clauses()) == {*asking(), "1.7", "5.11", "7.11", "7.13"}


@pytest.mark.long
def test_every_judged_clause_is_broken_by_a_fault() -> None:
    tables = [quick().table, *(beyond(f.name).table for f in FAULTS if f.beyond)]
    seeded = pl.col("implementation").is_in([f.name for f in FAULTS])
    broken = {clause for t in tables for clause in t.filter(seeded)["clause"]}
    assert broken == {c.id for c in clauses().values() if c.level is not Level.OPEN}


def test_without_any_one_family_a_fault_survives() -> None:
    """Or the family says why it is kept; what it says does not outlive its truth."""
    needed = {family for family, faults in only_by().items() if faults}
    assert set(families()) - needed == set(KEPT)


def test_a_family_that_no_fault_needs_has_no_clause_of_its_own() -> None:
    """None that can be broken: such a clause, asked by it alone, would want a fault that breaks it."""
    judged = {c.id for c in clauses().values() if c.level is not Level.OPEN}
    for family in KEPT:
        assert [clause for clause, by in asking().items() if by == {family} and clause in judged] == []


def test_every_family_that_is_needed_beyond_quick_is_declared_so() -> None:
    """A fault that is seen beyond quick names a family, and a profile in which it is asked."""
    for where in (f.beyond for f in FAULTS if f.beyond):
        asked = of_corpus(where.profile, families=[where.family], dtypes=[where.dtype])
        assert asked
