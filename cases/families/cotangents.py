"""``cotangents``: zero, uneven, tiny, sparse, as large as a loss scale, not finite (1.5, 3.2, 5.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import DIVERGENCES, GIVEN, Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

LOSS_SCALE = 65536.0

CONFIDENT = {"float16": 10.0, "bfloat16": 8.0, "float32": 19.0, "float64": 39.0}
"""Where ``1 − s`` of the largest class is less than the unit roundoff, or about as small, of ten."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (16,) if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    scalar = operator.value_shape == "scalar"
    width = 1 if scalar else n
    # binary16 ends at 65504: there the scale is its largest power of two, shared by the elements so
    # that no sum of theirs overflows
    share = 1 if scalar else 2 * n.bit_length() ** 2
    if operator.domain in ("log_probabilities", "log_distributions"):
        share = 32  # nor, of a divergence, a term by a target or a log-probability
    if operator.domain in ("probabilities", "nonnegative"):
        share = 128 if operator.elementwise else 1024  # nor one over a probability
    scale = min(LOSS_SCALE, 2.0**fmt.emax / share)
    i = np.arange(width, dtype=np.float64)
    cotangents: dict[str, Floats] = {
        "zero": np.zeros(width),
        "loss_scale": np.full(width, scale) if scalar else scale / 2.0 ** (i % 3),
        "negative": np.full(width, -scale),
        "tiny": np.full(width, 2.0 ** (fmt.emin // 2)),
        "subnormal": np.full(width, fmt.smallest_subnormal * 8),
    }
    if not scalar:
        cotangents |= {
            "one_element": np.asarray(i == n - 1, dtype=np.float64),
            "alternating": np.where(i % 2 == 0, 1.0, -1.0),
            "uniform": np.ones(n),
            "rising": i / 8.0,
        }
    for name, c in cotangents.items():
        for spread in (1.0, 4.0):
            x = ordinary(operator, fmt, n, words, spread)
            yield Ask(name, x, "1.5", cotangent=fmt.nearest(c))
    yield from _not_finite(operator, fmt, n, width, words)
    if not scalar:
        yield from _sparse(operator, fmt, n, words)


def _not_finite(operator: Operator, fmt: Format, n: int, width: int, words: Words) -> Iterator[Ask]:
    """A loss that has overflowed sends one back; a gradient that hides it is taken for a good one."""
    for name, number, clause in (
        ("nan", np.nan, "3.2"),
        ("plus_infinity", np.inf, "5.5"),
        ("minus_infinity", -np.inf, "5.5"),
    ):
        c = words.cotangent(width)
        c[width // 3] = number
        yield Ask(name, ordinary(operator, fmt, n, words), clause, clauses={"value": "3.1"}, cotangent=c)


def _sparse(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """A cotangent of few classes, and one of a class that has nearly all of the probability.

    There ``1 − s`` is left of it, and nothing of that if ``s`` is rounded first.
    """
    two = np.zeros(n)
    two[[1, n - 2]] = 1.5, -0.5
    yield Ask("two_elements", ordinary(operator, fmt, n, words), "1.5", cotangent=two)
    if operator.domain != "reals":
        return
    for k, name in ((0, "confident_first"), (n - 1, "confident_last")):
        x = words.bell(fmt, 0.25, n)
        x[k] = float(CONFIDENT[fmt.name])
        one = np.asarray(np.arange(n) == k, dtype=np.float64)
        yield Ask(name, x, "1.5", cotangent=one)
    if operator.name == "softmax" and fmt.precision < 53:
        # no sum of the cotangents fits the format, each product with a probability does; twice the largest
        # binary64 number is beyond what bounds are computed in
        x = words.bell(fmt, 0.25, n)
        x[3] = 8.0
        share = np.where(np.arange(n) % 2 == 0, 0.75, 0.5)
        yield Ask("sum_overflows", x, "1.5", cotangent=fmt.nearest(share * 2.0**fmt.emax))


COTANGENTS = Family(
    "cotangents",
    "zero, uneven, tiny, sparse, loss-scaled cotangents, and such as are not finite",
    _lengths,
    _rows,
    domains={**GIVEN, **DIVERGENCES},
)
