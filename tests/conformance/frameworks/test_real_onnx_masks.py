"""A mask in an ONNX graph, asked of the evaluators: what is behind it, a row of nothing, what is found."""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from tests.support.real import asked_once
from xent_conformance.asking.selection import Selection
from xent_conformance.reports.run.words import FAULTS

MISSING = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

DOORS = ("Softmax", "LogSoftmax", "ReduceLogSumExp")


@pytest.fixture(scope="module")
def verdicts() -> pl.DataFrame:
    asked = Selection("standard", frameworks=("onnx", "onnxruntime"), families=("masks",))
    return asked_once("real-onnx-masks", asked)


def test_every_door_that_sums_over_classes_takes_a_mask(verdicts: pl.DataFrame) -> None:
    doors = {f"{prefix}:{door}" for prefix in ("onnx.reference", "onnxruntime") for door in DOORS}
    assert set(verdicts["implementation"]) == doors
    assert set(verdicts["outcome"]) == {"returned"}


def test_a_row_of_nothing_is_recorded_but_where_its_logarithm_is_known(verdicts: pl.DataFrame) -> None:
    """The sum of nothing is 0, and its logarithm −∞ (5.3); ONNX's reference subtracts −∞ from itself."""
    nothing = verdicts.filter(variant="none_left")
    assert len(nothing) == 2 * len(DOORS)
    sums = nothing.filter(pl.col("implementation").cast(pl.String).str.ends_with("ReduceLogSumExp"))
    told = {
        r["implementation"]: (r["status"], r["clause"], str(r["got"])) for r in sums.iter_rows(named=True)
    }
    assert told == {
        "onnx.reference:ReduceLogSumExp": ("breaks_should", "5.3", "nan"),
        "onnxruntime:ReduceLogSumExp": ("conforms", "5.3", "-inf"),
    }
    rest = nothing.filter(~pl.col("implementation").cast(pl.String).str.ends_with("ReduceLogSumExp"))
    assert len(rest) == 4 and set(rest["status"]) == {"open"}


def test_a_first_class_that_is_masked_makes_the_maximum_zero(verdicts: pl.DataFrame) -> None:
    """In ONNX Runtime's sum, and nowhere else: logits of −2³¹ underflow."""
    wrong = verdicts.filter(pl.col("status").is_in(FAULTS), pl.col("level") == "must")
    assert set(wrong["implementation"]) == {"onnxruntime:ReduceLogSumExp"}
    assert set(wrong["got"]) == {float("-inf")} and (wrong["hi"] < -1e9).all()
