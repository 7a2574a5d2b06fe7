"""The formulas that hypotheses replace a piece of are right; one that is replaced changes what it must."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import corpus
from tests.support.judging import verdicts_of
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.pieces import Pieces, piece
from xent_conformance.diagnosis.predict import modelled
from xent_conformance.diagnosis.situation import WIDE, Situation, arithmetics
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import BFLOAT16, BINARY32, BINARY64
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import FAULTS

ORACLE = Oracle(default_cache())


def first_of_each(operator: str) -> list[Batch]:
    """One batch of each family, format and set of attributes that quick asks of an operator."""
    found: dict[object, Batch] = {}
    for b in corpus("quick"):
        if b.operator == operator and modelled(b.inputs):
            given = tuple(sorted(b.inputs.attributes.given))
            kind = b.family, b.inputs.format.name, given, bool(b.inputs.tangent.size), b.inputs.copies > 1
            found.setdefault(kind, b)
    return list(found.values())


@pytest.mark.parametrize("operator", OF_ROWS)
def test_what_nothing_is_replaced_in_breaks_nothing(operator: str) -> None:
    """With reductions, weights of classes and rows, masks, composites, and along tangents."""
    asked = first_of_each(operator)
    assert len(asked) > (10 if OPERATORS[operator].plain_labels else 15)
    for b in asked:
        truth = ORACLE.truth(b.inputs)
        judge = Judge(truth)
        for output in b.inputs.outputs:
            with np.errstate(all="ignore"):
                got = Situation(truth, WIDE, output, FORMULAS).whole[0].astype(b.inputs.format.dtype)
            assert got.shape == truth.enclosure(output).hi.shape
            broken = [v for v in verdicts_of(judge, b.cases, output, got) if v.status.value in FAULTS]
            assert not broken, (b.id, output, broken[0])


def test_the_arithmetics_of_a_format() -> None:
    assert [a.working.name for a in arithmetics(BINARY64)] == ["float64"]
    assert [a.working.name for a in arithmetics(BINARY32)] == ["float32", "float64"]
    assert len(arithmetics(BFLOAT16)) == 5 and WIDE in arithmetics(BFLOAT16)


class Array(Pieces):
    @piece
    def a(self) -> np.ndarray:
        return np.zeros(2)


class Sum(Pieces):
    """Two pieces that something is made of, and one that is not."""

    made = 0

    @piece
    def a(self) -> int:
        return 1

    @piece
    def b(self) -> int:
        Sum.made += 1
        return 2

    @piece
    def total(self) -> int:
        return self.a + self.b

    @piece
    def twice(self) -> int:
        return 2 * self.total


def test_what_is_made_of_a_replaced_piece_is_made_anew_and_the_rest_is_shared() -> None:
    Sum.made = 0
    z = Sum()
    assert (z.twice, Sum.made) == (6, 1)
    other = z.but(a=10)
    assert (other.twice, other.total, z.twice, Sum.made) == (24, 12, 6, 1)
    assert (z.but(total=1).twice, z.but(b=0).twice) == (2, 2)
    assert other.but(b=1).twice == 22


def test_nothing_is_made_anew_where_what_is_replaced_is_the_same_bit_for_bit() -> None:
    z = Sum()
    assert z.twice == 6
    assert z.but(a=1) is z and z.but(a=1.0) is not z, "another format"
    held = Array()
    assert held.a[0] == 0.0
    assert held.but(a=np.zeros(2)) is held and held.but(a=-np.zeros(2)) is not held
    assert held.but(a=np.zeros(1)) is not held and held.but(a=np.zeros(2, np.float32)) is not held


def test_a_piece_that_is_held_fast_stays_where_another_is_replaced() -> None:
    z = Sum()
    assert z.but(a=5, total=z.total).twice == 6
