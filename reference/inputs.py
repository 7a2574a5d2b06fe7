"""What an operator is asked: a stack of rows of equal shape, exact in the tested format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.formats import FORMATS, Floats, Format
from xent_conformance.reference.operators import MOVING, OPERATORS, Operator


def step_of(a: Floats) -> Floats:
    """The largest power of two that the numbers of each row are multiples of; NaN where one is none."""
    fraction, exponent = np.frexp(np.where(np.isfinite(a), a, 0.0))
    whole = np.ldexp(fraction, 53).astype(np.int64)
    lowest = np.ldexp((whole & -whole).astype(np.float64), exponent - 53)
    least = np.where(a == 0.0, 1.0, lowest).min(axis=1, initial=1.0)
    return np.where(np.isfinite(a).all(axis=1), least, np.nan)


@dataclass(frozen=True)
class Inputs:
    """``rows × N`` logits with labels and cotangents, all as binary64 carriers of ``format``'s values.

    ``labels``: ``(rows, N)`` dense, ``(rows, 1)`` index (whole numbers), ``(rows, 0)`` none.
    ``cotangent``: ``(rows, N)`` or ``(rows, 1)``, as the operator's value is shaped. ``tangent``:
    ``(rows, N)`` where ``jvp`` and ``hvp`` are asked, else ``(rows, 0)``.

    Grouped (``attributes.examples = M``), a row is a group of M examples side by side: ``M·N`` logits,
    ``M·N``, ``M`` or no labels, one cotangent. With ``copies`` every logit stands for so many equal
    classes, and only values are asked.

    Of an operator with a layer (SPEC.md 6.18) a row is always a group; in place of logits it holds M hidden
    states of ``attributes.features = H`` numbers, N rows of H weights and, if it is affine, N of a bias.
    """

    operator: str
    format: Format
    logits: Floats
    labels: Floats
    cotangent: Floats
    attributes: Attributes = PLAIN
    tangent: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    copies: int = 1
    empty_of: int = 0
    """N, which the arrays of a group without any example do not show."""
    labels_format: Format | None = None
    """Of dense labels, where it is another than that of the logits (6.5)."""

    def __post_init__(self) -> None:
        op, grouped = self.definition, self.attributes.grouped
        rows, width = self.logits.shape
        examples = self.attributes.examples if grouped else 1
        labels = {"none": 0, "index": examples, "dense": width}[op.labels]
        value = 1 if grouped or op.value_shape == "scalar" else width
        if op.layered or self.attributes.features or self.attributes.affine:
            self._check_layer()
        elif grouped and examples and width % examples:
            raise ValueError(f"{self.operator}: {width} logits are not {examples} examples")
        expected = {"labels": (labels,), "cotangent": (value,), "tangent": (0, width)}
        for name, widths in expected.items():
            array = getattr(self, name)
            if array.shape[1] not in widths or (array.size and array.shape[0] != rows):
                raise ValueError(
                    f"{self.operator}: {name} has shape {array.shape}, needs {(rows, widths[-1])}"
                )
        if self.tangent.size and self.copies > 1:
            raise ValueError(f"{self.operator}: jvp and hvp are defined without copies")
        if self.attributes.reduction == "none" and self.attributes.examples and not op.layered:
            raise ValueError(f"{self.operator}: examples are grouped for a reduction; there is none")
        beside = self.attributes.around or self.attributes.eps is not None or self.attributes.row_weight
        if self.tangent.size and (beside or (op.labels == "none" and self.attributes.weight)):
            raise ValueError(f"{self.operator}: jvp and hvp are defined with attributes of labels alone")
        if op.domain != "reals" and self.attributes.around - {"times"}:
            raise ValueError(f"{self.operator}: nothing stands before it: its argument is a probability")
        if op.plain_labels and self.attributes.given.keys() - {"reduction", "times"}:
            raise ValueError(f"{self.operator}: no attribute of its labels is defined")
        if self.attributes.mask and op.elementwise:
            raise ValueError(f"{self.operator}: a mask takes classes away, and it has none")
        if self.copies > 1 and self.attributes.around:
            raise ValueError(f"{self.operator}: copies are asked with nothing around")
        self._check_attributes()
        for name in ("logits", "labels", "cotangent", "tangent"):
            if name != "labels" or op.labels != "index":
                self._exact(name, getattr(self, name), self.labels_format if name == "labels" else None)
        if self.attributes.matrix:
            self._check_matrix()
        if self.attributes.cast:
            self._exact("logits", self.logits, FORMATS[self.attributes.cast])

    def __getstate__(self) -> dict[str, Any]:
        """What they are, and their name: what else is made of them may be made, or forgotten, meanwhile."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        name = vars(self).get("digest")
        return told if name is None else told | {"digest": name}

    def _check_attributes(self) -> None:
        a = self.attributes
        due = dict.fromkeys(("weight", "pos_weight", "bias", "mask"), self.n)
        for name, number in {**due, "row_weight": a.examples or 0}.items():
            given = len(getattr(a, name))
            if given not in (0, number):
                of = "examples" if name == "row_weight" else "classes"
                raise ValueError(f"{self.operator}: {name} has {given} numbers for {number} {of}")
        told = a.given  # what is not given is one, or nothing
        for name in ("row_weight", "bias", "scale", "temperature", "times"):
            if name in told:
                self._exact(name, np.array(told[name]))
        for name in ("weight", "pos_weight"):
            if name in told:
                self._exact(name, np.array(told[name]), FORMATS.get(a.weight_dtype))
        if a.eps is not None:
            if self.definition.domain != "unit" or not 0 <= a.eps <= 1:
                raise ValueError(f"{self.operator}: eps = {a.eps} clamps an argument in [0, 1]")
            self._exact("eps", np.array([a.eps, 1 - a.eps]))

    def _check_matrix(self) -> None:
        """No product and no partial sum is rounded, in whatever order: all are multiples of one number."""
        a, matrix = self.attributes, np.array(self.attributes.matrix)
        if a.around - {"matrix", "bias", "mask"} or a.grouped or a.row_weight:
            raise ValueError(f"{self.operator}: beside a matrix stand a bias and a mask alone")
        if self.definition.labels == "none" and a.weight:
            raise ValueError(f"{self.operator}: weights inside a sum stand beside no matrix")
        if matrix.shape != (self.n, self.n):
            raise ValueError(f"{self.operator}: a matrix of shape {matrix.shape} for {self.n} numbers")
        self._exact("matrix", matrix)
        step = step_of(self.logits) * step_of(matrix).min(initial=1.0)
        largest = (np.abs(self.logits) @ np.abs(matrix)).max(axis=1, initial=0.0)
        exact = (largest < 2.0**self.format.precision * step) & (step >= self.format.smallest_subnormal)
        if not exact.all():
            raise ValueError(f"{self.operator}: a product with the matrix is rounded in {self.format.name}")

    def _check_layer(self) -> None:
        """A group of finite numbers, its layer and its labels, and nothing else."""
        a, width = self.attributes, self.logits.shape[1]
        allowed = {"features", "affine", "reduction", "ignore_index"}
        if not self.definition.layered or a.given.keys() - allowed or self.tangent.size or self.copies > 1:
            raise ValueError(f"{self.operator}: a layer has {', '.join(sorted(allowed))}, and nothing else")
        whole = a.features > 0 and (a.examples or 0) > 0 and self.n > 0
        if not whole or width != a.features * ((a.examples or 0) + self.n) + a.affine * self.n:
            raise ValueError(f"{self.operator}: {width} numbers are no examples and a layer of {a.features}")
        if not (np.isfinite(self.logits).all() and np.isfinite(self.cotangent).all()):
            raise ValueError(f"{self.operator}: its numbers are finite")

    def _exact(self, name: str, array: Floats, fmt: Format | None = None) -> None:
        fmt = fmt or self.format
        with np.errstate(over="ignore"):
            carried = array.astype(fmt.dtype).astype(np.float64)
        if not ((carried == array) | (array != array)).all():  # a NaN stays one
            raise ValueError(f"{self.operator}: {name} holds a number that {fmt.name} does not have")

    @property
    def definition(self) -> Operator:
        return OPERATORS[self.operator]

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is asked: values and gradients, or ``jvp`` and ``hvp`` where there is a tangent."""
        if self.tangent.size:
            return MOVING
        if self.copies > 1 or (self.attributes.grouped and not self.logits.size):
            return ("value",)
        if self.definition.layered and not self.attributes.affine:
            return tuple(o for o in self.definition.outputs if o != "grad_bias")
        return self.definition.outputs

    @cached_property
    def n(self) -> int:
        """Classes (softmax family) or elements (sigmoid family) in a row, or in an example of a group."""
        if self.attributes.features:
            return self.attributes.classes_of(int(self.logits.shape[1]))
        if self.attributes.examples == 0:
            return self.empty_of
        return int(self.logits.shape[1]) // (self.attributes.examples or 1)

    @property
    def classes(self) -> int:
        """Classes that are summed over: ``n`` times the copies of each."""
        return self.n * self.copies

    def __len__(self) -> int:
        return int(self.logits.shape[0])

    def row(self, i: int) -> Row:
        return Row(
            self.logits[i].tolist(),
            self.labels[i].tolist(),
            self.cotangent[i].tolist(),
            self.attributes,
            self.tangent[i].tolist() if self.tangent.size else (),
            self.copies,
        )

    @cached_property
    def product(self) -> Floats:
        """The logits, behind their matrix where there is one."""
        matrix = self.attributes.matrix
        return np.asarray(self.logits @ np.array(matrix), dtype=np.float64) if matrix else self.logits

    @cached_property
    def dense_labels(self) -> Floats:
        """Labels as ``(rows, N)``: an index label becomes one-hot."""
        if self.definition.labels != "index":
            return self.labels
        return np.asarray(self.labels == np.arange(self.n), dtype=np.float64)

    @cached_property
    def apart(self) -> Inputs:
        """The examples of a grouped batch as rows, each with a cotangent of one."""
        rows = len(self) * (self.attributes.examples or 0)
        op = self.definition
        ones = np.ones((rows, self.n if op.value_shape == "row" else 1))
        alone = replace(self.attributes, reduction="none", examples=None, row_weight=())
        width = {"none": 0, "index": 1, "dense": self.n}[op.labels]
        return Inputs(
            self.operator,
            self.format,
            self.logits.reshape(rows, self.n),
            self.labels.reshape(rows, width),
            ones,
            alone,
            self.tangent.reshape(rows, self.n) if self.tangent.size else self.tangent,
        )

    @cached_property
    def row_digests(self) -> tuple[str, ...]:
        """Content hash of each row: operator, format, attributes and exact bits (little-endian binary64)."""
        common = hashlib.sha256(f"{self.operator} {self.format.name} {self.n}".encode())
        if self.attributes != PLAIN or self.copies != 1:
            common.update(f"{self.attributes.described} {self.copies}".encode())
        given = [a for a in (self.logits, self.labels, self.cotangent, self.tangent) if a.shape[0]]

        def of_row(i: int) -> str:
            h = common.copy()
            for array in given:
                h.update(np.ascontiguousarray(array[i], dtype="<f8").tobytes())
            return h.hexdigest()[:16]

        return tuple(map(of_row, range(len(self))))

    @cached_property
    def digest(self) -> str:
        """Content hash of the batch, with the format of its labels, which their bounds depend on."""
        labels = "" if self.labels_format in (None, self.format) else f" {self.labels_format.name}"
        return hashlib.sha256(("".join(self.row_digests) + labels).encode()).hexdigest()[:32]
