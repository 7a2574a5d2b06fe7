"""Proof of power: every seeded fault is caught in the quick profile, and nothing correct is accused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from blocks import CORRECT
from power import BROKEN, alarms, verdicts
from seeded import FAULTS

from cases.corpus import batches
from reference.operators import OPERATORS

POWER = Path(__file__).resolve().parents[2] / "docs" / "POWER.md"


def test_there_are_at_least_sixty_faults_and_every_operator_has_some() -> None:
    assert len(FAULTS) >= 60
    assert {f.operator for f in FAULTS} == set(OPERATORS)
    assert len({f.name for f in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("name", [f.name for f in FAULTS])
def test_the_fault_is_caught(name: str) -> None:
    """By at least one must or should clause, in at least one case."""
    assert sum(alarms()[name].values()) > 0


def test_the_correct_implementation_raises_no_alarm() -> None:
    correct = verdicts().filter(pl.col("implementation") == "correct")
    accused = correct.filter(pl.col("status").is_in(BROKEN))
    assert accused.select("case", "output", "clause", "symptom").rows() == []
    assert correct.height > 5000, "the correct implementation was hardly asked"
    assert set(CORRECT) == set(OPERATORS)


def test_every_family_of_the_profile_catches_something() -> None:
    caught: Counter[str] = sum(alarms().values(), Counter())
    assert {b.family for b in batches("quick")} == {family for family, n in caught.items() if n}


def test_the_table_in_the_documentation_names_every_fault() -> None:
    """Its counts may differ by a libm; its rows may not. Print it anew with tests/faults/power.py."""
    text = POWER.read_text(encoding="utf-8")
    assert [f.name for f in FAULTS if f"`{f.name}`" not in text] == []
    assert f"{len(FAULTS)} faults" in text
