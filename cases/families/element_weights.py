"""``element_weights``: ``pos_weight``, weights and reductions of sigmoid cross-entropy (6.6, 6.9, 6.10).

Of given probabilities the same without positive weights, which nobody takes there. Labels are fractions: with
hard labels a positive weight on the wrong term can hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN, Family, in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ELEMENTS = 8
EXAMPLES = 3
REDUCTIONS: tuple[Reduction, ...] = ("none", "mean", "sum")
KINDS = ("even", "uneven", "some_zero", "huge")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (ELEMENTS,) if operator.elementwise and operator.labels == "dense" else ()


def _weights(kind: str, n: int, words: Words) -> tuple[float, ...]:
    if kind == "even":
        return ()
    eighths = (1.0 + words.integers(5, n)) / 8.0
    if kind == "some_zero":
        eighths[::3] = 0.0
    return tuple((eighths * (512.0 if kind == "huge" else 1.0)).tolist())


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    given = operator.domain == "probabilities"

    def drawn(scale: float, m: int | None = None) -> Floats:
        return ordinary(operator, fmt, (m or 1) * n, words, scale)

    for i, kind in enumerate(KINDS):
        weight = _weights(kind, n, words)
        for j, positive in enumerate(KINDS[:1] if given else KINDS):
            pos_weight = _weights(positive, n, words)
            for r, reduction in enumerate(REDUCTIONS):
                if reduction != "none" and r != 1 + (i + j) % 2 and not given:
                    continue
                m = None if reduction == "none" else EXAMPLES
                a = Attributes(weight, pos_weight, 0.0, None, reduction, m)
                clause = "6.10" if m else "6.9" if pos_weight else "6.6" if weight else "1.1"
                name = f"weight_{kind}+{'' if given else f'positive_{positive}+'}{reduction}"
                for scale in (2.0, 8.0):
                    fractions = words.integers(4, (m or 1) * n) / 16.0
                    yield Ask(name, drawn(scale, m), clause, fractions, attributes=a)
    if not given:
        yield from _one_positive_weight(fmt, n, words)
    smoothed = Attributes(label_smoothing=0.125)
    for scale in (2.0, 8.0):
        labels = words.below(2, n).astype(np.float64)
        yield Ask("smoothed", drawn(scale), "6.7", labels, attributes=smoothed)
    if not given:
        yield from _all_together(fmt, n, words)


def _all_together(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Smoothing beside weights: a derivative by the label that forgets one of them."""
    for weights in (("even", "uneven"), ("uneven", "even"), ("uneven", "uneven")):
        weight, pos_weight = (_weights(kind, n, words) for kind in weights)
        for reduction in REDUCTIONS:
            m = None if reduction == "none" else EXAMPLES
            a = Attributes(weight, pos_weight, 0.125, None, reduction, m)
            name = f"smoothed+weight_{weights[0]}+positive_{weights[1]}+{reduction}"
            for scale in (2.0, 8.0):
                fractions = words.integers(4, (m or 1) * n) / 16.0
                x = words.bell(fmt, scale, (m or 1) * n)
                yield Ask(name, x, "6.10" if m else "6.7", fractions, attributes=a)


def _one_positive_weight(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """The same positive weight everywhere; with one, ``(P − 1) z`` vanishes and a fast path may differ."""
    for name, positive in (("three", 3.0), ("one", 1.0), ("tenth", float(fmt.nearest(np.array(0.1))))):
        a = Attributes(pos_weight=(positive,) * n)
        labels = words.integers(4, n) / 16.0
        for x in (words.bell(fmt, 4.0, n), np.full(n, -15.0), np.full(n, 15.0)):
            yield Ask(f"positive_{name}", x, "6.9", labels, attributes=a)
            yield Ask(f"positive_{name}", x, "6.9", np.ones(n), attributes=a)


ELEMENT_WEIGHTS = Family(
    "element_weights",
    "positive and element weights, fractional labels, reductions",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
    domains=GIVEN,
    compiled=in_single,
)
