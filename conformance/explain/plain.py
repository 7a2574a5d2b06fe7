"""``conformance explain --format json``: one case whole, as plain data (docs/JSON.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xent_conformance.cases.case import Batch, Case
from xent_conformance.explain.case import Answered, certified_digits
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.ci import data
from xent_conformance.reports.text.numbers import shortest

_NAN = {"nan": "NaN"}
"""As every report writes it."""


def plain_case(batch: Batch, case: Case, answered: Sequence[Answered]) -> dict[str, Any]:
    """The case, its inputs and certified values with all their elements, and every answer as it came."""
    said, inputs = clause(case.clause), batch.inputs
    return {
        "case": case.id,
        "hash": case.hash,
        "operator": batch.operator,
        "formula": inputs.definition.formula,
        "dtype": inputs.format.name,
        "manner": batch.manner,
        "clause": {"id": said.id, "level": said.level.value, "title": said.title, "text": said.text},
        "inputs": _inputs(batch, case.row),
        "exact": {e.output: [_NAN.get(x, x) for x in e.elements] for e in certified_digits(batch, case)},
        "frameworks": [_answered(a) for a in answered],
    }


def _inputs(batch: Batch, row: int) -> dict[str, Any]:
    """By name, decimal and bits of every element; labels that are classes, as numbers."""
    inputs, fmt = batch.inputs, batch.inputs.format
    arrays = {name: getattr(inputs, name) for name in ("logits", "labels", "cotangent", "tangent")}
    told: dict[str, Any] = {}
    for name, array in arrays.items():
        if not array.size:
            continue
        values = array[row].tolist()
        if name == "labels" and inputs.definition.labels == "index":
            told[name] = [int(v) for v in values]
        else:
            told[name] = [{"decimal": shortest(v, fmt.name), "bits": fmt.hex(v)} for v in values]
    return told


def _answered(answered: Answered) -> dict[str, Any]:
    return {
        "framework": answered.framework,
        "version": answered.hello.get("version", ""),
        "absent": answered.absent,
        "lacks": answered.lacks,
        "answers": [data.verdict(row) for row in answered.rows],
        "causes": data.causes(answered.causes.values()),
    }
