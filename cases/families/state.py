"""``state``: what a call may not hang on: the call before, the thread, gradients, a graph (7.3, 7.8 to 7.12).

The rows are as harmless as can be, so that nothing but what is kept can make them wrong: small logits, whose
results have lost nothing, and which are compared by their bits therefore.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family
from xent_conformance.cases.form import Again, Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ROWS = 3
SCALE = 0.25

OF_ALL: dict[Again, str] = {"other_between": "7.3", "threads": "7.3"}
OF_VALUES: dict[Again, str] = {"inference": "7.8"}
OF_GRADIENTS: dict[Again, str] = {"second_backward": "7.9", "accumulated": "7.10"}

STABLE = "1.1"
"""Of an output that is not asked once more."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (16,) if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    gradients = ("grad_logits", "grad_labels")
    for asked, clauses in (
        (OF_ALL, {}),
        (OF_VALUES, dict.fromkeys(gradients, STABLE)),
        (OF_GRADIENTS, {"value": STABLE}),
    ):
        for again, clause in asked.items():
            for _ in range(ROWS):
                x = ordinary(operator, fmt, n, words, scale=SCALE)
                yield Ask(again, x, clause, clauses=clauses, form=Form(again=again))
    yield from _shared(operator, n, words)


def _shared(operator: Operator, n: int, words: Words) -> Iterator[Ask]:
    """Logits that may be labels or cotangents as well: parts of one, none of them zero."""
    if operator.domain == "log_probabilities":
        return  # log-probabilities are no target
    if operator.labels == "index" or (operator.labels == "none" and operator.value_shape == "scalar"):
        return  # nothing of it has the logits' shape
    for _ in range(ROWS):
        x = _parts_of_one(n, words)
        labels, cotangent = (x, None) if operator.labels == "dense" else (None, x)
        form = Form(again="shared")
        yield Ask("shared", x, "7.12", labels, cotangent=cotangent, form=form)


def _parts_of_one(n: int, words: Words) -> Floats:
    """``n`` multiples of 2^-6, each positive, whose sum is one: bars among stars."""
    places = np.sort(np.argsort(words.fractions(63), kind="stable")[: n - 1]) + 1
    return np.asarray(np.diff(np.concatenate([[0], places, [64]])) / 64, dtype=np.float64)


STATE = Family(
    "state",
    "the call before, threads, inference, a second backward, sums of gradients, one array twice",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32",)},
    domains=GIVEN_LATER,
)
