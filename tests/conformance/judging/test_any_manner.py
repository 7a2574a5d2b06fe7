"""Fakes with one fault each, of the kind that only another manner of asking shows; and one with none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.here import family, questions, verdicts
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import families
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.engine import run

SPARSE, DENSE = "sparse_softmax_cross_entropy", "softmax_cross_entropy"
MANNERED = (
    "attributes",
    "element_weights",
    "derivatives",
    "shapes",
    "layouts",
    "invariance",
    "index_range",
    "label_types",
    "widths",
)


def _asked(name: str, operator: str) -> list[Batch]:
    lengths = families()[name].lengths(OPERATORS[operator], "standard")
    return [b for n in lengths if n <= 33 for b in family(name, operator, n=n)]


@pytest.mark.parametrize("operator", OF_ROWS)
def test_the_exact_implementation_is_exact_in_every_manner(operator: str) -> None:
    """Folded, strided, grouped, asked again, along a tangent: what comes back is what was computed."""
    found = verdicts("Whole", (b for name in MANNERED for b in _asked(name, operator)))
    judged = [r for r in found if r["status"] != "open"]
    # those whose labels know no attribute are asked along a tangent, and in few manners
    assert len(judged) > (10 if OPERATORS[operator].plain_labels else 150)
    assert {r["status"] for r in judged} == {"conforms"}
    assert {r["grade"] for r in judged} == {"exact"}


def faults(fake: str, asked: Iterable[Batch]) -> dict[str, set[tuple[str, str, str]]]:
    """(status, clause, symptom) of what is not right, by variant; what has none is not named."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for row in verdicts(fake, asked):
        if row["status"] not in ("conforms", "open"):
            found.setdefault(row["variant"], set()).add((row["status"], row["clause"], row["symptom"]))
    return found


def charged(level: str, clause: str, symptom: str = "beyond the stable bound") -> set[tuple[str, str, str]]:
    return {(f"breaks_{level}", clause, symptom)}


@pytest.mark.parametrize("operator", ["softmax", "logsumexp", SPARSE, "sigmoid"])
def test_other_bits_the_second_time(operator: str) -> None:
    found = faults("OtherBitsTheSecondTime", family("invariance", operator, variant="twice"))
    assert found == {"twice": charged("should", "7.3", "other bits")}


@pytest.mark.parametrize("operator", ["softmax", "logsumexp", SPARSE, "sigmoid"])
def test_a_row_alone_has_other_bits(operator: str) -> None:
    found = faults("OtherBitsAlone", family("invariance", operator))
    assert found == {"alone": charged("should", "7.4", "other bits")}


@pytest.mark.parametrize("operator", ["softmax", "log_softmax", "sigmoid", "sigmoid_cross_entropy"])
def test_equal_classes_are_unequal(operator: str) -> None:
    found = faults("UnequalTail", family("widths", operator, n=9))
    assert found == {"equal": charged("should", "7.5", "other bits")}


def test_the_class_axis_is_ignored() -> None:
    """Wherever it is not the last one; and where it is, nothing is wrong."""
    found = faults("IgnoresTheAxis", family("shapes", "softmax", n=5))
    assert set(found) == {
        "classes_first",
        "three_axes_first",
        "three_axes_middle",
        "four_axes_second",
        "five_axes_second",
        "five_axes_third",
    }
    assert all(charges == charged("must", "7.6") for charges in found.values())


def test_an_axis_too_many_in_every_shape() -> None:
    found = faults("KeepsADimension", family("shapes", "softmax", n=5))
    assert len(found) == 10
    assert all(charges == charged("must", "1.4", "wrong shape") for charges in found.values())


@pytest.mark.parametrize("operator", ["softmax", "logsumexp", "sigmoid"])
def test_the_buffer_is_left_as_it_was(operator: str) -> None:
    found = faults("LeavesTheBuffer", family("layouts", operator))
    assert set(found) == {"out", "out_of_strided"}
    assert all(charges == charged("must", "7.6") for charges in found.values())


def test_memory_is_read_as_if_it_were_contiguous() -> None:
    """The gaps are NaN, so that reading them cannot go unseen; permuted memory is another row."""
    strided = ("strided", "sliced", "transposed", "class_last", "broadcast")
    asked = [b for b in family("layouts", "softmax") if b.form.layout in strided]
    found = faults("IgnoresStrides", asked)
    assert set(found) == {b.asks[0].variant for b in asked}
    for variant in ("strided", "sliced", "strided_block", "sliced_block", "out_of_strided", "broadcast"):
        assert found[variant] == charged("must", "7.6", "NaN")
    for variant in ("transposed", "class_last", "transposed_block"):
        assert found[variant] == charged("must", "7.6")


def test_negative_indices_wrap_around() -> None:
    found = faults("WrapsNegativeIndices", family("index_range", SPARSE))
    assert set(found) == {"minus_one", "minus_classes"}
    assert all(charges == charged("must", "6.4", "a number where NaN") for charges in found.values())


def test_an_error_for_an_index_out_of_range_conforms() -> None:
    """And the rows beside it keep their answers, which are right."""
    rows = verdicts("RaisesOutOfRange", family("index_range", SPARSE))
    assert {r["status"] for r in rows} == {"conforms"}
    right = [r for r in rows if r["variant"] in ("clean", "first")]
    assert {(r["outcome"], r["clause"]) for r in right} == {("returned", "3.1"), ("returned", "6.3")}
    assert {r["grade"] for r in right} == {"exact"}
    wrong = [r for r in rows if r not in right]
    assert {(r["outcome"], r["clause"]) for r in wrong} == {("raised", "6.4")}
    assert {r["message"] for r in wrong} == {"IndexError: Target out of bounds"}
    assert len(wrong) == 7 * 2


@pytest.mark.parametrize("fake", ["RefusesInt8", "DeclaresInt8Unsupported"])
def test_a_type_that_is_refused_breaks_nothing(fake: str) -> None:
    rows = verdicts(fake, family("label_types", SPARSE, n=10))
    refused = [r for r in rows if r["variant"] == "index_int8"]
    assert {(r["status"], r["clause"]) for r in refused} == {("conforms", "6.5")}, "6.5 allows an error"
    assert {r["status"] for r in rows if r not in refused} == {"conforms"}
    assert len({r["variant"] for r in rows}) == 7


def test_the_mean_is_divided_by_the_rows() -> None:
    """Which is right where every row is kept and has the weight one."""
    asked = family("attributes", SPARSE, n=6)
    means = {b.asks[0].variant for b in asked if b.inputs.attributes.reduction == "mean"}
    found = faults("MeanOverRows", asked)
    assert set(found) == means - {"even+smoothed+kept+mean", "even+plain+kept+mean"}
    for charges in found.values():
        beside_a_nan = charged("must", "1.1")
        assert charges - beside_a_nan == charged("must", "6.10")


@pytest.mark.parametrize("operator", [SPARSE, DENSE])
def test_smoothing_that_forgets_the_weight_of_each_class(operator: str) -> None:
    """A fault of a pair: each attribute alone is right."""
    found = faults("SmoothsAfterWeights", family("attributes", operator, n=6))
    for variant, charges in found.items():
        weights, smoothing, _, _ = variant.split("+")
        assert weights != "even" and smoothing != "plain"
        assert {clause for _, clause, _ in charges} <= {"6.7", "6.8", "6.10", "3.2", "1.1"}
        assert {status for status, _, _ in charges} == {"breaks_must"}
    assert len(found) >= (12 if operator == DENSE else 18)


def test_forward_mode_drops_the_mean() -> None:
    rows = verdicts("JvpWithoutTheMean", family("derivatives", "log_softmax"))
    broken = [r for r in rows if r["status"] != "conforms"]
    assert {(r["output"], r["status"], r["clause"]) for r in broken} == {("jvp", "breaks_must", "1.6")}
    assert {r["variant"] for r in broken} == {
        b.variant for b in family("derivatives", "log_softmax")[0].cases
    }


def test_what_a_framework_lacks_is_not_asked() -> None:
    assert questions("NoForwardMode", family("derivatives", "softmax")[0]) == []
    rows = verdicts("NoForwardMode", family("layouts", "softmax"))
    assert {r["variant"] for r in rows} == {"out"}


def test_through_the_whole_engine(install: Install, tmp_path: Path) -> None:
    """Manner, tangents and second answers cross the wire to real workers, and their verdicts come back."""
    install(
        whole="tests.support.fakes_in_any_manner:Whole",
        alone="tests.support.fakes_in_any_manner:OtherBitsAlone",
        forward="tests.support.fakes_in_any_manner:JvpWithoutTheMean",
    )
    selection = Selection(
        "quick",
        operators=("log_softmax",),
        dtypes=("float32",),
        families=("derivatives", "shapes", "layouts", "invariance"),
    )
    result = run(selection, tmp_path / "run.parquet", oracle=Oracle())
    assert result.complete

    def broken(framework: str) -> set[tuple[Any, ...]]:
        rows = result.verdicts.filter(framework=framework)
        assert rows.height > 300
        kept = rows.select("family", "output", "status", "clause", "symptom").iter_rows()
        return {row for row in kept if row[2] not in ("conforms", "open")}

    assert broken("whole") == set()
    assert broken("alone") == {
        ("invariance", output, "breaks_should", "7.4", "other bits") for output in ("value", "grad_logits")
    }
    assert broken("forward") == {("derivatives", "jvp", "breaks_must", "1.6", "beyond the stable bound")}
