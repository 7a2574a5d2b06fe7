"""``special_values``: NaN, ±∞ and masked classes, with clean rows beside them (SPEC.md §2.3, §3–§5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import GIVEN, Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import NEXT_TO_AN_END, Operator

ELEMENTS, EXAMPLES = 16, 3
INFINITY = float("inf")
NAN = float("nan")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.elementwise:
        return (ELEMENTS,)
    return (10,) if profile == "quick" or operator.domain != "reals" else (10, 1000)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.domain == "unit":
        yield from _domain(fmt, n, words)
    elif operator.domain == "probabilities":
        asked = _ends if operator.elementwise else _shares
        yield from asked(operator, fmt, n, words)
    elif operator.domain == "log_probabilities":
        yield from _given(operator, fmt, n, words)
    elif operator.elementwise:
        yield from _limits(operator, fmt, n, words)
    else:
        yield from _row_specials(operator, fmt, n, words)


def _row_specials(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """The softmax family. The label is on class 1 unless the name says otherwise."""

    def logits(*specials: tuple[int, float]) -> Floats:
        row = words.bell(fmt, 2.0, n)
        for i, value in specials:
            row[i] = value
        return row

    def hot(y: int) -> Floats | None:
        if operator.labels == "index":
            return np.array([float(y)])
        return np.asarray(np.arange(n) == y, dtype=np.float64) if operator.labels == "dense" else None

    dense, labelled = operator.labels == "dense", operator.labels != "none"
    one = hot(1)
    last = n - 1

    yield Ask("clean", logits(), "3.1", one)
    for name, i in (("nan_first", 0), ("nan_label", 1), ("nan_last", last)):
        yield Ask(name, logits((i, NAN)), "3.2", one)
    yield Ask("clean", logits(), "3.1", one)
    yield Ask("nan_everywhere", np.full(n, NAN), "3.2", one)
    yield Ask("nan_beside_infinity", logits((0, NAN), (2, -INFINITY)), "3.2", one)
    yield Ask("clean", logits(), "3.1", one)

    absent, derivative = ("4.2", {"grad_labels": "4.5"}) if dense else ("4.1", {})
    for name, where in (
        ("masked_first", [0]),
        ("masked_last", [last]),
        ("masked_half", list(range(2, n, 2))),
        ("masked_but_one", [i for i in range(n) if i != 1]),
    ):
        yield Ask(name, logits(*((i, -INFINITY) for i in where)), absent, one, derivative)
    yield Ask("clean", logits(), "3.1", one)
    if labelled:
        excluded = {"grad_logits": "4.5", "grad_labels": "4.5"}
        yield Ask("masked_label", logits((1, -INFINITY)), "4.3", one, excluded)
    nothing = ("5.3", {"grad_logits": "4.4"}) if operator.name == "logsumexp" else ("4.4", {})
    yield Ask("masked_everywhere", np.full(n, -INFINITY), nothing[0], one, nothing[1])

    lowest = -fmt.largest
    for name, mask in (("finite_mask_lowest", lowest), ("finite_mask_1e9", max(-1e9, lowest))):
        mask = float(fmt.nearest(np.array(mask)))
        unit = mask == lowest
        many = logits(*((i, mask) for i in range(2, n)))
        yield Ask(name, many, "2.3", one, unit_cotangent=unit)
        yield Ask(name, logits((0, mask)), "2.3", one, unit_cotangent=unit)

    positive = {"grad_logits": "5.1", "grad_labels": "5.1"}
    clause = "5.3" if operator.name == "logsumexp" else "5.1"
    yield Ask("plus_infinity", logits((0, INFINITY)), clause, one, positive)
    yield Ask("plus_infinity_label", logits((1, INFINITY)), clause, one, positive)
    yield Ask("both_infinities", logits((0, INFINITY), (2, -INFINITY)), clause, one, positive)
    yield Ask("clean", logits(), "3.1", one)


def _limits(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """The sigmoid family: the special value is one element among ordinary ones."""

    def row(i: int, value: float) -> Floats:
        x = words.bell(fmt, 2.0, n)
        x[i] = value
        return x

    def labels(z: float) -> Floats | None:
        return np.full(n, z) if operator.labels == "dense" else None

    yield Ask("nan_first", row(0, NAN), "3.2", labels(1.0))
    yield Ask("nan_last", row(n - 1, NAN), "3.2", labels(0.0))
    yield Ask("clean", row(0, 0.0), "3.1", labels(1.0))
    yield Ask("plus_infinity", row(3, INFINITY), "5.2", labels(1.0))
    yield Ask("minus_infinity", row(3, -INFINITY), "5.2", labels(0.0))
    if operator.labels == "dense":
        yield Ask("plus_infinity_wrong", row(3, INFINITY), "5.2", labels(0.0))
        yield Ask("minus_infinity_wrong", row(3, -INFINITY), "5.2", labels(1.0))
        yield Ask("plus_infinity_soft", row(3, INFINITY), "5.2", labels(0.5))
    yield Ask("clean", row(0, 0.0), "3.1", labels(0.0))


def _outside(fmt: Format) -> dict[str, float]:
    """Numbers that are no probabilities, however near."""
    return {
        "below_zero": -fmt.smallest_normal,
        "above_one": 1.0 + 2.0 * fmt.u,
        "minus_one": -1.0,
        "two": 2.0,
    }


def _domain(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """logit: the ends of [0, 1] and beyond."""
    for name, p in {"zero": 0.0, "one": 1.0, "infinite": INFINITY, **_outside(fmt)}.items():
        row = fmt.nearest(words.fractions(n, bits=8))
        row[3] = p
        yield Ask(name, row, "5.4")
    row = fmt.nearest(words.fractions(n, bits=8))
    row[3] = NAN
    yield Ask("nan", row, "3.2")


def _ends(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Given probabilities: the ends of [0, 1], what is next to them, and beyond, among ordinary ones."""
    wrong = {"grad_logits": "4.5", "grad_labels": "4.5"}

    def row(*places: tuple[int, float]) -> Floats:
        p = ordinary(operator, fmt, n, words)
        for i, value in places:
            p[i] = value
        return p

    yield Ask("clean", row(), "3.1", np.ones(n))
    for name, p, right in (("zero", 0.0, 0.0), ("negative_zero", -0.0, 0.0), ("one", 1.0, 1.0)):
        yield Ask(f"{name}_right", row((3, p)), "5.6", np.full(n, right), {"grad_labels": "4.5"})
        yield Ask(f"{name}_wrong", row((3, p)), "5.6", np.full(n, 1.0 - right), wrong)
        yield Ask(f"{name}_soft", row((3, p)), "5.6", np.full(n, 0.5), wrong)
    hard = np.arange(n, dtype=np.float64) % 2
    yield Ask("hard", hard, "5.6", hard, {"grad_labels": "4.5"})
    ladder = 2.0 ** -np.linspace(20, -fmt.emin, n).astype(int) if fmt.emin < -20 else None
    steps = np.arange(1.0, n + 1)
    subnormal, below_one = fmt.smallest_subnormal * steps, 1.0 - fmt.u * steps
    near = {"next_to_zero": ladder, "subnormal": subnormal, "next_to_one": below_one}
    for name, x in near.items():
        if x is not None:
            clause = "5.7" if np.minimum(x, 1 - x).max() < NEXT_TO_AN_END else "1.1"
            for z in (0.0, 1.0, 0.5):
                yield Ask(name, x, clause, np.full(n, z), cotangent=np.ones(n))
    yield Ask("clean", row(), "3.1", np.zeros(n))
    beyond = {"grad_logits": "4.5", "grad_labels": "4.5"}
    for name, p in {"infinite": INFINITY, **_outside(fmt)}.items():
        for z in (0.0, 1.0):
            yield Ask(name, row((3, p)), "5.9", np.full(n, z), beyond)
    yield Ask("clean", row(), "3.1", np.zeros(n))
    for name, i in (("nan_first", 0), ("nan_last", n - 1)):
        yield Ask(name, row((i, NAN)), "5.8", np.ones(n))
    yield Ask("clean", row(), "3.1", np.full(n, 0.25))
    for name, p, clause in _reduced_ends(fmt):
        hot = np.full(EXAMPLES * n, 0.0 if name == "one_wrong" else 1.0)
        yield from _reduced(operator, fmt, n, words, name, p, clause, hot)


def _reduced_ends(fmt: Format) -> Iterator[tuple[str, float, str]]:
    """What a clamp takes away, and what it takes for another number; binary16 has none so small."""
    yield "zero_wrong", 0.0, "5.6"
    yield "one_wrong", 1.0, "5.6"
    if fmt.emin < -40:
        yield "next_to_zero", 2.0**-40, "5.7"


def _reduced(
    operator: Operator, fmt: Format, n: int, words: Words, name: str, p: float, clause: str, labels: Floats
) -> Iterator[Ask]:
    """One such probability, on class 1 of the first example of a group."""
    reductions: tuple[Reduction, ...] = ("mean", "sum")
    infinite = {"grad_logits": "4.5", "grad_labels": "4.5"} if clause == "5.6" else {}
    for reduction in reductions:
        x = ordinary(operator, fmt, EXAMPLES * n, words, examples=EXAMPLES)
        if not operator.elementwise:
            x[5] += x[1] if p < NEXT_TO_AN_END else 0.0
        x[1] = p
        a = Attributes(reduction=reduction, examples=EXAMPLES)
        yield Ask(f"{name}+{reduction}", x, clause, labels, infinite, attributes=a)


def _shares(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Given distributions. The label is on class 1; what a class has not, another has."""
    index = operator.labels == "index"
    label = np.array([1.0]) if index else np.asarray(np.arange(n) == 1, dtype=np.float64)
    wrong = {"grad_logits": "4.5", "grad_labels": "4.5"}
    by_label = {} if index else {"grad_labels": "4.5"}

    def row(*places: tuple[int, float]) -> Floats:
        p = ordinary(operator, fmt, n, words)
        for i, value in places:
            p[5] += p[i] if 0 <= value < NEXT_TO_AN_END else 0.0
            p[i] = value
        return p

    def certain(k: int, zero: float = 0.0) -> Floats:
        return np.where(np.arange(n) == k, 1.0, zero)

    yield Ask("clean", row(), "3.1", label)
    beside = dict.fromkeys(("grad_logits", "grad_labels"), "6.16")
    for name, i in (("nan_first", 0), ("nan_label", 1), ("nan_last", n - 1)):
        yield Ask(name, row((i, NAN)), "5.8" if i == 1 else "6.16", label, beside if i == 1 else {})
    yield Ask("clean", row(), "3.1", label)
    for zero in (0.0, -0.0):
        yield Ask("zero_elsewhere", row((0, zero), (n - 1, zero)), "5.6", label, by_label)
        yield Ask("zero_label", row((1, zero)), "5.6", label, wrong)
        yield Ask("certain_right", certain(1, zero), "5.6", label, by_label)
        yield Ask("certain_wrong", certain(0, zero), "5.6", label, wrong)
    yield Ask("clean", row(), "3.1", label)
    tiny = [fmt.smallest_subnormal, 3 * fmt.smallest_subnormal]
    tiny += [2.0**-20, 2.0**-40, 2.0**-100, fmt.smallest_normal] if fmt.emin < -20 else []
    for p in tiny:
        name = "subnormal" if p < fmt.smallest_normal else "next_to_zero"
        yield Ask(f"{name}_label", row((1, p)), "5.7", label, unit_cotangent=True)
        yield Ask(f"{name}_elsewhere", row((0, p)), "5.7", label, unit_cotangent=True)
    for name, factor in (("sum_half", 0.5), ("sum_two", 2.0)):
        yield Ask(name, np.minimum(factor * row(), 1.0), "6.16", label)
    for p in (-fmt.smallest_normal, -1.0):
        yield Ask("below_zero", row((1, p)), "5.9", label, wrong)
    yield Ask("clean", row(), "3.1", label)
    for name, p, clause in _reduced_ends(fmt):
        if name != "one_wrong":
            yield from _reduced(operator, fmt, n, words, name, p, clause, np.tile(label, EXAMPLES))


def _given(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Log-probabilities. The label is on class 1; a target is positive, or on three classes alone."""
    index, three = operator.labels == "index", (1, 4, 7)
    positive = label_on(operator, n, 1)
    label = positive if index else np.where(np.isin(np.arange(n), three), np.arange(n) / 16, 0.0)

    def row(*specials: tuple[int, float]) -> Floats:
        x = ordinary(operator, fmt, n, words, 2.0)
        for i, value in specials:
            x[i] = value
        return x

    yield Ask("clean", row(), "3.1", positive)
    for name, i in (("nan_first", 0), ("nan_label", 1), ("nan_last", n - 1)):
        yield Ask(name, row((i, NAN)), "3.2", positive)
    yield Ask("clean", row(), "3.1", positive)
    absent, derivative = ("4.1", {}) if index else ("4.2", {"grad_labels": "4.5"})
    for name, gone in (
        ("masked_first", [0]),
        ("masked_last", [n - 1]),
        ("masked_half", [0, 2, 3, 5, 6]),
        ("masked_but_the_labelled", [i for i in range(n) if i not in three]),
    ):
        yield Ask(name, row(*((i, -INFINITY) for i in gone)), absent, label, derivative)
    excluded = {"grad_logits": "4.5", "grad_labels": "4.5"}
    yield Ask("masked_label", row((1, -INFINITY)), "4.3", label, excluded)
    yield Ask("masked_everywhere", np.full(n, -INFINITY), "4.3", positive, excluded)
    yield Ask("clean", row(), "3.1", positive)
    yield Ask("certain", np.zeros(n), "1.1", positive)
    yield Ask("certain", np.full(n, -0.0), "1.1", positive)
    yield Ask("subnormal", np.full(n, -3 * fmt.smallest_subnormal), "1.1", positive)
    lowest = -fmt.largest
    for i in (0, 1):
        clause = "2.3" if index else "4.7" if i == 0 else "1.1"
        target = positive if clause == "1.1" else label
        open_ = derivative if clause == "4.7" else {}
        yield Ask("finite_mask_lowest", row((i, lowest)), clause, target, open_, unit_cotangent=True)


SPECIAL_VALUES = Family(
    "special_values",
    "NaN, infinities and masked classes, with clean rows beside them",
    _lengths,
    _rows,
    domains=GIVEN,
)
