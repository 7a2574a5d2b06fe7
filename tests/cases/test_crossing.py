"""``crossing``: every pair is asked in ``standard``, each by the clause of what is heaviest in it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from docs.coverage import can_meet, do_meet, names, table
from tests.support.corpus import of_corpus
from tests.support.paths import ROOT
from xent_conformance.cases.case import Batch
from xent_conformance.cases.families.crossing import EXCLUDED, IGNORED, LABELLED
from xent_conformance.cases.families.crossing_axes import (
    CROSSED,
    FIRST,
    PLACES,
    TRIPLES,
    asked_by,
    asked_in,
    axes_of,
    clauses_of,
    form_of,
    name_of,
    quick_of,
    rows_of,
    rules_of,
)
from xent_conformance.cases.pairwise import Row
from xent_conformance.reference.clauses import Level, clauses
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS, Operator
from xent_conformance.reference.oracle import Oracle

COVERAGE = ROOT / "docs" / "COVERAGE.md"
EACH = pytest.mark.parametrize("operator", CROSSED, ids=lambda o: o.name)
DENSE, SPARSE, LOGSUMEXP = (
    OPERATORS[n] for n in ("softmax_cross_entropy", "sparse_softmax_cross_entropy", "logsumexp")
)
LOG_TARGET, RELATIVE = OPERATORS["kl_divergence_log_target"], OPERATORS["relative_entropy"]


# --- what meets -----------------------------------------------------------------------------------------


def test_every_pair_is_asked_in_standard() -> None:
    for pair in itertools.combinations(names(), 2):
        assert do_meet("standard", pair) == can_meet(pair) > 0, pair


def test_quick_asks_every_pair_but_of_formats_and_widths() -> None:
    """No kind is dropped there: it has one format and one width, and all else."""
    for pair in itertools.combinations(names(), 2):
        asked = can_meet(pair, "quick")
        assert (do_meet("quick", pair) == asked) == (not {"format", "width"} & set(pair)), pair


def test_triples() -> None:
    for group in PLACES:
        assert do_meet("quick", group) == can_meet(group, "quick")
    for group in TRIPLES:
        assert do_meet("standard", group) < do_meet("full", group) == can_meet(group)


def test_a_pair_that_is_not_asked_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pair, one = ("shape", "reduction"), OPERATORS["sigmoid_cross_entropy"]
    fewer = [r for r in asked_by("standard", one) if (r["shape"], r["reduction"]) != ("vector", "sum")]
    monkeypatch.setattr("docs.coverage.asked_by", lambda p, o: fewer if o is one else asked_by(p, o))
    assert do_meet("standard", pair) == can_meet(pair) - 1


@EACH
def test_implementations_that_take_nothing_are_asked_all_that_is_left(operator: Operator) -> None:
    """A row with attributes or a layout is not put to them: shapes, contents and outputs meet without."""
    bare = [
        r
        for r in asked_in(operator, "float32", FIRST)
        if r["layout"] == "contiguous"
        and not {"mean", "sum"} & {r["reduction"]}
        and (r["weight"], r["smoothing"], r["ignored"], r["pos_weight"])
        == ("even", "plain", "kept", "all_one")
    ]
    axes = axes_of(operator)
    for a, b in itertools.combinations(("content", "shape", "asked"), 2):
        met = {(r[a], r[b]) for r in bare}
        for values in itertools.product(axes[a], axes[b]):
            row = dict(zip((a, b), values, strict=True))
            assert (values in met) == all(rule.allows(row) for rule in rules_of(operator)), values


def test_the_documentation_is_what_is_printed() -> None:
    """Print it anew: ``.venv/bin/python -m docs.coverage > docs/COVERAGE.md``."""
    assert COVERAGE.read_text(encoding="utf-8") == table()


@EACH
def test_nothing_is_added_to_what_quick_asks(operator: Operator) -> None:
    """Rows of ``standard`` bring another format or another width; ``quick`` does not wait for them."""
    added = rows_of(operator)[len(quick_of(operator)) :]
    assert rows_of(operator)[: len(quick_of(operator))] == quick_of(operator)
    assert added and not [row for row in added if (row["format"], row["width"]) == ("float32", str(FIRST))]
    assert asked_in(operator, "float32", FIRST) == quick_of(operator)


def test_quick_does_without_the_rows_of_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xent_conformance.cases.families.crossing_axes.rows_of", None)
    assert asked_by("quick", DENSE) and asked_in(DENSE, "float32", FIRST)
    with pytest.raises(TypeError):
        asked_by("standard", DENSE)


# --- names and forms ------------------------------------------------------------------------------------


@EACH
def test_names_tell_rows_apart(operator: Operator) -> None:
    for n, fmt in {(r["width"], r["format"]) for r in asked_by("full", operator)}:
        told = [name_of(r) for r in asked_by("full", operator) if (r["width"], r["format"]) == (n, fmt)]
        assert len(set(told)) == len(told)


def row(**values: str) -> Row:
    usual = {a: v[0] for a, v in axes_of(SPARSE).items()}
    return {**usual, **values}


def test_names_are_read() -> None:
    assert name_of(row()) == "plain"
    told = row(content="excluded", weight="weighted", reduction="mean", shape="image")
    assert name_of(told) == "excluded+weighted+mean+image"


def test_a_square_has_no_axis_of_another_length_and_a_negative_place() -> None:
    form = form_of(row(shape="square"), FIRST)
    assert form.shape == (FIRST, FIRST) and form.axis == -2 and form.class_axis == 1
    form = form_of(row(shape="square"), 17)
    assert form.shape == (17,) and form.axis == -2 and form.class_axis == 0


# --- clauses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "values", "value", "others"),
    [
        (SPARSE, {}, "1.1", {}),
        (SPARSE, {"again": "twice"}, "7.3", {}),
        (SPARSE, {"again": "twice", "shape": "image"}, "7.6", {}),
        (SPARSE, {"shape": "vector"}, "1.4", {}),
        (SPARSE, {"shape": "vector", "weight": "weighted"}, "6.6", {}),
        (SPARSE, {"weight": "weighted", "smoothing": "smoothed"}, "6.7", {}),
        (SPARSE, {"smoothing": "smoothed", "ignored": "ignore_class", "asked": "moving"}, "6.8", {}),
        (SPARSE, {"ignored": "ignore_class", "reduction": "sum", "content": "offset"}, "7.1", {}),
        (SPARSE, {"labels": "out_of_range", "reduction": "sum"}, "6.4", {}),
        (SPARSE, {"content": "excluded", "reduction": "sum"}, "4.1", {}),
        (DENSE, {"labels": "hard", "content": "excluded"}, "4.2", {"grad_labels": "4.5"}),
        (DENSE, {"labels": "off_simplex", "weight": "weighted"}, "6.1", {"grad_logits": "6.2"}),
        (DENSE, {"labels": "off_simplex", "asked": "moving"}, "1.6", {"hvp": "6.2"}),
        (DENSE, {"labels": "off_simplex", "content": "nan"}, "3.2", {}),
        (LOG_TARGET, {"labels": "soft", "reduction": "mean"}, "6.10", {}),
        (LOG_TARGET, {"labels": "hard", "reduction": "mean"}, "4.8", {}),
        (LOG_TARGET, {"labels": "hard", "content": "finite_mask"}, "4.8", {}),
        (LOG_TARGET, {"labels": "hard", "content": "excluded"}, "4.8", {"grad_labels": "4.5"}),
        (LOG_TARGET, {"labels": "soft", "content": "nan"}, "3.2", {}),
        (LOG_TARGET, {"labels": "off_simplex", "asked": "moving"}, "1.6", {}),
        (RELATIVE, {"labels": "hard", "layout": "strided"}, "4.7", {"grad_labels": "4.5"}),
        (RELATIVE, {"labels": "nan_label"}, "3.2", {}),
    ],
)
def test_what_is_heaviest_decides(
    operator: Operator, values: dict[str, str], value: str, others: dict[str, str]
) -> None:
    assert clauses_of(row(**values), operator) == (value, others)


def test_a_share_of_smoothing_on_an_excluded_class_is_mass() -> None:
    value, others = clauses_of(row(content="excluded", smoothing="smoothed"), SPARSE)
    assert value == "4.3" and set(others.values()) == {"4.5"}


@pytest.mark.parametrize(
    ("content", "clause"),
    [("excluded", "5.10"), ("outside", "5.10"), ("excluded_label", "4.3")],
)
def test_where_a_divergence_is_a_convention_its_slopes_are_open(content: str, clause: str) -> None:
    value, others = clauses_of(row(content=content, labels="soft"), RELATIVE)
    assert value == clause and set(others) == {"grad_logits", "grad_labels", "jvp", "hvp"}
    assert set(others.values()) == {"4.5"}


def test_where_a_quotient_overflows_its_slopes_do_too() -> None:
    """By the prediction; that by the target is a logarithm (2.1)."""
    value, others = clauses_of(row(content="far", labels="soft"), RELATIVE)
    assert value == "2.1" and others == dict.fromkeys(("grad_logits", "jvp", "hvp"), "2.2")


@EACH
def test_most_of_it_is_judged(operator: Operator) -> None:
    profile = "quick" if asked_by("quick", operator) else "standard"
    found = of_corpus(profile, operators=[operator.name], families=["crossing"])
    levels = [clauses()[c.clause].level for b in found for c in b.cases]
    assert levels.count(Level.OPEN) < 0.05 * len(levels)


# --- rows -----------------------------------------------------------------------------------------------


def batches_with(operator: Operator, *values: str) -> list[Batch]:
    profile = "quick" if asked_by("quick", operator) else "standard"
    found = of_corpus(profile, operators=[operator.name], families=["crossing"])
    return [b for b in found if set(values) <= set(b.asks[0].variant.split("+"))]


def test_what_is_special_stands_first_beside_ordinary_rows() -> None:
    for b in batches_with(SPARSE, "excluded", "image"):
        x = b.inputs.logits.reshape(len(b.inputs), -1)
        assert np.isneginf(x[0, EXCLUDED]) and np.isfinite(x[1:]).all()
        assert b.inputs.labels[0, 0] == LABELLED


def test_one_example_of_many_is_ignored_and_not_the_special_one() -> None:
    for kind, index in (("ignore_outside", -100), ("ignore_class", IGNORED)):
        found = batches_with(SPARSE, kind, "sum")
        assert found
        for b in found:
            if b.inputs.labels.shape[1] > 1:
                assert (b.inputs.labels[:, 1] == index).all()
            assert (b.inputs.labels[:, 0] != index).all()


def test_a_group_of_examples_has_a_shape() -> None:
    found = batches_with(SPARSE, "mean", "image")
    assert {(b.form.shape, b.inputs.attributes.examples) for b in found} == {((2, 3, 2), 12)}
    many = batches_with(SPARSE, "mean", "many")
    assert {b.inputs.attributes.examples for b in many} == {65}


def test_of_a_log_target_a_class_is_excluded_on_both_sides_or_on_one() -> None:
    both, one = (batches_with(LOG_TARGET, kind) for kind in ("excluded", "excluded_label"))
    assert both and one
    for b in both:
        assert np.isneginf(b.inputs.logits[0, EXCLUDED]) and np.isneginf(b.inputs.labels[0, EXCLUDED])
    for b in one:
        assert np.isneginf(b.inputs.logits[0, LABELLED]) and np.isfinite(b.inputs.labels).all()


def test_a_quotient_that_is_far_is_no_number_and_its_divergence_is_one() -> None:
    formats = set()
    for b in of_corpus("standard", operators=[RELATIVE.name], families=["crossing"]):
        fmt, truth = b.inputs.format, Oracle().truth(b.inputs)
        for case in b.cases:
            if "far" in case.variant.split("+") and case.clause == "2.1":
                x, p = b.inputs.logits[case.row, EXCLUDED], b.inputs.labels[case.row, EXCLUDED]
                assert np.log2(p) - np.log2(x) > fmt.emax and x >= fmt.smallest_normal
                for output in b.inputs.outputs:
                    exact = truth.enclosure(output).approximate()[case.row]
                    beyond = output not in ("value", "grad_labels")
                    assert np.isinf(fmt.nearest(exact[EXCLUDED])) == beyond, (case.id, output)
                formats.add(fmt.name)
    assert formats == set(FORMATS)


@EACH
def test_exact_values_are_special_where_a_clause_says_so(operator: Operator) -> None:
    undefined = {"3.2", "4.5", "5.1", "6.2", "6.4", "6.11"}  # 6.2: beside a NaN label
    undefined |= {"5.8", "6.16"} if operator.domain == "probabilities" else set()
    infinite = {"4.1", "4.2", "4.3", "4.5", "5.2", "5.3"}
    infinite |= {"5.10"} if operator.plain_labels else set()
    profile = "quick" if asked_by("quick", operator) else "standard"
    found = of_corpus(profile, operators=[operator.name], families=["crossing"])
    assert found
    for b in found:
        truth = Oracle().truth(b.inputs)
        assert not truth.certified.undecided.any(), b.id
        for output in b.inputs.outputs:
            hi, stable = truth.enclosure(output).hi, truth.bound(output).stable
            assert np.isfinite(stable[np.isfinite(hi)]).all(), (b.id, output)
            for case in b.cases:
                clause = case.clause_of(output)
                assert clause in undefined or not np.isnan(hi[case.row]).any(), (case.id, output)
                assert clause in infinite | undefined or not np.isinf(hi[case.row]).any(), (case.id, output)
