"""Proof of power: every seeded fault is caught in the quick profile, and nothing correct is accused."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest

from docs.power import alarms, clauses_of, table
from tests.support.corpus import corpus
from tests.support.faults.asked import CORRECT, SEATS, beyond, quick
from tests.support.faults.fault import Fault
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS, Variant
from tests.support.paths import ROOT
from xent_conformance.asking.questions import outputs
from xent_conformance.frameworks.interface import SPARSE
from xent_conformance.reference.clauses import Level, clauses
from xent_conformance.reference.formats import FORMATS
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


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_a_correct_implementation_raises_no_alarm(variant: Variant) -> None:
    """In any dtype; one that is merely stable breaks the clause on relative accuracy and nothing else."""
    broken = quick().table.filter(pl.col("implementation") == variant.name)
    if variant.stable:
        assert clauses_of(variant.name) == {"1.2": "should"}
    else:
        assert broken.select("case", "output", "clause", "symptom").rows() == []


def test_what_the_honest_break_is_said_beside_the_finding() -> None:
    """None breaks a must; where one breaks a should, its clause says who else is there."""
    honest = quick().table.filter(pl.col("implementation").is_in([v.name for v in VARIANTS]))
    broken = [clauses()[number] for number in honest["clause"].unique()]
    assert broken and all(c.level is Level.SHOULD and c.note for c in broken)


def test_the_correct_implementations_are_asked_all_of_quick() -> None:
    """Every row and output of the profile, of all operators that it is a form of; every answer is judged."""
    seat = next(s for s in SEATS if s.name == "faults")
    every: Counter[str] = Counter()
    for b in corpus("quick"):
        if b.form.wrong == SPARSE:
            continue  # no tensor here is sparse
        every[b.operator] += len(b.inputs) * len(outputs(seat.declaration, b))
    asked = {v.name: sum(every[o] for o in v.operators) for v in VARIANTS}
    assert {name: quick().judged[name] for name in asked} == asked
    assert max(asked.values()) == sum(every.values()) > 10_000
    assert sum(quick().not_judged.values()) == 0


def test_the_correct_implementations_are_asked_differences_that_are_rounded() -> None:
    """In every format: where nothing is rounded nobody is accused of it."""
    asked = {b.inputs.format.name for b in corpus("quick") if b.family == "inexact_differences"}
    assert asked == set(FORMATS)


UNDETACHED = ("softmax:undetached_maximum", "log_softmax:undetached_maximum_of_logarithms")


@pytest.mark.parametrize("name", UNDETACHED)
def test_a_maximum_that_is_not_detached_breaks_a_must(name: str) -> None:
    """In 16 bits, where a looser bound let it pass: 1.2 alone is what honest kernels break as well."""
    assert clauses_of(name) == {"1.1": "must", "1.2": "should", "2.6": "must"}
    beyond_stable = quick().table.filter((pl.col("implementation") == name) & (pl.col("clause") == "1.1"))
    assert set(beyond_stable["family"]) == {"inexact_differences"}


# --- the documentation -------------------------------------------------------------------------------


def test_the_documentation_is_what_is_printed() -> None:
    """Print it anew: ``.venv/bin/python -m docs.power > docs/POWER.md``."""
    assert POWER.read_text(encoding="utf-8") == table()
