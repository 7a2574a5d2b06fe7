"""The rows of a report: which batch asks them, what is right, and what is said of an answer."""

from __future__ import annotations

import functools

import numpy as np

from tests.support.corpus import of_corpus
from tests.support.historical.formulas import WRONG, Array, rows_given
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.cases.families.historical import FAMILY, Entry, entries, path_safe
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.oracle import Oracle

TARGET = {"framework": "test", "version": "0", "machine": "", "formulation": "composed", "device": "cpu"}
FLAGGED = {"breaks_must", "breaks_should"}

WITHOUT_ARGUMENTS = "tensorflow#59339"
"""The trap whose thread does not give the invalid arguments."""


def by_id(issue: str) -> Entry:
    return next(e for e in entries() if e.id == issue)


@functools.cache
def judge(batch_id: str) -> tuple[Batch, Judge]:
    batch = next(b for b in of_corpus("standard", families=[FAMILY]) if b.id == batch_id)
    return batch, Judge(Oracle().truth(batch.inputs))


@functools.cache
def asked(variant: str, operator: str, dtype: str) -> str:
    """The id of the batch that asks a variant."""
    (found,) = (
        b.id
        for b in of_corpus("standard", operators=[operator], families=[FAMILY], dtypes=[dtype])
        if any(case.variant == variant for case in b.cases)
    )
    return found


def right(batch: Batch, j: Judge, output: str) -> Array:
    """The exact results, rounded once, as an implementation would return them."""
    exact = j.truth.enclosure(output).round_to(batch.inputs.format).astype(batch.inputs.format.dtype)
    single = batch.inputs.attributes.grouped or batch.inputs.definition.value_shape == "scalar"
    return exact[:, 0] if single and output in ("value", "jvp") else exact


def statuses(batch: Batch, j: Judge, output: str, got: Array) -> list[str]:
    question = Question("test", batch.operator, "eager", "cpu", (output,))
    return [row["status"] for row in rows_of(batch, j, Answer(question, {output: got}), TARGET)]


def formula_flags(wrong: tuple[str, str, str]) -> tuple[set[str], set[str]]:
    """The cases of its variant that a wrong formula breaks, its rows alone computed so; and other cases."""
    name, operator, output = wrong
    variant, _, dtype = name.partition(" ")
    batch, j = judge(asked(path_safe(variant), operator, dtype or "float32"))
    rows = [case.row for case in batch.cases if case.variant == path_safe(variant)]
    got = right(batch, j, output)
    with np.errstate(all="ignore"):
        computed = np.asarray(WRONG[wrong](rows_given(batch, rows))).astype(got.dtype)
    got[rows] = computed.reshape(got[rows].shape)
    found = statuses(batch, j, output, got)
    flagged = {case.id for case in batch.cases if found[case.row] in FLAGGED}
    own = {case.id for case in batch.cases if case.row in rows}
    return flagged & own, flagged - own
