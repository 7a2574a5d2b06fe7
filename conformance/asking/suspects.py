"""Rows that an accelerator may be lost for: what kernels of a GPU assert is not so."""

from __future__ import annotations

import numpy as np

from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array


def suspect(batch: Batch) -> Array:
    """Of each row, whether one of its indices is no class, or a probability none, or may not become one.

    A target of a binary cross-entropy is a probability, and what is computed of a NaN is none.
    """
    inputs, definition = batch.inputs, batch.inputs.definition
    found: Array = ~_all(~np.isnan(inputs.logits))
    if definition.labels == "index":
        found |= ~_all((inputs.labels >= 0) & (inputs.labels < inputs.n))
    if definition.within_unit:
        found |= ~_all((inputs.logits >= 0) & (inputs.logits <= 1))
    if definition.labels == "dense" and definition.elementwise:
        found |= ~_all((inputs.labels >= 0) & (inputs.labels <= 1))
    return found


def _all(elements: Array) -> Array:
    """Of each row, whether all of it is so."""
    return np.asarray(elements.all(axis=1))
