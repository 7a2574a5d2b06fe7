"""How a batch is put to an implementation: shape, memory, repetition. Nothing of it changes what is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Layout = Literal[
    "contiguous",
    "transposed",
    "strided",
    "sliced",
    "misaligned",
    "reversed",
    "broadcast",
    "class_last",
    "cotangent_broadcast",
    "logits_broadcast",
]
"""Where the numbers lie in memory, with other numbers between or around them.

``broadcast`` is one row with a stride of zero (``logits_broadcast``: of the logits alone, while labels and
cotangents differ), ``class_last`` an inner class axis whose memory is
outermost-to-innermost ``(…, classes)`` (channels last).
"""

Wrong = Literal[
    "",
    "labels_fewer_rows",
    "labels_one_row",
    "labels_more_classes",
    "labels_extra_axis",
    "labels_floats",
    "logits_integers",
    "logits_complex",
    "logits_float8_e4m3fn",
    "logits_float8_e5m2",
    "logits_sparse",
]
"""Arguments that do not fit, on purpose."""

Again = Literal[
    "",
    "twice",
    "alone",
    "other_between",
    "threads",
    "inference",
    "second_backward",
    "accumulated",
    "shared",
]
"""How rows are asked once more: as before; each ``alone``; after a call of another shape; by two threads; for
the value without gradients; for the gradients of a second backward through one graph, or of two that add up;
with one array for two arguments."""


@dataclass(frozen=True)
class Form:
    """``shape`` folds the rows of a batch into so many axes; the class axis stands at ``axis`` among them.
    It folds the examples of a group, where rows are groups.

    Without a shape a batch is ``(rows, N)``. ``each``: every row in a call of its own; with the shape
    ``()`` that is a vector. ``again`` asks the rows once more for the same bits. ``out``: the result is
    written into a buffer that is given, with old numbers in it. ``filled``: the rows are repeated in turn
    until there are so many of them in the call.
    ``label_dtype``: labels are of that type instead of int64 (index) or the logits' (dense).
    ``logits_dtype``: logits are given in that narrower format, and the result is asked for in the case's own.
    ``class_shape`` folds the classes too, into so many axes behind those of ``shape``; all axes there are,
    where the shape is ``()``; ``()`` of one element is a tensor without axes. ``keepdims``: the axes that are
    summed over stay, one long. ``wrong``: arguments that do not fit are given, and whatever comes back is
    described, not measured.
    """

    shape: tuple[int, ...] | None = None
    axis: int = -1
    layout: Layout = "contiguous"
    each: bool = False
    again: Again = ""
    out: bool = False
    label_dtype: str = ""
    wrong: Wrong = ""
    logits_dtype: str = ""
    class_shape: tuple[int, ...] | None = None
    keepdims: bool = False
    filled: int = field(default=0, repr=False)

    @property
    def class_axis(self) -> int:
        """The place of the class axis, counted from the front."""
        rank = 2 if self.shape is None else len(self.shape) + 1
        return self.axis % rank

    @property
    def class_axis_is_last(self) -> bool:
        return self.class_axis == (1 if self.shape is None else len(self.shape))


PLAIN_FORM = Form()
"""Rows one above the other, contiguous, asked once."""
