"""A hypothesis of several forms has a sentence for all of them, and one of a single form only its own."""

from __future__ import annotations

from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.rules import FORM_RULES, INDEX_CAST, RULES
from xent_conformance.diagnosis.told import OF_ALL_FORMS


def test_every_hypothesis_of_several_forms_has_a_sentence_for_all() -> None:
    sentences: dict[str, set[str]] = {}
    for said in (*FORM_RULES, INDEX_CAST, *RULES, *HYPOTHESES):
        sentences.setdefault(said.name, set()).add(said.sentence)
    assert {name for name, found in sentences.items() if len(found) > 1} == set(OF_ALL_FORMS)


def test_a_sentence_is_not_one_of_its_forms_alone_where_it_cannot_be() -> None:
    told = OF_ALL_FORMS["a sum in 16 bits"]
    assert told not in {h.sentence for h in HYPOTHESES} and "cotangent" not in told and "loss" not in told
