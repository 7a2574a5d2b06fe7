"""What an operator takes beside logits and labels, under the names that frameworks and ONNX share."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Reduction = Literal["none", "mean", "sum", "weighted_mean"]

AROUND = ("cast", "matrix", "scale", "temperature", "bias", "mask", "times")
"""What stands before the operator, in the order in which it is applied, and after it: SPEC.md 6.15, 4.6."""


@dataclass(frozen=True)
class Attributes:
    """Class weights, smoothing, an ignored index, a reduction, and what stands around: SPEC.md §6.

    ``weight`` and ``pos_weight`` hold one number a class (softmax family) or element (sigmoid
    family), exact in the tested format; empty means none is given. Without labels weights multiply the
    exponentials. ``weight_dtype`` names the format of both, where it is another. A reduction is over
    ``examples`` rows, which are then asked as one: a row of inputs holds ``examples · N`` numbers;
    ``row_weight`` has one number for each of them. ``eps`` clamps the argument of ``logit``.

    ``matrix`` multiplies the logits from the right, before all that follows: what is given are then the
    numbers that the logits are made of. It is square, a row for each of them, and every product and every
    partial sum is a number of the format, in whatever order (SPEC.md 6.15).

    The operator is taken of ``scale · x / temperature + bias``, without the classes whose ``mask`` is
    False, and multiplied by ``times``. ``bias`` and ``mask`` hold one entry a class; empty, all classes are
    there. All of them are exact in the tested format. ``cast`` names the narrower format in which the logits
    arrive, before all that: they are exact in it, and the gradient that goes back is rounded to it.

    ``features``: of an operator that has a layer (SPEC.md 6.18), the length of a hidden state; ``affine``:
    the layer has a bias. They say what stands where in a row: see :meth:`parts`.
    """

    weight: tuple[float, ...] = ()
    pos_weight: tuple[float, ...] = ()
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    reduction: Reduction = "none"
    examples: int | None = None
    row_weight: tuple[float, ...] = ()
    eps: float | None = None
    cast: str = ""
    matrix: tuple[tuple[float, ...], ...] = ()
    scale: float = 1.0
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    mask: tuple[bool, ...] = ()
    times: float = 1.0
    weight_dtype: str = ""
    features: int = 0
    affine: bool = False

    @functools.cached_property
    def given(self) -> Mapping[str, Any]:
        """The attributes that are given, by name (``examples`` is a shape, not an attribute)."""
        own = vars(self)
        return {name: own[name] for name, default in _DEFAULTS if own[name] != default}

    @property
    def described(self) -> str:
        """For content hashes, which what came later and is not given leaves as they were without it."""
        later, given = {*AROUND, "weight_dtype", "features", "affine"}, self.given
        told = [f.name for f in fields(self) if f.name not in later or f.name in given]
        return f"Attributes({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"

    @property
    def around(self) -> frozenset[str]:
        """Which of :data:`AROUND` are given."""
        return frozenset(self.given) & frozenset(AROUND)

    @property
    def of_labels(self) -> bool:
        """Whether anything else is given: then labels become effective labels."""
        return not self.given.keys() <= self.around

    @property
    def bare(self) -> Attributes:
        """The same with nothing around: what the operator itself is given."""
        return replace(self, cast="", matrix=(), scale=1.0, temperature=1.0, bias=(), mask=(), times=1.0)

    @property
    def factor(self) -> float:
        """What a gradient by the logits is multiplied by on its way through what stands before, nearly."""
        return self.scale / self.temperature

    @property
    def grouped(self) -> bool:
        """Whether rows are asked in groups of ``examples``."""
        return self.examples is not None

    def classes_of(self, width: int) -> int:
        """How many classes a layer has whose row of inputs holds so many numbers; 0 where it has none."""
        return (width - (self.examples or 0) * self.features) // (self.features + self.affine)

    def parts(self, width: int) -> tuple[slice, slice, slice]:
        """Where hidden states, weights and bias of a layer stand in a row of so many numbers."""
        first = (self.examples or 0) * self.features
        second = first + self.classes_of(width) * self.features
        return slice(first), slice(first, second), slice(second, width)

    def row_weight_of(self, example: int) -> float:
        return self.row_weight[example] if self.row_weight else 1.0

    def there(self, i: int) -> bool:
        """Whether the mask leaves class ``i``."""
        return not self.mask or self.mask[i]

    def present(self, n: int) -> int:
        """How many of ``n`` classes the mask leaves."""
        return sum(self.mask) if self.mask else n

    def weight_of(self, i: int) -> float:
        return self.weight[i] if self.weight else 1.0

    def pos_weight_of(self, i: int) -> float:
        return self.pos_weight[i] if self.pos_weight else 1.0


_DEFAULTS = [(f.name, f.default) for f in fields(Attributes) if f.name != "examples"]

PLAIN = Attributes()
"""Nothing given: the loss of each row."""
