"""Proof of power: every seeded fault is caught in the quick profile, and nothing correct is accused."""

from __future__ import annotations

import polars as pl
import pytest

from docs.power import alarms, clauses_of, table
from tests.support.corpus import corpus
from tests.support.faults.asked import CORRECT, SEATS, beyond, quick
from tests.support.faults.fault import Fault
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import MERELY_STABLE, VARIANTS
from tests.support.paths import ROOT
from xent_conformance.asking.questions import outputs
from xent_conformance.reference.operators import OPERATORS

POWER = ROOT / "docs" / "POWER.md"


def test_there_are_many_faults_and_every_operator_has_some() -> None:
    assert len(FAULTS) >= 95
    assert {f.operator for f in FAULTS} == set(OPERATORS)
    assert len({f.name for f in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", [f for f in FAULTS if not f.beyond], ids=lambda f: f.name)
def test_the_fault_is_caught(fault: Fault) -> None:
    """By at least one must or should clause, in at least one case."""
    assert alarms().get(fault.name)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.beyond], ids=lambda f: f.name)
def test_the_fault_that_quick_cannot_see_is_caught_beyond(fault: Fault) -> None:
    """Where it says, and only because it must: quick, which is asked as well, does not see it."""
    assert fault.beyond is not None
    assert not alarms().get(fault.name)
    found = beyond(fault.name)
    assert found.judged[CORRECT] == found.judged[fault.name] > 0
    assert set(found.table["implementation"]) == {fault.name}


def test_a_fault_of_one_mode_is_accused_in_that_mode_alone() -> None:
    of_a_mode = [f for f in FAULTS if f.mode != "eager"]
    assert of_a_mode
    for fault in of_a_mode:
        accused = quick().table.filter(pl.col("implementation") == fault.name)
        assert set(accused["mode"]) == {fault.mode}


# --- the correct ones --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [v.name for v in VARIANTS])
def test_a_correct_implementation_raises_no_alarm(name: str) -> None:
    """In any dtype; one that is merely stable breaks the clause on relative accuracy and nothing else."""
    broken = quick().table.filter(pl.col("implementation") == name)
    if name in MERELY_STABLE:
        assert clauses_of(name) == {MERELY_STABLE[name]: "should"}
    else:
        assert broken.select("case", "output", "clause", "symptom").rows() == []


def test_the_correct_implementations_are_asked_all_of_quick() -> None:
    """Every row and output of the profile, and every answer is judged."""
    seat = next(s for s in SEATS if s.name == "faults")
    every = sum(len(b.inputs) * len(outputs(seat.declaration, b)) for b in corpus("quick"))
    assert {v.name: quick().judged[v.name] for v in VARIANTS} == dict.fromkeys(
        (v.name for v in VARIANTS), every
    )
    assert every > 10_000
    assert sum(quick().not_judged.values()) == 0


# --- the documentation -------------------------------------------------------------------------------


def test_the_documentation_is_what_is_printed() -> None:
    """Print it anew: ``.venv/bin/python -m docs.power > docs/POWER.md``."""
    assert POWER.read_text(encoding="utf-8") == table()
