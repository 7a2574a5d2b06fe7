"""What a call about a batch is sent: its arrays, as an implementation takes them, and how many rows."""

from __future__ import annotations

import numpy as np

from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, dtype_of
from xent_conformance.reference.formats import native

ROWS = 64
"""Shorter batches are filled up to so many rows, so that few shapes are compiled."""

WIDE = 2048
"""From this row length on a batch is asked with the rows it has."""


def arrays_of(batch: Batch) -> dict[str, Array]:
    """The batch in its dtype's own bits, as an implementation takes it."""
    inputs, dtype, given = batch.inputs, batch.inputs.format.dtype, batch.form.label_dtype
    grouped = inputs.attributes.grouped
    narrow = batch.form.logits_dtype
    arrays = {"logits": native(inputs.logits, dtype_of(narrow) if narrow else dtype)}
    if inputs.definition.labels == "dense":
        arrays["labels"] = native(inputs.labels, dtype_of(given) if given else dtype)
    elif inputs.definition.labels == "index":
        labels = inputs.labels.astype(given or np.int64)
        arrays["labels"] = labels if grouped else labels[:, 0]
    scalar = inputs.definition.value_shape == "scalar"
    arrays["cotangent"] = native(inputs.cotangent[:, 0] if scalar else inputs.cotangent, dtype)
    if inputs.tangent.size:
        arrays["tangent"] = native(inputs.tangent, dtype)
    return arrays


def filled_rows(batch: Batch) -> int:
    """How many rows a call about the batch has."""
    total = len(batch.inputs)
    if batch.form.filled:
        return max(total, batch.form.filled)
    return total if batch.inputs.n >= WIDE or not batch.stacked else max(total, ROWS)


def filled(arrays: dict[str, Array], rows: Array, batch: Batch) -> dict[str, Array]:
    """These rows, repeated in turn up to a common number of rows: nothing is compiled again for a part."""
    take = np.resize(rows, filled_rows(batch))
    return {name: array[take] for name, array in arrays.items()}
