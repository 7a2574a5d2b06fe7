"""What doors document beside logits and labels, asked of the real ones: what is found, and what conforms."""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from tests.support.real import asked_once
from xent_conformance.asking.selection import Selection
from xent_conformance.reports.run.words import FAULTS

MISSING = [name for name in ("tensorflow", "torch", "jax", "keras") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.long,  # all of it: what is asked once is a fixture of the module
]

KERAS = "keras.losses.CategoricalCrossentropy(from_logits=True)"
FRAMEWORKS = ("torch", "jax", "tensorflow", "keras-tensorflow")

DOORS = (
    KERAS,
    "jax.nn.logsumexp",
    "jax.nn.softmax",
    "tf.compat.v1.losses.softmax_cross_entropy",
    "tf.reduce_logsumexp",
    "torch.log_softmax",
    "torch.logit",
    "torch.logsumexp",
    "torch.softmax",
    "torch.special.logit",
)
"""Those of which something is asserted here: the page of findings holds what is found of all."""


@pytest.fixture(scope="module")
def verdicts() -> pl.DataFrame:
    there = [f for f in FRAMEWORKS if importlib.util.find_spec(f.partition("-")[0]) is not None]
    asked = Selection(
        "standard",
        frameworks=tuple(there),
        operators=("logit", "logsumexp", "log_softmax", "softmax", "softmax_cross_entropy"),
        dtypes=("float32",),
        families=("forms",),
        implementation=DOORS,
    )
    return asked_once("real-forms", asked)


def of(verdicts: pl.DataFrame, door: str, variant: str, output: str = "value") -> pl.DataFrame:
    return verdicts.filter(implementation=door, variant=variant, output=output)


def test_keras_counts_the_last_axis_for_the_classes(verdicts: pl.DataFrame) -> None:
    """0.46479 in place of 0.38837, for labels of three classes on the second of three axes."""
    rows = of(verdicts, KERAS, "smoothed_second_axis")
    assert set(rows["clause"]) == {"6.7"} and set(rows["status"]) == {"breaks_must"}
    assert rows["got"].to_list() == pytest.approx([0.46479] * 2, abs=5e-6)
    assert rows["hi"].to_list() == pytest.approx([0.38837] * 2, abs=5e-6)


@pytest.mark.parametrize("door", ["torch.logit", "torch.special.logit"])
def test_torch_turns_the_sign_of_a_sliced_row_where_the_bounds_cross(
    door: str, verdicts: pl.DataFrame
) -> None:
    """And of no contiguous one, with the very same numbers."""
    turned = of(verdicts, door, "crossed_sliced").filter(pl.col("status").is_in(FAULTS))
    assert set(turned["clause"]) == {"6.14"}
    assert (turned["got"] * turned["hi"] < 0).all() and len(turned) >= 2
    assert of(verdicts, door, "crossed").filter(pl.col("status").is_in(FAULTS)).is_empty()


def test_torch_has_no_nan_in_the_gradient_of_a_clamped_nan(verdicts: pl.DataFrame) -> None:
    rows = of(verdicts, "torch.logit", "clamped_eighth", "grad_logits").filter(pl.col("status").is_in(FAULTS))
    assert set(rows["symptom"]) == {"a number where NaN"} and set(rows["got"]) == {0.0}
    assert of(verdicts, "torch.logit", "clamped_eighth").filter(pl.col("status").is_in(FAULTS)).is_empty()


@pytest.mark.parametrize(
    ("door", "variant"),
    [
        ("torch.softmax", "dtype_of_bfloat16"),
        ("torch.softmax", "dtype_of_float8_e4m3fn"),
        ("torch.log_softmax", "dtype_of_float8_e5m2"),
        ("torch.logsumexp", "two_axes_keepdims"),
        ("tf.reduce_logsumexp", "two_axes_keepdims"),
        ("jax.nn.logsumexp", "weights_inside_zero"),
        ("jax.nn.logsumexp", "all_axes"),
        ("jax.nn.softmax", "two_axes"),
        ("tf.compat.v1.losses.softmax_cross_entropy", "row_weights+weighted_mean"),
        (KERAS, "row_weights+mean"),
        (KERAS, "row_weights+weighted_mean"),
    ],
)
def test_what_is_documented_is_answered_and_breaks_no_must(
    door: str, variant: str, verdicts: pl.DataFrame
) -> None:
    rows = of(verdicts, door, variant)
    assert len(rows) and set(rows["outcome"]) == {"returned"}
    assert "breaks_must" not in set(rows["status"])
