"""A hypothesis is named where it is what was computed, and refused where one right row contradicts it."""

from __future__ import annotations

import functools
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.corpus import of_corpus
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.layers import LAYER
from xent_conformance.diagnosis.predict import HYPOTHESES, Right, modelled, predictions
from xent_conformance.diagnosis.said import Said
from xent_conformance.diagnosis.weigh import DOOR, Explained, Weighed, explain, weigh
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA

TARGET = {"framework": "test", "version": "0", "machine": "", "formulation": "composed", "device": "cpu"}

ORACLE = Oracle(default_cache())


@functools.cache
def asked(operator: str) -> tuple[Batch, ...]:
    """The plain batches of binary32 and binary64 that ``quick`` asks, of few classes."""
    found = of_corpus("quick", operators=[operator], dtypes=["float32", "float64"])
    return tuple(
        b
        for b in found
        if b.stacked and 1 < b.inputs.n <= 16 and modelled(b.inputs) and not b.inputs.tangent.size
    )


JUDGES: dict[str, Judge] = {}


def judge(batch: Batch) -> Judge:
    if batch.id not in JUDGES:
        JUDGES[batch.id] = Judge(ORACLE.truth(batch.inputs))
    return JUDGES[batch.id]


def verdicts(operator: str, output: str, answer: Any) -> pl.DataFrame:
    """What is said of one that returns ``answer(batch)``, of one output."""
    rows: list[dict[str, Any]] = []
    for batch in asked(operator):
        got = np.asarray(answer(batch)).astype(batch.inputs.format.dtype)
        scalar = batch.inputs.definition.value_shape == "scalar" and output == "value"
        question = Question("mine", operator, "eager", "cpu", (output,))
        found = {output: got[:, 0] if scalar else got}
        rows += rows_of(batch, judge(batch), Answer(question, found), TARGET)
    return pl.DataFrame(rows, schema=SCHEMA).with_row_index("_id")


def weighed(operator: str, output: str, answer: Any) -> list[Explained]:
    places = {case.id: (batch, case.row) for batch in asked(operator) for case in batch.cases}
    return list(weigh(verdicts(operator, output, answer).lazy(), places, Said(ORACLE)))


def predicted(name: str, output: str, batch: Batch) -> Any:
    (found,) = predictions(Right(ORACLE.truth(batch.inputs), output), lambda n: n == (name, ""))
    return found.values


@pytest.mark.parametrize("operator", ["softmax", "log_softmax", "sigmoid_cross_entropy"])
def test_nothing_is_said_of_what_is_right(operator: str) -> None:
    def right(batch: Batch) -> Any:
        return ORACLE.truth(batch.inputs).enclosure("value").round_to(batch.inputs.format)

    assert weighed(operator, "value", right) == []


def test_a_textbook_that_is_right_in_a_few_rows_contradicts_it() -> None:
    """The log of the whole sum, but for the rows that it breaks in binary32: nobody computes like that."""

    def mixed(batch: Batch) -> Any:
        wrong = np.array(predicted("log of the whole sum", "value", batch))
        right = ORACLE.truth(batch.inputs).enclosure("value").round_to(batch.inputs.format)
        return np.where((np.arange(len(wrong)) % 2 == 0)[:, None], right, wrong)

    for e in weighed("log_softmax", "value", mixed):
        assert e.broken and ("log of the whole sum", "") not in e.by


# --- the choice among several ----------------------------------------------------------------------------

DOORS = tuple("" for _ in DOOR)
LOG, ROUNDED = ("log of the whole sum", ""), ("log of a rounded probability", "softmax")
CLIPPED, OTHER = ("clipped by ε", "1e-07"), ("another base", "2")


def test_each_answers_for_its_own_numbers() -> None:
    """Two that are asked the same stand in one call, and what one has wrong is told of nobody else."""

    def textbook(batch: Batch) -> Any:
        return predicted("log of the whole sum", "value", batch)

    def now_and_then(batch: Batch) -> Any:
        """Wrong as the textbook is, but of every third row another number."""
        found = np.array(textbook(batch))
        found[::3] = 7.25
        return found

    alone = [verdicts("log_softmax", "value", answer) for answer in (textbook, now_and_then)]
    both = pl.concat(
        [
            found.drop("_id").with_columns(implementation=pl.lit(name, found.schema["implementation"]))
            for name, found in zip(("one", "two"), alone, strict=True)
        ]
    ).with_row_index("_id")
    places = {case.id: (batch, case.row) for batch in asked("log_softmax") for case in batch.cases}
    found = weigh(both.lazy(), places, Said(ORACLE))
    explained = 0
    for door in found:
        mine = both.filter(
            pl.col("implementation") == door.door[DOOR.index("implementation")],
            pl.col("dtype") == door.door[DOOR.index("dtype")],
        )
        for ids in door.by.values():
            assert ids <= set(mine["_id"])
            explained += len(ids)
    assert explained > 0 and len(found) == 2 * both["dtype"].n_unique()


def told(broken: int, *found: Weighed) -> dict[Any, Any]:
    (e,) = explain([(Explained(DOORS, broken, 7, {}), list(found))])
    assert (e.broken, e.conforming) == (broken, 7)
    return dict(e.by)


def test_the_one_that_explains_most_comes_first_and_the_rest_what_is_left() -> None:
    found = Weighed(LOG, frozenset({1, 2, 3}), 0), Weighed(ROUNDED, frozenset({3, 4}), 0)
    assert told(5, *found) == {LOG: {1, 2, 3}, ROUNDED: {4}}


def test_one_contradiction_refuses() -> None:
    found = Weighed(LOG, frozenset({1, 2, 3}), 1), Weighed(ROUNDED, frozenset({3}), 0)
    assert told(3, *found) == {ROUNDED: {3}}


def test_of_two_that_explain_the_same_the_simplest_is_told() -> None:
    assert told(1, Weighed(ROUNDED, frozenset({1}), 0), Weighed(LOG, frozenset({1}), 0)) == {LOG: {1}}


def test_how_simple_is_a_matter_of_the_output_and_not_of_other_outputs() -> None:
    """Elsewhere both have a form of rank 1; of this output one of them supposes more."""
    subtracted, log = (
        (name, "(P − 1) softplus(−x) − x") for name in ("two softplus subtracted", "log of the whole sum")
    )
    place = {"operator": "sigmoid_cross_entropy", "output": "grad_labels"}
    door = tuple(place.get(column, "") for column in DOOR)
    found = [Weighed(name, frozenset({1}), 0) for name in (log, subtracted)]
    about = [Weighed(log, frozenset({2, 3, 4}), 0)]
    e, _ = explain([(Explained(door, 1, 0, {}), found), (Explained(DOORS, 3, 0, {}), about)])
    assert e.by == {subtracted: {1}}


def test_what_is_left_goes_to_what_explains_most_in_the_whole_run() -> None:
    """Either would do for the third; what is left elsewhere says which of the two is about."""
    clipped, rounded = Weighed(CLIPPED, frozenset({3}), 0), Weighed(ROUNDED, frozenset({3}), 0)
    here = [Weighed(LOG, frozenset({1, 2}), 0), clipped, rounded]
    there = [Weighed(LOG, frozenset({4, 5}), 0), Weighed(CLIPPED, frozenset({6}), 0)]
    assert told(3, *here) == {LOG: {1, 2}, ROUNDED: {3}}
    e, _ = explain([(Explained(DOORS, 3, 0, {}), found) for found in (here, there)])
    assert e.by == {LOG: {1, 2}, CLIPPED: {3}}


def test_of_two_that_are_as_simple_the_one_that_is_about_is_told() -> None:
    """Both are of one rank, and explain all of a door; another door tells which it is."""
    weights, smoothing = ("weights are not applied", ""), ("smoothing is not applied", "")
    here = [Weighed(weights, frozenset({1}), 0), Weighed(smoothing, frozenset({1}), 0)]
    assert told(1, *here) == {weights: {1}}
    there = [Weighed(smoothing, frozenset({2, 3}), 0)]
    e, _ = explain([(Explained(DOORS, 1, 0, {}), found) for found in (here, there)])
    assert e.by == {smoothing: {1}}


def test_a_constant_that_is_chosen_for_one_number_says_nothing() -> None:
    assert told(1, Weighed(CLIPPED, frozenset({1}), 0)) == {}
    assert told(2, Weighed(CLIPPED, frozenset({1, 2}), 0)) == {CLIPPED: {1, 2}}


def test_another_function_is_seen_where_rounding_is_no_explanation() -> None:
    assert told(1, Weighed(OTHER, frozenset({1}), 0, severe=False)) == {}
    assert told(1, Weighed(OTHER, frozenset({1}), 0)) == {OTHER: {1}}
    assert told(1, Weighed(LOG, frozenset({1}), 0, severe=False)) == {LOG: {1}}


def test_unexplained_is_an_answer() -> None:
    assert told(1, Weighed(LOG, frozenset(), 0)) == {}


def test_every_hypothesis_says_what_it_is() -> None:
    assert len({(h.name, h.variant) for h in HYPOTHESES}) == len(HYPOTHESES) > 130
    for h in HYPOTHESES:
        assert len(h.sentence) > 10 and h.source and h.where
        assert h.where <= FORMULAS.keys() or h.where <= set(product([LAYER], OPERATORS[LAYER].outputs))
