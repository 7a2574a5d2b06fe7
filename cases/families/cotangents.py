"""``cotangents``: zero, uneven, tiny, and as large as a loss scale (1.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

LOSS_SCALE = 65536.0


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (16,) if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    scalar = operator.value_shape == "scalar"
    width = 1 if scalar else n
    # binary16 ends at 65504: there the scale is its largest power of two, shared by the elements so
    # that no sum of theirs overflows
    scale = min(LOSS_SCALE, 2.0**fmt.emax / (1 if scalar else 2 * n.bit_length() ** 2))
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


COTANGENTS = Family("cotangents", "zero, uneven, tiny and loss-scaled cotangents", _lengths, _rows)
