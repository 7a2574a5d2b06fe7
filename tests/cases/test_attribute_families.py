"""``attributes`` and ``element_weights``: every pair and triple of choices really occurs (§6)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.families import attributes as of_classes
from xent_conformance.cases.families import element_weights as of_elements
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import BINARY32, Format
from xent_conformance.reference.operators import OPERATORS

SPARSE, DENSE, BINARY = (
    "sparse_softmax_cross_entropy",
    "softmax_cross_entropy",
    "sigmoid_cross_entropy",
)
WEIGHTS, SMOOTHINGS, IGNORED, REDUCTIONS = (
    of_classes.WEIGHTS,
    tuple(of_classes.SMOOTHINGS),
    tuple(of_classes.IGNORED),
    of_classes.REDUCTIONS,
)


def asked(family: str, operator: str, n: int, fmt: Format = BINARY32) -> list[Batch]:
    return list(batches_of(OPERATORS[operator], families()[family], fmt, n))


def in_profile(profile: str, family: str, operator: str) -> list[Batch]:
    return of_corpus(profile, families=[family], operators=[operator], dtypes=["float32"])


def choices(found: Iterable[Batch]) -> set[tuple[str, ...]]:
    return {tuple(b.asks[0].variant.split("+")) for b in found}


def every_triple(combinations: set[tuple[str, ...]]) -> bool:
    """Whether every choice of three attributes occurs beside some choice of the fourth."""
    values = (WEIGHTS, SMOOTHINGS, IGNORED, REDUCTIONS)
    return all(
        {tuple(c[i] for i in three) for c in combinations}
        == set(itertools.product(*(values[i] for i in three)))
        for three in itertools.combinations(range(4), 3)
    )


# --- class weights, smoothing, an ignored index, reductions ---------------------------------------------


ALONE = {
    ("even", "all_smoothed", "kept", "none"),
    ("even", "plain", "ignore_class", "none"),
    ("even", "plain", "ignore_outside", "none"),
    ("even", "plain", "kept", "mean"),
    ("even", "plain", "kept", "sum"),
    ("even", "smoothed", "kept", "none"),
    ("some_zero", "plain", "kept", "none"),
    ("weighted", "plain", "kept", "none"),
}
"""One attribute and no other, where no triple is that."""


@pytest.mark.parametrize("operator", [SPARSE, DENSE, BINARY])
def test_each_attribute_is_asked_alone_in_quick(operator: str) -> None:
    """A door that takes one attribute was once asked nothing of it, and conformed."""
    asked = [b for family in ("attributes", "element_weights") for b in in_profile("quick", family, operator)]
    taken = {name for b in asked for name in b.inputs.attributes.given}
    alone = {next(iter(b.inputs.attributes.given)) for b in asked if len(b.inputs.attributes.given) == 1}
    assert taken and alone == taken


def test_every_triple_is_asked_in_quick() -> None:
    found = in_profile("quick", "attributes", SPARSE)
    assert {b.inputs.n for b in found} == {6}
    assert len(choices(found)) == len(found) == 36 + len(ALONE)
    assert every_triple(choices(found) - ALONE)


def test_no_smaller_set_would_have_every_triple() -> None:
    """36 = 4 · 3 · 3, the triples of the three largest attributes: each is asked once."""
    triples = [c[:3] for c in choices(in_profile("quick", "attributes", SPARSE)) - ALONE]
    assert len(triples) == len(set(triples)) == len(WEIGHTS) * len(SMOOTHINGS) * len(IGNORED)


def test_every_combination_is_asked_in_standard() -> None:
    found = [b for b in in_profile("standard", "attributes", SPARSE) if b.inputs.n == 7]
    assert choices(found) == set(itertools.product(WEIGHTS, SMOOTHINGS, IGNORED, REDUCTIONS))


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_dense_labels_are_asked_every_combination(profile: str) -> None:
    """They have no index to ignore."""
    found = choices(in_profile(profile, "attributes", DENSE))
    assert found == set(itertools.product(WEIGHTS, SMOOTHINGS, ["kept"], REDUCTIONS))


def test_nobody_else_is_asked() -> None:
    given = {"negative_log_likelihood", "categorical_cross_entropy", "sparse_categorical_cross_entropy"}
    for operator in set(OPERATORS) - {SPARSE, DENSE} - given:
        assert in_profile("full", "attributes", operator) == []
    for operator in set(OPERATORS) - {BINARY, "binary_cross_entropy"}:
        assert in_profile("full", "element_weights", operator) == []


def test_weights_of_given_probabilities_stand_without_positive_ones() -> None:
    """Every weight under every reduction, and smoothing once."""
    found = asked("element_weights", "binary_cross_entropy", 8)
    names = {b.asks[0].variant for b in found}
    kinds = itertools.product(("even", "uneven", "some_zero", "huge"), ("none", "mean", "sum"))
    assert names == {f"weight_{kind}+{reduction}" for kind, reduction in kinds} | {"smoothed"}
    assert all(not b.inputs.attributes.pos_weight for b in found)
    assert all(((b.inputs.logits > 0) & (b.inputs.logits < 1)).all() for b in found)


@pytest.mark.parametrize(("operator", "n"), [(SPARSE, 6), (SPARSE, 7), (DENSE, 6), (DENSE, 7)])
def test_the_name_says_what_is_given(operator: str, n: int) -> None:
    for b in asked("attributes", operator, n):
        a = b.inputs.attributes
        weights, smoothing, ignored, reduction = b.asks[0].variant.split("+")
        assert a.label_smoothing == {"plain": 0.0, "smoothed": 0.1, "all_smoothed": 1.0}[smoothing]
        assert a.ignore_index == {"kept": None, "ignore_outside": -100, "ignore_class": 2}[ignored]
        assert a.reduction == reduction
        assert a.examples == (None if reduction == "none" else 4)
        assert len(a.weight) == (0 if weights == "even" else n)
        assert a.pos_weight == ()
        if a.weight:
            assert a.weight[1] > 0
            zeros = [i for i, w in enumerate(a.weight) if w == 0]
            assert zeros == ([0, n - 1] if weights == "some_zero" else [])
            assert (max(a.weight) >= 128) is (weights == "huge_weights")


def _expected(a: Attributes, x: np.ndarray, labels: np.ndarray, operator: str) -> str:
    """The clause of a row, from SPEC.md and not from the family."""
    if np.isnan(x).any():
        return "6.12" if a.reduction == "mean" and a.weight and operator == DENSE else "3.2"
    if a.reduction == "mean":
        if operator == DENSE:
            return "6.12" if a.weight else "6.10"
        kept = [int(y) for y in labels if y != a.ignore_index]
        return "6.10" if math.fsum(a.weight_of(y) for y in kept) > 0 else "6.11"
    if a.reduction == "sum":
        return "6.10"
    if a.ignore_index is not None:
        return "6.8"
    if a.label_smoothing:
        return "6.7"
    return "6.6" if a.weight else "1.1"


@EVERY
@pytest.mark.parametrize(("operator", "n"), [(SPARSE, 6), (SPARSE, 7), (DENSE, 6), (DENSE, 7)])
def test_the_clause_of_every_row(operator: str, n: int, fmt: Format) -> None:
    seen = set()
    for b in asked("attributes", operator, n, fmt):
        for case, x, labels in zip(b.cases, b.inputs.logits, b.inputs.labels, strict=True):
            expected = _expected(b.inputs.attributes, x, labels, operator)
            if case.clause != expected:
                # a row where every example is ignored tests that, also in a sum
                assert (case.clause, expected) == ("6.8", "6.10"), case.id
                assert set(labels) == {b.inputs.attributes.ignore_index}
            assert dict(case.clauses) == {}
            seen.add(case.clause)
    index = operator == SPARSE
    assert seen >= (
        {"1.1", "6.6", "6.7", "6.8", "6.10", "6.11"} if index else {"1.1", "6.6", "6.7", "6.10", "6.12"}
    )


def test_some_row_is_ignored_and_some_row_is_left() -> None:
    """A mean that counts ignored rows, and one that forgets those that are left, both are seen."""
    for b in asked("attributes", SPARSE, 7):
        index = b.inputs.attributes.ignore_index
        ignored = [(labels == index).sum() if index is not None else 0 for labels in b.inputs.labels]
        if index is None:
            assert set(ignored) == {0}
        elif b.inputs.attributes.grouped:
            assert ignored[-1] == 4, "one group of which nothing is left"
            assert all(1 <= count < 4 for count in ignored[:-1])
        else:
            assert ignored[-1] == 1


@pytest.mark.parametrize("operator", [SPARSE, DENSE])
def test_every_reduction_has_a_nan_in_an_example_that_counts(operator: str) -> None:
    """Whatever else is ignored: skipping what is not a number is not ignoring an index."""
    for b in asked("attributes", operator, 6):
        rows = [i for i, x in enumerate(b.inputs.logits) if np.isnan(x).any()]
        assert len(rows) == (1 if b.inputs.attributes.grouped else 0)
        for i in rows:
            (example,) = np.flatnonzero(np.isnan(b.inputs.logits[i].reshape(4, 6)).any(axis=1))
            if operator == SPARSE:
                y = int(b.inputs.labels[i, example])
                assert y != b.inputs.attributes.ignore_index and b.inputs.attributes.weight_of(y) > 0


def test_weights_of_zero_alone_are_asked() -> None:
    """Σ w is 0 though no row is ignored."""
    found = [
        b.inputs.labels[-1]
        for b in asked("attributes", SPARSE, 7)
        if b.asks[0].variant.startswith("some_zero") and b.asks[0].variant.endswith("kept+mean")
    ]
    assert len(found) == 3 and all((labels == 0).all() for labels in found)


@EVERY
@pytest.mark.parametrize("n", [6, 7])
def test_dense_labels_are_distributions_one_of_them_one_hot(n: int, fmt: Format) -> None:
    for b in asked("attributes", DENSE, n, fmt):
        labels = b.inputs.labels.reshape(-1, n)
        assert labels.sum(axis=1) == pytest.approx(np.ones(len(labels)), rel=2 * fmt.u)
        assert labels.min() >= 0
        assert labels[0].tolist() == [float(i == 1) for i in range(n)]


# --- element weights --------------------------------------------------------------------------------


def test_every_pair_of_weights_is_asked() -> None:
    found = asked("element_weights", BINARY, 8)
    crossed = {tuple(b.asks[0].variant.split("+")) for b in found if "+" in b.asks[0].variant}
    smoothed = {p[1:] for p in crossed if p[0] == "smoothed"}
    pairs = {p for p in crossed if p[0] != "smoothed"}
    kinds = of_elements.KINDS
    names = itertools.product([f"weight_{k}" for k in kinds], [f"positive_{k}" for k in kinds])
    assert {p[:2] for p in pairs} == set(names)
    for i in (0, 1):
        with_reduction = {(p[i], p[2]) for p in pairs}
        assert len(with_reduction) == 4 * 3, "each kind of each weight under each reduction"
    assert {p[2] for p in smoothed} == {"none", "mean", "sum"}
    either = {("weight_even", "positive_uneven"), ("weight_uneven", "positive_even")}
    assert {p[:2] for p in smoothed} == either | {("weight_uneven", "positive_uneven")}


@EVERY
def test_the_clause_of_every_element_row(fmt: Format) -> None:
    seen = set()
    for b in asked("element_weights", BINARY, 8, fmt):
        a = b.inputs.attributes
        alone = "6.7" if a.label_smoothing else "6.9" if a.pos_weight else "6.6" if a.weight else "1.1"
        expected = "6.10" if a.grouped else alone
        assert {c.clause for c in b.cases} == {expected}
        assert a.grouped is (a.reduction != "none") and a.examples in (None, 3)
        seen.add(expected)
    assert seen == {"6.10", "6.9", "6.6", "6.7", "1.1"}


def test_labels_of_elements_are_fractions_and_ones() -> None:
    """With hard labels a positive weight on the wrong term can hide."""
    found = asked("element_weights", BINARY, 8)
    labels = np.concatenate([b.inputs.labels.ravel() for b in found])
    assert set((labels * 16).tolist()) == set(range(17))
    for b in found:
        fractional = ((b.inputs.labels > 0) & (b.inputs.labels < 1)).any()
        assert fractional == (b.asks[0].variant != "smoothed"), "smoothing makes fractions of hard labels"


def test_the_same_positive_weight_everywhere() -> None:
    found = {
        b.asks[0].variant: b for b in asked("element_weights", BINARY, 8) if "+" not in b.asks[0].variant
    }
    found.pop("smoothed")
    positive = {name: set(b.inputs.attributes.pos_weight) for name, b in found.items()}
    assert positive["positive_three"] == {3.0}
    assert positive["positive_one"] == {1.0}
    assert all(0 < p < 0.11 for p in positive["positive_tenth"])
    for b in found.values():
        assert {-15.0, 15.0} <= set(b.inputs.logits.ravel().tolist())


# --- numbers ------------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize(
    ("family", "operator", "n"),
    [("attributes", SPARSE, 7), ("attributes", DENSE, 7), ("element_weights", BINARY, 8)],
)
def test_weights_exist_in_the_format(family: str, operator: str, n: int, fmt: Format) -> None:
    for b in asked(family, operator, n, fmt):
        for weights in (b.inputs.attributes.weight, b.inputs.attributes.pos_weight):
            array = np.array(weights, dtype=np.float64)
            assert np.array_equal(fmt.nearest(array), array)
            assert (array >= 0).all() and np.isfinite(array).all()


def test_rows_of_a_variant_share_their_attributes() -> None:
    for family, operator, n in (("attributes", SPARSE, 6), ("element_weights", BINARY, 8)):
        for b in asked(family, operator, n):
            assert len({a.manner for a in b.asks}) == 1
            assert len({a.variant for a in b.asks}) == 1
