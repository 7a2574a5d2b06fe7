"""Families and variants that the reports know by name are asked: one renamed would vanish in silence."""

from __future__ import annotations

import functools

from tests.support.corpus import told
from xent_conformance.check_plugin.values import EASY
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reports.html.sections.refusals import KINDS
from xent_conformance.reports.run.words import ORDINARY
from xent_conformance.reports.text.featured import DRAWN
from xent_conformance.reports.views.formulations import MAGNITUDES
from xent_conformance.versions.matrix import MEASURED


@functools.cache
def asked() -> set[tuple[str, str, str]]:
    """Every family and variant with its operator."""
    return {(case.family, case.variant, case.operator) for case in told()}


def variants() -> set[tuple[str, str]]:
    return {(family, variant) for family, variant, _ in asked()}


def test_every_magnitude_is_made_of_cases_that_are_asked() -> None:
    named = {pair for pairs in MAGNITUDES.values() for pair in pairs}
    assert named - variants() == set()


def test_a_magnitude_is_asked_of_logits_or_of_probabilities() -> None:
    """Rows of a table of one operator: those of ``p`` are for operators of one probability each."""
    for name, pairs in MAGNITUDES.items():
        operators = {o for family, variant, o in asked() if (family, variant) in pairs}
        given = {OPERATORS[o].elementwise and OPERATORS[o].within_unit for o in operators}
        assert given == {name.startswith("p ")}, name


def test_the_operators_whose_errors_are_drawn_are_asked() -> None:
    assert set(DRAWN) <= {operator for _, _, operator in asked()}


def test_every_kind_of_wrong_input_that_has_words_is_asked() -> None:
    assert set(KINDS) - {variant for _, variant in variants()} == set()


def test_the_family_of_plain_rows_is_one_of_every_operator_of_rows() -> None:
    assert ORDINARY == MEASURED == EASY
    operators = {operator for _, _, operator in asked()} & set(OF_ROWS)
    assert {o for family, _, o in asked() if family == ORDINARY} == operators
