"""What an operator is asked: a stack of rows of equal shape, exact in the tested format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reference.formats import Floats, Format
from reference.operators import OPERATORS, Operator, Row


@dataclass(frozen=True)
class Inputs:
    """``rows × N`` logits with labels and cotangents, all as binary64 carriers of ``format``'s values.

    ``labels``: ``(rows, N)`` dense, ``(rows, 1)`` index (whole numbers), ``(rows, 0)`` none.
    ``cotangent``: ``(rows, N)`` or ``(rows, 1)``, as the operator's value is shaped.
    """

    operator: str
    format: Format
    logits: Floats
    labels: Floats
    cotangent: Floats

    def __post_init__(self) -> None:
        op = self.definition
        rows, n = self.logits.shape
        labels = {"none": 0, "index": 1, "dense": n}[op.labels]
        value = n if op.value_shape == "row" else 1
        for name, array, width in (("labels", self.labels, labels), ("cotangent", self.cotangent, value)):
            if array.shape != (rows, width):
                raise ValueError(f"{self.operator}: {name} has shape {array.shape}, needs {(rows, width)}")
        for name, array in (("logits", self.logits), ("labels", self.labels), ("cotangent", self.cotangent)):
            if name == "labels" and op.labels == "index":
                continue
            with np.errstate(over="ignore"):
                carried = array.astype(self.format.dtype).astype(np.float64)
            if not np.array_equal(carried, array, equal_nan=True):
                raise ValueError(
                    f"{self.operator}: {name} holds a number that {self.format.name} does not have"
                )

    @property
    def definition(self) -> Operator:
        return OPERATORS[self.operator]

    @property
    def n(self) -> int:
        """Classes (softmax family) or elements (sigmoid family) in a row."""
        return int(self.logits.shape[1])

    def __len__(self) -> int:
        return int(self.logits.shape[0])

    def row(self, i: int) -> Row:
        return Row(self.logits[i].tolist(), self.labels[i].tolist(), self.cotangent[i].tolist())

    @cached_property
    def dense_labels(self) -> Floats:
        """Labels as ``(rows, N)``: an index label becomes one-hot."""
        if self.definition.labels != "index":
            return self.labels
        return np.asarray(self.labels == np.arange(self.n), dtype=np.float64)

    def row_digest(self, i: int) -> str:
        """Content hash of one row: operator, format and exact bits (little-endian binary64)."""
        h = hashlib.sha256(f"{self.operator} {self.format.name} {self.n}".encode())
        for array in (self.logits, self.labels, self.cotangent):
            h.update(np.ascontiguousarray(array[i], dtype="<f8").tobytes())
        return h.hexdigest()[:16]

    @cached_property
    def digest(self) -> str:
        """Content hash of the batch."""
        h = hashlib.sha256()
        for i in range(len(self)):
            h.update(self.row_digest(i).encode())
        return h.hexdigest()[:32]
