"""What is swept: which numbers an operator is asked, in their order, and what each of them tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.numbered import Codes, rules
from xent_conformance.reference.formats import FORMATS, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.sweep import values

OPERATORS = ("sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy", *values.PAIRS)
"""Operators of one number, and of two classes."""

DTYPES = ("float16", "bfloat16", "float32")
"""Formats all of whose numbers can be asked; of pairs those of 16 bits."""

WIDTH = 1024
"""Elements of a row of single logits, as they are asked."""

NAN, LIMITS, DOMAIN, PLAIN = "3.2", "5.2", "5.4", "1.1"
TWO_CLASSES, EXCLUDED, ALL_EXCLUDED, INFINITE = "2.5", "4.1", "4.4", "5.1"


@dataclass(frozen=True)
class Ground:
    """All numbers of a format for one operator and one hard label, by their bit patterns.

    Point ``i`` is the logit whose pattern is ``i``; of two classes the patterns are ``i`` divided by ``2^16``
    and the remainder.
    """

    operator: str
    format: Format
    label: int = 0

    @property
    def pairs(self) -> bool:
        """Whether a point is a row of two logits."""
        return self.operator in values.PAIRS

    @property
    def points(self) -> int:
        """How many there are."""
        return int(2 ** (8 * self.format.dtype.itemsize * (2 if self.pairs else 1)))

    @property
    def labelled(self) -> bool:
        return self.operator == "sigmoid_cross_entropy"

    @property
    def outputs(self) -> tuple[str, ...]:
        """What can be swept of it."""
        return ("value",) if self.pairs else ("value", "grad_logits")

    def parts(self, output: str) -> Callable[[Floats], values.Parts]:
        """The value of an output as a function of the logits in binary64."""
        return values.PAIRS[self.operator] if self.pairs else values.SINGLE[self.operator, output, self.label]

    @property
    def relative(self) -> float:
        """The relative error of what that returns."""
        return values.RELATIVE_OF_PAIRS if self.pairs else values.RELATIVE

    def logits(self, start: int, stop: int) -> Array:
        """The logits of some points in their own format, ``(points,)`` or ``(points, 2)``."""
        size = self.format.dtype.itemsize
        if not self.pairs:
            wide = np.arange(stop - start, dtype=np.uint32) + np.uint32(start)
            return wide.astype(f"u{size}", copy=False).view(self.format.dtype)
        index = np.arange(start, stop, dtype=np.uint64)
        both = np.stack([index >> np.uint64(16), index & np.uint64(0xFFFF)], axis=1)
        return both.astype(f"u{size}").view(self.format.dtype)

    def asked(self, logits: Array) -> dict[str, Array]:
        """The arrays of a question: rows of logits, labels where there are any, and a cotangent of ones."""
        rows = logits if self.pairs else logits.reshape(-1, min(WIDTH, len(logits)))
        arrays = {"logits": rows}
        if self.labelled:
            arrays["labels"] = np.full(rows.shape, self.label, dtype=rows.dtype)
        arrays["cotangent"] = np.ones(rows.shape, dtype=rows.dtype)
        return arrays

    def inputs(self, x: Floats) -> Inputs:
        """Some logits, in binary64, as the reference takes them: a row a point."""
        rows = x if self.pairs else x[:, None]
        labels = np.full((len(rows), 1 if self.labelled else 0), float(self.label))
        return Inputs(self.operator, self.format, rows, labels, np.ones_like(rows))

    def is_open(self, x: Floats) -> NDArray[np.bool_]:
        """Rows of two classes with +∞, or with nothing but −∞, and no NaN (SPEC.md 4.4, 5.1)."""
        odd = np.isposinf(x).any(axis=1) | np.isneginf(x).all(axis=1)
        return np.asarray(odd & ~np.isnan(x).any(axis=1))

    def tested(self, x: Floats) -> Codes:
        """The clause that each of some points tests, by number."""
        nan, infinite = _any(np.isnan(x)), _any(np.isinf(x))
        if self.operator == "logit":
            told = [(nan, NAN), (np.asarray(~((x > 0) & (x < 1))), DOMAIN)]
        elif self.pairs:
            told = [
                (nan, NAN),
                (_any(np.isposinf(x)), INFINITE),
                (np.asarray(np.isneginf(x).all(axis=1)), ALL_EXCLUDED),
                (infinite, EXCLUDED),
            ]
        else:
            told = [(nan, NAN), (infinite, LIMITS)]
        plain = TWO_CLASSES if self.pairs else PLAIN
        numbers = [rules().number(clause) for _, clause in told]
        found = np.select([mask for mask, _ in told], numbers, rules().number(plain))
        return np.asarray(found, dtype=np.uint8)

    def pattern(self, point: int) -> str:
        """The bits of a point, ``0x3f800000``, or of two logits with a comma between."""
        digits = 2 * self.format.dtype.itemsize
        parts = divmod(point, 2**16) if self.pairs else (point,)
        return ",".join(f"0x{part:0{digits}x}" for part in parts)


def _any(mask: NDArray[Any]) -> NDArray[Any]:
    """Of each row, whether it holds anywhere."""
    return mask if mask.ndim == 1 else np.asarray(mask.any(axis=1))


def grounds(operator: str, dtype: str, labels: tuple[int, ...]) -> list[Ground]:
    """One ground for each hard label; one alone where there is no label."""
    fmt = FORMATS[dtype]
    if operator != "sigmoid_cross_entropy":
        return [Ground(operator, fmt)]
    return [Ground(operator, fmt, label) for label in labels]
