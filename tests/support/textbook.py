"""Verdicts on the textbook's formulas, which lose digits and overflow: numbers of which much is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tests.support.corpus import of_corpus
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import FAULTS

TARGET = {"framework": "test", "version": "0", "machine": "", "formulation": "composed", "device": "cpu"}

ORACLE = Oracle(default_cache())


def batches(*operators: str, dtypes: tuple[str, ...] = ("float32",)) -> list[Batch]:
    """Of quick, those of ten classes."""
    found = of_corpus("quick", operators=operators, dtypes=dtypes)
    return [b for b in found if b.stacked and b.inputs.n == 10 and not b.inputs.tangent.size]


def textbook(batch: Batch) -> np.ndarray[Any, Any]:
    """``x − log Σ exp x`` of log_softmax, ``exp x / Σ exp x`` of softmax."""
    x = batch.inputs.logits
    with np.errstate(all="ignore"):
        e = np.exp(x)
        total = e.sum(axis=1, keepdims=True, dtype=x.dtype)
        found = x - np.log(total) if batch.operator == "log_softmax" else e / total
        return np.asarray(found, dtype=x.dtype)


def verdicts(batch: Batch) -> pl.DataFrame:
    """What is said of its values."""
    answer = Answer(Question("mine", batch.operator, "eager", "cpu", ("value",)), {"value": textbook(batch)})
    return pl.DataFrame(rows_of(batch, Judge(ORACLE.truth(batch.inputs)), answer, TARGET), schema=SCHEMA)


def broken(asked: list[Batch]) -> list[pl.DataFrame]:
    """The verdicts of each batch that has any which are broken."""
    found = [part for part in map(verdicts, asked) if part["status"].is_in(FAULTS).any()]
    assert len(found) > 4
    return found
