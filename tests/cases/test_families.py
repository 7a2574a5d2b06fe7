"""Each family holds what its docstring promises, in every format."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY, SOFTMAX, ask, flat
from xent_conformance.cases.case import Batch
from xent_conformance.cases.families.published import entries
from xent_conformance.reference.formats import BINARY16, BINARY32, BINARY64, Format
from xent_conformance.reference.operators import OPERATORS


def family_batches(family: str) -> list[Batch]:
    return of_corpus("standard", families=[family])


# --- published ------------------------------------------------------------------------------------


@EVERY
def test_published_asks_every_entry(fmt: Format) -> None:
    for entry in entries():
        operator = SOFTMAX if entry["operator"].startswith("cross_entropy_of") else entry["operator"]
        rows = ask("published", operator, fmt)[entry["id"]]
        expected = np.array(entry.get("logits") or np.log(np.array(entry["probabilities"])))
        got = np.stack([r.logits for r in rows])
        np.testing.assert_allclose(got, fmt.nearest(expected), rtol=4 * fmt.u)
        if "labels" in entry:
            np.testing.assert_array_equal(np.stack([r.labels for r in rows]), entry["labels"])


def test_published_asks_the_commonest_mistake() -> None:
    """Probabilities given as logits, beside the logits they come from."""
    entry = next(e for e in entries() if e["id"] == "nll-of-probabilities")
    rows = ask("published", "sparse_softmax_cross_entropy", BINARY64)["probabilities-as-logits"]
    np.testing.assert_array_equal(np.stack([r.logits for r in rows]), entry["probabilities"])
    assert [r.labels.tolist() for r in rows] == [[3.0]] * 3


# --- ordinary -------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("operator", [o.name for o in OPERATORS.values() if o.domain == "reals"])
def test_ordinary_has_three_spreads(operator: str, fmt: Format) -> None:
    rows = ask("ordinary", operator, fmt)
    assert list(rows) == ["unit", "spread8", "spread32"]
    for variant, scale in zip(rows, (1.0, 8.0, 32.0), strict=True):
        x = flat(rows[variant])
        assert 0.8 * scale < x.std() < 1.5 * scale
        assert np.abs(x).max() <= 4 * scale


def test_ordinary_goes_from_one_class_to_a_vocabulary() -> None:
    asked = {b.inputs.n: b for b in family_batches("ordinary") if b.operator == SOFTMAX}
    assert sorted(asked) == [1, 3, 10, 100, 1000, 50257]
    for n, b in asked.items():
        assert {case.clause for case in b.cases} == {"2.4" if n == 1 else "1.1"}


@EVERY
def test_ordinary_probabilities_crowd_at_the_ends_and_the_middle(fmt: Format) -> None:
    rows = ask("ordinary", "logit", fmt)
    x = {variant: flat(asks) for variant, asks in rows.items()}
    assert all(((p > 0) & (p < 1)).all() for p in x.values())
    assert x["near_zero"].min() < 2.0**-5
    assert (1 - x["near_one"]).min() < 2.0**-5
    assert 0 < np.abs(x["near_half"] - 0.5)[x["near_half"] != 0.5].min() < 2.0**-5
    assert x["uniform"].min() < 0.25
    assert x["uniform"].max() > 0.75


# --- soft_labels ----------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("n", [10, 1000])
def test_soft_labels_on_and_off_the_simplex(fmt: Format, n: int) -> None:
    rows = ask("soft_labels", SOFTMAX, fmt, n=n)
    sums = {variant: [math.fsum(a.labels) for a in asks] for variant, asks in rows.items()}
    for variant in ("smoothed", "random", "uniform", "two_hot"):
        assert sums[variant] == pytest.approx(
            [1.0] * len(sums[variant]), rel=2 * fmt.u, abs=n * fmt.smallest_subnormal
        )
    for variant, total in {"sum_two": 2.0, "sum_half": 0.5, "sum_eight": 8.0}.items():
        assert sums[variant] == pytest.approx([total] * 2, rel=2 * fmt.u, abs=8 * n * fmt.smallest_subnormal)
    assert sums["zero"] == [0.0]
    assert sums["opposite"] == [-1.0]
    assert all((a.labels < 0).any() for a in rows["negative"] + rows["opposite"])
    on = ("smoothed", "random", "uniform", "two_hot", "softmax_itself")
    assert all((a.labels >= 0).all() for variant in on for a in rows[variant])
    for variant, asks in rows.items():
        clause = "1.1" if variant in on else "3.2" if variant == "nan_label" else "6.1"
        assert {a.clause for a in asks} == {clause}, variant
        assert {a.clauses.get("grad_logits") for a in asks} == {None if variant in on else "6.2"}, variant


@EVERY
def test_soft_labels_at_the_ends_of_the_format(fmt: Format) -> None:
    """Labels that a product flushes, labels that are no numbers, and labels that are the answer."""
    rows = ask("soft_labels", SOFTMAX, fmt, n=10)
    (tiny,), (subnormal,), (nan,) = rows["tiny"], rows["subnormal"], rows["nan_label"]
    assert tiny.labels[0] == 1 and (tiny.labels[1:] > 0).all() and (tiny.labels[1:] <= 2.0**-7).all()
    assert set(subnormal.labels[1:].tolist()) == {fmt.smallest_subnormal}
    assert np.isnan(nan.labels).sum() == 1 and np.isfinite(nan.logits).all()
    assert nan.clauses["grad_labels"] == "1.1", "the gradient by the labels has no label in it"
    for a in rows["softmax_itself"]:
        e = np.array([math.exp(x - a.logits.max()) for x in a.logits])
        assert a.labels == pytest.approx(e / e.sum(), rel=2 * fmt.u + 1e-14, abs=2 * fmt.smallest_subnormal)


@EVERY
def test_soft_labels_of_the_sigmoid(fmt: Format) -> None:
    rows = ask("soft_labels", "sigmoid_cross_entropy", fmt)
    labels = {variant: np.concatenate([a.labels for a in asks]) for variant, asks in rows.items()}
    assert ((labels["random"] > 0) & (labels["random"] <= 1)).all()
    assert (labels["half"] == 0.5).all()
    assert len(set(labels["smoothed"].tolist())) == 2
    assert ((labels["tiny"] > 0) & (labels["tiny"] < 2.0**-9)).all()
    assert (labels["above_one"] >= 1).all()
    assert (labels["negative"] < 0).all()


# --- two_classes ----------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("operator", ["softmax", SOFTMAX, "sparse_softmax_cross_entropy"])
def test_two_classes(operator: str, fmt: Format) -> None:
    rows = ask("two_classes", operator, fmt)
    assert all(len(a.logits) == 2 for asks in rows.values() for a in asks)
    for name, asks in rows.items():
        assert {a.clause for a in asks} == {"1.2" if name == "confident_right" else "2.5"}
    assert all(a.logits[0] == a.logits[1] for a in rows["tie"])
    for a in rows["near_tie"]:
        ulp = 2.0 ** int(fmt.ulp_exponent(np.array(np.frexp(abs(a.logits).min())[1] - 1)))
        assert 1 <= abs(a.logits[0] - a.logits[1]) / ulp <= 2
    distances = {abs(a.logits[0] - a.logits[1]) for a in rows["confident_right"]}
    assert {min(distances), max(distances)} == {5.0, 80.0}
    assert {a.logits.min() for a in rows["offset"]} == {256.0, -256.0}
    if operator == SOFTMAX:
        assert all(a.labels[np.argmax(a.logits)] == 1 for a in rows["confident_right"])
        assert all(a.labels[np.argmax(a.logits)] == 0 for a in rows["confident_wrong"])


# --- multi_label ----------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("n", [16, 1000])
def test_multi_label(fmt: Format, n: int) -> None:
    rows = ask("multi_label", "sigmoid_cross_entropy", fmt, n=n)
    for a in rows["confident_right"]:
        np.testing.assert_array_equal(a.labels == 1, a.logits > 0)
        assert {-1.0, 1.0} == set(np.sign(a.logits).tolist()), "both mirror images are there"
    for a in rows["confident_wrong"]:
        np.testing.assert_array_equal(a.labels == 1, a.logits < 0)
    assert {float(abs(a.logits[0])) for a in rows["confident_right"]} == {6.0, 10.0, 16.0, 20.0, 40.0}
    few = np.concatenate([a.labels for a in rows["few_positives"]])
    assert 0 < few.mean() < 0.3
    assert all((a.labels == 1).all() for a in rows["all_positive"])
    assert all((a.labels == 0).all() for a in rows["none_positive"])


# --- special_values -------------------------------------------------------------------------------

HAS: dict[str, Callable[[np.ndarray], bool]] = {
    "1.1": lambda x: bool(np.isfinite(x).all() and (np.ptp(x) == 0 or x.min() < -1000 or 0.9 < x.min() < 1)),
    "2.3": lambda x: bool(np.isfinite(x).all() and x.min() < -1000),
    "3.1": lambda x: bool(np.isfinite(x).all()),
    "3.2": lambda x: bool(np.isnan(x).any()),
    "4.1": lambda x: bool(np.isneginf(x).any() and np.isfinite(x).any()),
    "4.2": lambda x: bool(np.isneginf(x).any() and np.isfinite(x).any()),
    "4.3": lambda x: bool(np.isneginf(x).any()),
    "4.7": lambda x: bool(np.isfinite(x).all() and x.min() < -1000),
    "4.4": lambda x: bool(np.isneginf(x).all()),
    "5.1": lambda x: bool(np.isposinf(x).any()),
    "5.2": lambda x: bool(np.isinf(x).any()),
    "5.3": lambda x: bool(np.isposinf(x).any() or np.isneginf(x).all()),
    "5.4": lambda x: not bool(((x > 0) & (x < 1)).all()),
    "5.6": lambda x: bool(((x == 0) | (x == 1)).any()),
    "5.7": lambda x: bool((np.minimum(x, 1 - x) < 1e-6).any() and ((x > 0) & (x < 1)).all()),
    "5.8": lambda x: bool(np.isnan(x).any()),
    "5.9": lambda x: bool(((x < 0) | (x > 1)).any()),
    "6.16": lambda x: bool(np.isnan(x).any() or abs(x.sum() - 1) > 0.25),
}


def test_special_values_hold_what_their_clause_is_about() -> None:
    for b in family_batches("special_values"):
        for case in b.cases:
            assert HAS[case.clause](b.inputs.logits[case.row]), case.id


@EVERY
def test_special_values_have_clean_rows_between(fmt: Format) -> None:
    """A special row is followed and preceded by clean ones, or 3.1 would have nothing to see."""
    for b in of_corpus("standard", families=["special_values"], dtypes=[fmt.name]):
        if b.inputs.attributes.grouped:
            continue  # its ordinary examples are in the same row
        clean = [row for row, a in enumerate(b.asks) if np.isfinite(a.logits).all()]
        assert len(clean) >= (1 if b.operator != "logit" else 0)
        assert len(clean) < len(b.asks)


def test_special_values_mask_labels_only_where_they_say() -> None:
    for b in family_batches("special_values"):
        if b.operator == SOFTMAX:
            for case in b.cases:
                gone = np.isneginf(b.inputs.logits[case.row])
                mass = float(np.abs(b.inputs.labels[case.row])[gone].sum())
                if case.clause in ("4.1", "4.2"):
                    assert mass == 0, case.id
                if case.clause == "4.3":
                    assert mass > 0, case.id


@EVERY
def test_special_values_mask_with_finite_numbers_too(fmt: Format) -> None:
    rows = ask("special_values", SOFTMAX, fmt, n=10)
    assert {a.logits.min() for a in rows["finite_mask_lowest"]} == {-fmt.largest}
    mask = {a.logits.min() for a in rows["finite_mask_1e9"]}
    assert mask == ({-fmt.largest} if fmt is BINARY16 else {float(fmt.nearest(np.array(-1e9)))})


@EVERY
def test_special_values_take_the_sigmoid_to_both_infinities_with_every_label(fmt: Format) -> None:
    rows = ask("special_values", "sigmoid_cross_entropy", fmt)
    seen = {
        (float(x), float(z))
        for asks in rows.values()
        for a in asks
        for x, z in zip(a.logits, a.labels, strict=True)
    }
    inf = float("inf")
    assert {(inf, 1.0), (inf, 0.0), (-inf, 1.0), (-inf, 0.0), (inf, 0.5)} <= seen


@EVERY
def test_special_values_ask_both_ends_of_a_given_probability_with_every_label(fmt: Format) -> None:
    rows = ask("special_values", "binary_cross_entropy", fmt)
    seen = {
        (float(p), float(z))
        for asks in rows.values()
        for a in asks
        for p, z in zip(a.logits, a.labels, strict=True)
    }
    below_one, subnormal = 1 - fmt.u, fmt.smallest_subnormal
    assert {(p, z) for p in (0.0, 1.0, below_one, subnormal) for z in (0.0, 0.5, 1.0)} <= seen
    assert {-fmt.smallest_normal, 1 + 2 * fmt.u, -1.0, 2.0} <= {p for p, _ in seen}
    signs = [np.signbit(a.logits[a.logits == 0]).all() for a in rows["negative_zero_right"]]
    assert signs and all(signs)


def test_special_values_ask_both_ends_of_logit() -> None:
    x = flat([a for asks in ask("special_values", "logit", BINARY32).values() for a in asks])
    assert {0.0, 1.0, -1.0, 2.0} <= set(x[np.isfinite(x)].tolist())
    assert 1.0 + 2 * BINARY32.u in x
    assert -BINARY32.smallest_normal in x
