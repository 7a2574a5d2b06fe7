"""A fault of each kind fails the gate of an upgrade that brings it, and a correct variant passes.

The baseline answers the same rows right: what the bench of faults keeps is what a fault breaks, so each of
its rows conformed before. In ``quick``, as docs/POWER.md has them.
"""

from __future__ import annotations

import functools

import polars as pl
import pytest

from tests.support.faults.asked import quick
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from tests.support.small_run import header, run_of, verdict
from xent_conformance.decision.gate import decide
from xent_conformance.reports.run.words import Symptom
from xent_conformance.reports.views.gate import PASSED, Gate
from xent_conformance.reports.views.reasons import Kind

MILD = (Symptom.LOST_ACCURACY.value, Symptom.FLUSHED.value, Symptom.OTHER_BITS.value)
"""What a should clause alone holds against a number that is otherwise right."""


@functools.cache
def upgrade_to(name: str) -> Gate:
    """The gate on an implementation as it is, with one that was right as its baseline."""
    broken = quick().table.filter(pl.col("implementation") == name)
    rows = [verdict(**row) for row in broken.iter_rows(named=True)]
    right = {"status": "conforms", "symptom": "none", "grade": "exact", "ulps": 0.0, "ratio": 0.0}
    return decide(run_of(rows, header()), baseline=run_of([row | right for row in rows], header()))


def test_a_fault_that_breaks_a_must_clause_fails_the_gate() -> None:
    must = quick().table.filter(pl.col("level") == "must")["implementation"].unique()
    asked = [f.name for f in FAULTS if f.name in set(must)]
    assert len(asked) > 200
    assert [name for name in asked if upgrade_to(name).status == PASSED] == []


def test_what_passes_of_the_others_is_accuracy_in_few_rows() -> None:
    """A should clause blocks where the meaning changes, or accuracy in more rows than luck has."""
    must = set(quick().table.filter(pl.col("level") == "must")["implementation"])
    for fault in FAULTS:
        if fault.beyond or fault.name in must:
            continue
        gate = upgrade_to(fault.name)
        symptoms = {r.symptom for r in gate.reasons}
        assert gate.status != PASSED or symptoms <= set(MILD), fault.name


@pytest.mark.parametrize("name", [v.name for v in VARIANTS if not v.stable])
def test_a_silent_variant_passes(name: str) -> None:
    """It breaks nothing, so nothing is compared: the gate has no reason against it."""
    assert quick().table.filter(pl.col("implementation") == name).is_empty()


def test_the_kinds_that_block_are_those_of_a_change() -> None:
    names = [f.name for f in FAULTS if not f.beyond][:40]
    kinds = {r.kind for name in names for r in upgrade_to(name).blocking}
    assert kinds == {Kind.REGRESSED, Kind.LESS_ACCURATE}
