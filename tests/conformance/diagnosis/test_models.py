"""Each hypothesis is named where it is what was computed, and says nothing of what is right.

What it predicts is given back as if an implementation had returned it; that the names are right for code that
was written without the hypotheses is shown by the seeded faults (``test_faults.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.corpus import corpus, of_corpus
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.doors import OTHER
from xent_conformance.diagnosis.hypothesis import Hypothesis
from xent_conformance.diagnosis.predict import HYPOTHESES, Name, Prediction, Right, predictions
from xent_conformance.diagnosis.said import Said, last_axis
from xent_conformance.diagnosis.weigh import weigh, weighed
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.bits import bits_of_rows
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import FAULTS, Symptom

TARGET = {"framework": "test", "version": "0", "machine": "", "formulation": "composed", "device": "cpu"}
ORACLE = Oracle(default_cache())
BEYOND_QUICK = {
    ("a sum in 16 bits", "of the losses"): "attributes",
    ("a mean in 16 bits", "divided first"): "attributes",
    ("a mean in 16 bits", "divided last"): "element_weights",
    ("in fewer bits", "a weight less one"): "forms",
    ("the square of a sum overflows", ""): "huge_logits",
    ("0·∞ is NaN", "of the square of a probability"): "derivatives",
    ("a product is derived factor by factor", "t p − t (1 − p)"): "derivatives",
    ("a product is derived factor by factor", "p² − 2 p z + z"): "derivatives",
}
"""What the standard profile alone asks, huge weights in binary16 among it, and the family that does."""

ENOUGH = 2
"""So many calls are enough to be wrong in."""


@functools.cache
def asked(operator: str, family: str) -> tuple[Batch, ...]:
    """Calls of one format each, those with attributes and the special ones before the ordinary.

    ``quick``; or, of a family, what ``standard`` asks.
    """
    of = of_corpus("standard", operators=[operator], families=[family]) if family else corpus("quick")
    found = [b for b in of if b.operator == operator and b.inputs.logits.size and b.inputs.n < 2000]
    found = [b for b in found if not b.form.again and b.form.class_shape is None]
    return tuple(sorted(found, key=lambda b: (b.family == "ordinary", b.inputs.logits.size)))


def wrong(h: Hypothesis) -> Iterator[tuple[Batch, str, Prediction]]:
    """Calls in which code of this kind breaks something, in one arithmetic or with one constant."""
    for operator, output in sorted(h.where):
        name: Name | None = None
        for batch in asked(operator, BEYOND_QUICK.get((h.name, h.variant), "")):
            if output not in batch.inputs.outputs:
                continue
            right = Right(ORACLE.truth(batch.inputs), output)
            for p in predictions(right, lambda n: n[0] == h.name, last_axis(batch)):
                if p.hypothesis is h and name in (None, p.name) and _told(batch, output, p):
                    name = p.name
                    yield batch, output, p


JUDGES: dict[str, Judge] = {}


def judge(batch: Batch) -> Judge:
    if batch.id not in JUDGES:
        JUDGES[batch.id] = Judge(ORACLE.truth(batch.inputs))
    return JUDGES[batch.id]


def rows(batch: Batch, output: str, values: Any) -> list[dict[str, Any]]:
    got = values.astype(batch.inputs.format.dtype)
    a, op = batch.inputs.attributes, batch.inputs.definition
    single = a.reduction != "none" if a.grouped else op.value_shape == "scalar"
    got = got[:, 0] if single and output in ("value", "jvp") else got
    question = Question("mine", batch.operator, "eager", "cpu", (output,))
    return rows_of(batch, judge(batch), Answer(question, {output: got}), TARGET)


def _told(batch: Batch, output: str, p: Prediction) -> int:
    """The broken rows that are the hypothesis', and not what the right formula gives in the same steps."""
    row = {case.id: case.row for case in batch.cases}
    broken = [v for v in rows(batch, output, p.values) if v["status"] in FAULTS]
    if p.name[0] in OTHER and all(v["symptom"] == Symptom.LOST_ACCURACY.value for v in broken):
        return 0  # of another function than the right one more than that is asked
    return sum(bool(p.says[row[v["case"]], v["index"]]) for v in broken)


@pytest.mark.parametrize("h", HYPOTHESES, ids=lambda h: f"{h.name}: {h.variant}" if h.variant else h.name)
def test_what_was_computed_is_named_and_what_is_right_is_not(h: Hypothesis) -> None:
    found = []
    for batch, output, p in wrong(h):
        found.append((batch, output, p))
        if len(found) == ENOUGH:
            break
    assert found, "a hypothesis that nothing is wrong with"
    batch, output, p = found[0]
    kind = batch.operator, batch.inputs.format, output, p.name
    same = [(b, q) for b, o, q in found if (b.operator, b.inputs.format, o, q.name) == kind]
    table = [row for b, q in same for row in rows(b, output, q.values)]
    verdicts = pl.DataFrame(table, schema=SCHEMA).with_row_index("_id")
    places = {case.id: (b, case.row) for b, _ in same for case in b.cases}
    ((_, weights),) = weighed(verdicts.lazy(), places, Said(ORACLE))
    (mine,) = (w for w in weights if w.name == p.name)
    assert not mine.contradicted
    # of what is lost to rounding alone, and beyond that by what is no fault, not every digit is told
    told = sum(_told(b, output, q) for b, q in same)
    assert h.innocent or mine.explained.bit_count() >= (0.7 if h.rounds or h.steps else 1.0) * told
    assert h.rounds or not _accused(p, Right(ORACLE.truth(batch.inputs), output))


def _accused(p: Prediction, right: Right) -> bool:
    """Whether what is right would be explained by the prediction."""
    where, index = (i.ravel() for i in np.indices(right.rounded.shape))
    there = right.at(where, index)
    return bool(p.at(there).met(there.rounded, np.zeros(where.size, dtype=bool)).any())


E4M3 = ("float8_e4m3fn", "spread4")
FROM_A_GPU = ((1.625, -1.5, -0.0, -5 / 512), (0, -0.5, 0, 0), (0, 0, -0.25, 0), (0, 0.75, 0, 0))
"""What Optax gave of those rows for labels that are indices, on an H200, by the hash of its bits."""


def test_what_a_gpu_gave_in_eight_bits_is_named() -> None:
    """The label's part alone, where the cotangent over an unshifted sum is below the format."""
    of_four = (b for b in asked("sparse_softmax_cross_entropy", "eight_bits") if b.inputs.n == 4)
    (batch,) = (b for b in of_four if E4M3[0] in b.cases[0].id)
    got = Right(ORACLE.truth(batch.inputs), "grad_logits").rounded.copy()
    spread = [case.row for case in batch.cases if f"/{E4M3[1]}/" in case.id]
    got[spread] = FROM_A_GPU
    kept = (bits.decode()[:4] for bits in bits_of_rows(got[spread].astype(batch.inputs.format.dtype)))
    assert [*kept] == ["b227", "536f", "32f6", "d776"], "of reports/published/gpu-h200-standard-optax.parquet"
    verdicts = pl.DataFrame(rows(batch, "grad_logits", got), schema=SCHEMA).with_row_index("_id")
    broken = verdicts.filter(pl.col("status") == "breaks_must")
    places = {case.id: (batch, case.row) for case in batch.cases}
    (explained,) = weigh(verdicts.lazy(), places, Said(ORACLE))
    causes = {name[0]: {*explained.of(name)} & {*broken["_id"]} for name in explained.by}
    assert broken.height == 3 and causes == {"minus infinity that the format has not": {*broken["_id"]}}
