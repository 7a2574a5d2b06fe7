"""Logits of eight bits and sparse ones, offered to the real frameworks: what each does is recorded (6.13)."""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from tests.support.real import asked_once
from xent_conformance.asking.selection import Selection

FRAMEWORKS = ("torch", "jax", "tensorflow", "scipy")
MISSING = [name for name in FRAMEWORKS if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def verdicts() -> pl.DataFrame:
    asked = Selection(
        "standard",
        frameworks=FRAMEWORKS,
        operators=("softmax",),
        families=("refusals",),
        implementation=("torch.softmax", "jax.nn.softmax", "tf.nn.softmax", "scipy.special.softmax"),
    )
    return asked_once("real-refusals", asked)


def said(verdicts: pl.DataFrame, variant: str) -> dict[str, tuple[str, str]]:
    """What came of it, and the first words, by framework; in its first mode."""
    rows = verdicts.filter(variant=variant).unique("framework", keep="first").sort("framework")
    return {r["framework"]: (r["outcome"], r["message"]) for r in rows.iter_rows(named=True)}


def test_nothing_of_it_is_judged(verdicts: pl.DataFrame) -> None:
    assert set(verdicts["status"]) == {"open"} and set(verdicts["clause"]) == {"6.13"}
    assert {"logits_sparse", "logits_float8_e4m3fn", "logits_float8_e5m2"} <= set(verdicts["variant"])


def test_a_sparse_tensor_is_refused_by_all(verdicts: pl.DataFrame) -> None:
    found = said(verdicts, "logits_sparse")
    assert set(found) == set(FRAMEWORKS) and {outcome for outcome, _ in found.values()} == {"raised"}
    assert "SparseCPU" in found["torch"][1] and "BCOO" in found["jax"][1]


def test_softmax_of_eight_bits(verdicts: pl.DataFrame) -> None:
    """JAX begins its maximum at minus infinity, which one of the two formats does not have."""
    for variant, content in (("logits_float8_e4m3fn", "NaN"), ("logits_float8_e5m2", "finite")):
        found = said(verdicts, variant)
        assert found["jax"] == ("returned", f"returned shape (4, 8), {content}")
        assert found["scipy"] == ("returned", "returned shape (4, 8), finite")
        assert found["torch"][0] == found["tensorflow"][0] == "raised"
        assert "not implemented for 'Float8" in found["torch"][1]
