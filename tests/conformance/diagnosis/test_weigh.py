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
from xent_conformance.diagnosis.choice import DOOR, Explained
from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.layers import LAYER
from xent_conformance.diagnosis.predict import HYPOTHESES, Right, modelled, predictions
from xent_conformance.diagnosis.said import Said
from xent_conformance.diagnosis.weigh import weigh
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import FAULTS

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
        assert e.ids.size and ("log of the whole sum", "") not in e.by


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
        for name in door.by:
            ids = door.of(name)
            assert set(ids) <= set(mine["_id"])
            numbers = mine.filter(pl.col("_id").is_in(ids.tolist()))
            assert numbers["status"].is_in(FAULTS).all()
            if name[0] == "log of the whole sum":  # which is where the odd number is not
                assert not (numbers["got"] == 7.25).any()
                explained += len(ids)
    assert explained > 10 and len(found) == 2 * both["dtype"].n_unique()


def test_every_hypothesis_says_what_it_is() -> None:
    assert len({(h.name, h.variant) for h in HYPOTHESES}) == len(HYPOTHESES) > 130
    for h in HYPOTHESES:
        assert len(h.sentence) > 10 and h.source and h.where
        assert h.where <= FORMULAS.keys() or h.where <= set(product([LAYER], OPERATORS[LAYER].outputs))
