"""What an operator takes beside logits and labels, under the names that frameworks and ONNX share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

Reduction = Literal["none", "mean", "sum", "weighted_mean"]


@dataclass(frozen=True)
class Attributes:
    """Class weights, smoothing, an ignored index, a reduction: SPEC.md §6.

    ``weight`` and ``pos_weight`` hold one number a class (softmax family) or element (sigmoid
    family), exact in the tested format; empty means none is given. Without labels weights multiply the
    exponentials. A reduction is over ``examples`` rows, which are then asked as one: a row of inputs
    holds ``examples · N`` numbers; ``row_weight`` has one number for each of them. ``eps`` clamps the
    argument of ``logit``.
    """

    weight: tuple[float, ...] = ()
    pos_weight: tuple[float, ...] = ()
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    reduction: Reduction = "none"
    examples: int | None = None
    row_weight: tuple[float, ...] = ()
    eps: float | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The attributes that are given, by name (``examples`` is a shape, not an attribute)."""
        defaults = {f.name: f.default for f in fields(self) if f.name != "examples"}
        return {name: getattr(self, name) for name, d in defaults.items() if getattr(self, name) != d}

    @property
    def grouped(self) -> bool:
        """Whether rows are asked in groups of ``examples``."""
        return self.examples is not None

    def row_weight_of(self, example: int) -> float:
        return self.row_weight[example] if self.row_weight else 1.0

    def weight_of(self, i: int) -> float:
        return self.weight[i] if self.weight else 1.0

    def pos_weight_of(self, i: int) -> float:
        return self.pos_weight[i] if self.pos_weight else 1.0


PLAIN = Attributes()
"""Nothing given: the loss of each row."""
