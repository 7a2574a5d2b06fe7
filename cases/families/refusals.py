"""``refusals``: arguments that do not fit, to see who says so (6.13)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, sparingly
from xent_conformance.cases.form import Form, Wrong
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

ROWS = 4

LOGITS: tuple[Wrong, ...] = (
    "logits_integers",
    "logits_complex",
    "logits_float8_e4m3fn",
    "logits_float8_e5m2",
    "logits_sparse",
)

LABELS: tuple[Wrong, ...] = ("labels_fewer_rows", "labels_one_row", "labels_extra_axis")

WRONG: dict[str, tuple[Wrong, ...]] = {
    "none": LOGITS,
    "index": (*LOGITS, *LABELS, "labels_floats"),
    "dense": (*LOGITS, *LABELS, "labels_more_classes"),
}


FIRST: dict[str, tuple[Wrong, ...]] = {
    "softmax": LOGITS,
    "sparse_softmax_cross_entropy": ("labels_extra_axis",),
    "softmax_cross_entropy": ("labels_one_row",),
}
"""What rows of ``FEWER`` classes, all that ``quick`` asks, have: each kind once."""

FEWER = 8


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    first = (FEWER,) if operator.name in FIRST else ()
    if profile == "quick" or not _later(operator):
        return first
    return (*first, 16 if operator.elementwise else 10)


def _later(operator: Operator) -> tuple[Wrong, ...]:
    """What ``quick`` does not ask of it."""
    return tuple(w for w in WRONG[operator.labels] if w not in FIRST.get(operator.name, ()))


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for wrong in FIRST[operator.name] if n == FEWER else _later(operator):
        for _ in range(ROWS):
            yield Ask(wrong, ordinary(operator, fmt, n, words), "6.13", form=Form(wrong=wrong))


REFUSALS = Family(
    "refusals",
    "arguments that do not fit: who raises, and what comes back",
    _lengths,
    _rows,
    ("float32",),
    domains=GIVEN_LATER,
    compiled=sparingly,
)
