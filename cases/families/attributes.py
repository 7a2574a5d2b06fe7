"""``attributes``: class weights, smoothing, an ignored index and reductions, in pairs and triples (§6).

Pairs of attributes have worked where triples failed. Every triple of choices is asked in ``quick`` (the
reduction is then given by the other three), every combination in ``standard``. A reduction is asked of
groups of four examples, with one more group of which every row is ignored, or weighs nothing.
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

EXAMPLES = 4
IGNORED_CLASS = 2

REDUCTIONS: tuple[Reduction, ...] = ("none", "mean", "sum")
SMOOTHINGS = {"plain": 0.0, "smoothed": 0.1, "all_smoothed": 1.0}
IGNORED = {"kept": None, "ignore_outside": -100, "ignore_class": IGNORED_CLASS}
ASKED = (
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "negative_log_likelihood",
    "categorical_cross_entropy",
    "sparse_categorical_cross_entropy",
)
WEIGHTS = ("even", "weighted", "some_zero", "huge_weights")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.name not in ASKED:
        return ()
    return (6,) if profile == "quick" else (6, 7)


def _weight(name: str, n: int, words: Words) -> tuple[float, ...]:
    """Class weights, exact in every format; class 1 never weighs nothing."""
    if name == "even":
        return ()
    eighths = (1.0 + words.integers(4, n)) / 8.0
    if name == "some_zero":
        eighths[[0, n - 1]] = 0.0
    return tuple((eighths * (1024.0 if name == "huge_weights" else 1.0)).tolist())


def combinations(operator: Operator, n: int, words: Words) -> Iterator[tuple[str, Attributes]]:
    """A name and the attributes; all that n = 7 asks; every triple for n = 6, and each attribute alone.

    A door that takes one attribute is asked it by nothing else.
    """
    ignored = IGNORED if operator.labels == "index" else {"kept": None}
    alone: list[tuple[str, Attributes]] = []
    for w, weights in enumerate(WEIGHTS):
        weight = _weight(weights, n, words)
        for s, (smoothing, epsilon) in enumerate(SMOOTHINGS.items()):
            if epsilon and operator.domain != "reals" and operator.name != "categorical_cross_entropy":
                continue  # whoever takes what is given by an index smooths nothing
            for i, (ignore, index) in enumerate(ignored.items()):
                for r, reduction in enumerate(REDUCTIONS):
                    name = "+".join((weights, smoothing, ignore, reduction))
                    examples = None if reduction == "none" else EXAMPLES
                    a = Attributes(weight, (), epsilon, index, reduction, examples)
                    if not (n == 6 and len(ignored) > 1 and r != (w + s + i) % 3):
                        yield name, a
                    elif len(a.given) == 1:
                        alone.append((name, a))
    yield from alone


def _clause(a: Attributes, operator: Operator) -> str:
    if a.reduction == "mean" and a.weight and operator.labels == "dense":
        return "6.12"
    if a.reduction != "none":
        return "6.10"
    if a.ignore_index is not None:
        return "6.8"
    return "6.7" if a.label_smoothing else "6.6" if a.weight else "1.1"


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for name, a in combinations(operator, n, words):
        count = 2 if a.grouped else 3
        for _ in range(count):
            m = a.examples or 1
            labels = _labels(operator, a, fmt, n, m, words)
            yield Ask(
                name,
                ordinary(operator, fmt, m * n, words, 2.0, m),
                _clause(a, operator),
                labels,
                attributes=a,
            )
        if a.grouped:
            yield _one_nan(operator, name, a, fmt, n, words)
        yield from _nothing_left(operator, name, a, fmt, n, words)


def _labels(operator: Operator, a: Attributes, fmt: Format, n: int, m: int, words: Words) -> Floats:
    if operator.labels == "dense":
        weights = 1.0 + words.integers(3, m, n)
        soft = fmt.nearest(weights / weights.sum(axis=1, keepdims=True))
        soft[0] = np.arange(n) == 1
        return soft.reshape(-1)
    y = words.below(n, m).astype(np.float64)
    y[0] = 1.0
    if a.ignore_index is not None and m > 1:
        y[1] = a.ignore_index
    return y


def _one_nan(operator: Operator, name: str, a: Attributes, fmt: Format, n: int, words: Words) -> Ask:
    """A NaN in an example that counts: the reduction is NaN, whatever else is ignored."""
    m, clause = a.examples or 1, _clause(a, operator)
    x = ordinary(operator, fmt, m * n, words, 2.0, m)
    x[2 * n + 1] = np.nan
    labels = _labels(operator, a, fmt, n, m, words)
    if operator.labels == "index":
        labels[2] = 1.0 if operator.selects else 3.0  # there it is the class that the index picks
    given = operator.within_unit and clause != "6.12"
    clauses = dict.fromkeys(("grad_logits", "grad_labels"), "6.16") if given else {}
    lost = "5.8" if given else "3.2"
    return Ask(name, x, clause if clause == "6.12" else lost, labels, clauses, attributes=a)


def _nothing_left(
    operator: Operator, name: str, a: Attributes, fmt: Format, n: int, words: Words
) -> Iterator[Ask]:
    """Every example ignored, or of a class that weighs nothing."""
    if operator.labels != "index":
        return
    m = a.examples or 1
    if a.ignore_index is not None:
        clause = "6.11" if a.reduction == "mean" else "6.8"
        labels = np.full(m, float(a.ignore_index))
        yield Ask(name, ordinary(operator, fmt, m * n, words, 2.0, m), clause, labels, attributes=a)
    elif a.weight and a.weight[0] == 0.0:
        clause = "6.11" if a.reduction == "mean" else _clause(a, operator)
        yield Ask(name, ordinary(operator, fmt, m * n, words, 2.0, m), clause, np.zeros(m), attributes=a)


ATTRIBUTES = Family(
    "attributes",
    "class weights, smoothing, an ignored index, reductions, and their triples",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
    domains=GIVEN,
    compiled=in_single,
)
