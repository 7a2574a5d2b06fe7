"""``composites``: what users write before an operator and after it, which a compiler fuses into it (6.15).

A product with a matrix, as a last layer is, is of whole numbers: exact in whatever order it is summed, so
that nothing of it is granted, and digits that a faster product drops are missed. A product with a scale that
is rounded, and one that is not, differ by as much as a logit is large: by hundreds, where the scale is huge.
Equal logits stay equal either way, and finite logits finite. Every kind is asked of few rows, because each
constant is compiled anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family, in_single_or_sparingly, sparingly
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import BFLOAT16, Floats, Format
from xent_conformance.reference.operators import Operator

EACH, MORE = 5, 6
"""The length of rows that are asked each kind, and of those that are asked more of them."""

EXAMPLES = 3

TEMPERATURE_NEAR_ZERO = 2.0**-10
"""A Gumbel-softmax is a softmax of logits and a noise over a temperature, which goes to zero."""

LOSSES = ("softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.domain == "unit":
        return ()
    return (EACH,) if profile == "quick" else (EACH, MORE)


def scaled(fmt: Format, binary32: float) -> float:
    """A scale whose products are rounded by as much as those by this one are in binary32.

    Ten times smaller where the format has no such products.
    """
    wanted = math.ldexp(binary32, fmt.precision - 24)
    return float(fmt.nearest(np.array(min(wanted, fmt.largest / 2.0))))


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if n == EACH:
        yield from _huge(operator, fmt, n, words)
        yield from _large(operator, fmt, n, words)
        yield from _together(operator, fmt, n, words)
        yield from _layer(fmt, n, words, Attributes(), "matrix")
        if operator.name == "softmax":
            yield from _gumbel(fmt, n, words)
        if fmt.precision >= 24:
            yield from _cast(operator, n, words)
        return
    for name, scale in (("scale_fourteen", 1 / 0.07), ("scale_tiny", 1e-3), ("scale_negative", -2.5)):
        yield from _moderate(name, operator, fmt, n, words, scale=_in(fmt, scale))
    yield from _moderate("scale_zero", operator, fmt, n, words, scale=0.0)
    yield from _moderate("temperature", operator, fmt, n, words, temperature=_in(fmt, 0.07))
    yield from _moderate("bias", operator, fmt, n, words, bias=_bias(fmt, n, words))
    yield from _layer(fmt, n, words, Attributes(bias=_bias(fmt, n, words)), "matrix+bias")
    yield from _moderate("times", operator, fmt, n, words, times=_in(fmt, 1 / 3))
    if operator.name in LOSSES:
        yield from _mean(operator, fmt, n, words)


def _in(fmt: Format, x: float) -> float:
    return float(fmt.nearest(np.array(x)))


def _bias(fmt: Format, n: int, words: Words) -> tuple[float, ...]:
    return tuple(words.bell(fmt, 2.0, n).tolist())


def _huge(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Equal logits, whose products are off by hundreds; and logits so small that products are moderate."""
    a = Attributes(scale=scaled(fmt, 3e10))
    for value in (0.1, -0.1, 0.3, 0.7, -0.7, 0.9):
        yield Ask("scale_huge", np.full(n, _in(fmt, value)), "6.15", attributes=a)
    for _ in range(2):
        x = fmt.nearest(words.bell(fmt, 4.0, n) / a.scale)
        yield Ask("scale_huge", x, "6.15", attributes=a)


def _large(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Logits that nearly tie, and whose products do not."""
    a = Attributes(scale=scaled(fmt, 3e8))
    step = 80 * fmt.u  # of 0.7 and 0.69999 in binary32 it is 168
    for factor in (2.0, 1.0, 0.125):
        steps = words.below(8, n).astype(np.float64)
        steps[int(words.below(n, 1)[0])] = 0.0
        yield Ask("scale_large", fmt.nearest(0.7 * (1 - factor * step * steps)), "6.15", attributes=a)
    equal = np.where(np.arange(n) % 2 == 0, _in(fmt, 0.7), _in(fmt, 0.7 - step))
    yield Ask("scale_large", equal, "6.15", attributes=a)


def _together(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """A temperature, a bias and a factor, as a loss is written."""
    bias = _bias(fmt, n, words)
    given = Attributes(temperature=_in(fmt, 0.07), bias=bias, times=_in(fmt, 2.3))
    for _ in range(3):
        x = fmt.nearest(words.bell(fmt, 0.25, n))
        yield Ask("temperature+bias+times", x, "6.15", attributes=given)


def _layer(fmt: Format, n: int, words: Words, a: Attributes, name: str) -> Iterator[Ask]:
    """Features times weights, whole numbers of two thirds of the digits and of one, times powers of two."""
    digits = fmt.precision - (n - 1).bit_length()
    of_features, of_weights = digits - digits // 3, digits // 3
    weights = np.ldexp(_whole(words, of_weights, n, n), -of_weights)
    a = replace(a, matrix=tuple(map(tuple, weights.tolist())))
    for spread in (0, 1, 3):
        x = np.ldexp(_whole(words, of_features, n), spread + 1 - of_features)
        yield Ask(name, x, "6.15", attributes=a)


def _gumbel(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """``(x + g)/τ`` with ``τ = 2⁻¹⁰``, of a given noise and of none: one class has all, or they tie."""
    noise, near = words.bell(fmt, 1.0, n), TEMPERATURE_NEAR_ZERO
    given = Attributes(scale=1 / near, bias=tuple((noise / near).tolist()))
    for a, start, name in (
        (given, -noise, "scale+noise"),
        (Attributes(temperature=near), np.zeros(n), "temperature_near_zero"),
    ):
        yield Ask(name, words.bell(fmt, 1.0, n), "6.15", attributes=a)
        for _ in range(2):
            tied = fmt.nearest(start + near * words.bell(fmt, 2.0, n))
            yield Ask(name, tied, "6.15", attributes=a)


def _whole(words: Words, bits: int, *shape: int) -> Floats:
    """Whole numbers of so many bits, of either sign."""
    drawn = words.integers(bits + 1, *shape) - 2**bits
    return np.asarray(np.maximum(drawn, 1 - 2**bits), dtype=np.float64)


def _cast(operator: Operator, n: int, words: Words) -> Iterator[Ask]:
    """Logits that arrive in bfloat16, as those of a model do, and a loss in the tested format."""
    a = Attributes(cast=BFLOAT16.name)
    for spread in (1.0, 8.0):
        yield Ask("cast", words.bell(BFLOAT16, spread, n), "6.15", attributes=a)


def _moderate(
    name: str,
    operator: Operator,
    fmt: Format,
    n: int,
    words: Words,
    *,
    scale: float = 1.0,
    temperature: float = 1.0,
    bias: tuple[float, ...] = (),
    times: float = 1.0,
) -> Iterator[Ask]:
    a = Attributes(scale=scale, temperature=temperature, bias=bias, times=times)
    for spread in (0.25, 1.0, 4.0):
        yield Ask(name, words.bell(fmt, spread, n), "6.15", attributes=a)
    yield Ask(name, np.full(n, _in(fmt, 0.7)), "6.15", attributes=a)


def _mean(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """A scale before, the mean of the examples and a factor after."""
    a = Attributes(scale=_in(fmt, 1 / 0.07), times=_in(fmt, 1 / 3), reduction="mean", examples=EXAMPLES)
    for spread in (0.25, 1.0):
        labels: Floats = words.below(n, EXAMPLES).astype(np.float64)
        if operator.labels == "dense":
            labels = np.asarray(labels[:, None] == np.arange(n), dtype=np.float64).reshape(-1)
        yield Ask("scale+mean+times", words.bell(fmt, spread, EXAMPLES * n), "6.15", labels, attributes=a)


def _compiled_in_quick(operator: Operator, fmt: Format, n: int) -> bool:
    """The foundations go first, and what is the logarithm alone."""
    return sparingly(operator, fmt, n) or operator.name == "logsumexp"


COMPOSITES = Family(
    "composites",
    "a cast, a matrix, a scale, a temperature, a bias before the operator, a mean, a factor after it",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
    formats_at={("standard", EACH): ("float32", "bfloat16"), ("standard", MORE): ("float32",)},
    compiled=in_single_or_sparingly,
    compiled_in_quick=_compiled_in_quick,
)
