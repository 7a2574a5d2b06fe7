"""The suite is not blind: divergences that real frameworks are known for are found, by asking.

If one of these stops appearing, either a framework changed (then say so in the test and rejoice) or
the suite no longer sees.
"""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from tests.support.real import asked_in_quick, asked_once, part
from xent_conformance.asking.selection import Selection
from xent_conformance.reports.run.words import FAULTS
from xent_conformance.worker.machine import flags

MISSING = [name for name in ("tensorflow", "torch", "jax") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

TF_DENSE = "tf.nn.softmax_cross_entropy_with_logits"
TORCH_DENSE = "torch.nn.functional.cross_entropy:probabilities"
JAX_DENSE = "jax.nn.log_softmax+sum"
TF_SPARSE = "tf.nn.sparse_softmax_cross_entropy_with_logits"
JAX_SPARSE = "jax.nn.log_softmax+take"
TF_BINARY = "tf.nn.sigmoid_cross_entropy_with_logits"
TORCH_BINARY = "torch.nn.functional.binary_cross_entropy_with_logits"
JAX_BINARY = "jax.nn.log_sigmoid+sum"


ASKED = (
    Selection("quick", operators=("softmax_cross_entropy",), dtypes=("float32",)),
    Selection("quick", operators=("sigmoid_cross_entropy",), dtypes=("float32",)),
    Selection("quick", operators=("softmax",), dtypes=("bfloat16",)),
    Selection(
        "quick",
        frameworks=("tensorflow", "torch"),
        operators=("softmax", "logsumexp"),
        dtypes=("float32",),
        families=("ordinary", "huge_logits"),
    ),
    Selection(
        "quick",
        frameworks=("tensorflow", "jax"),
        operators=("sparse_softmax_cross_entropy",),
        dtypes=("float32",),
        families=("composites",),
    ),
)


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Small runs of the real frameworks, or these parts of a larger one, as one table."""
    whole = asked_in_quick(request, tmp_path_factory)
    if whole is not None:
        assert whole.complete
        return pl.concat([part(whole, selection) for selection in ASKED])
    return pl.concat([asked_once(f"real-{i}", selection) for i, selection in enumerate(ASKED)])


def targets(verdicts: pl.DataFrame, clause: str, symptom: str, output: str = "value") -> set[tuple[str, str]]:
    """(implementation, mode) of the faults of one clause, symptom and output."""
    found = verdicts.filter(pl.col("status").is_in(FAULTS), clause=clause, symptom=symptom, output=output)
    return set(found.select("implementation", "mode").iter_rows())


def test_nan_for_a_masked_class_with_zero_label_but_not_in_tensorflow_under_xla(
    verdicts: pl.DataFrame,
) -> None:
    found = targets(verdicts, "4.2", "NaN")
    assert {(TF_DENSE, "eager"), (TORCH_DENSE, "eager"), (JAX_DENSE, "jit")} <= found
    assert (TF_DENSE, "xla") not in found


def test_the_gradient_of_tensorflows_dense_loss_off_the_simplex(verdicts: pl.DataFrame) -> None:
    found = targets(verdicts, "6.2", "beyond the stable bound", "grad_logits")
    assert {(TF_DENSE, "eager"), (TF_DENSE, "xla")} == found


def test_sigmoid_cross_entropy_at_infinity(verdicts: pl.DataFrame) -> None:
    found = targets(verdicts, "5.2", "NaN")
    assert {(TF_BINARY, "eager"), (TORCH_BINARY, "eager"), (JAX_BINARY, "jit")} <= found


def test_confident_binary_cross_entropy_loses_its_relative_accuracy_in_torch(
    verdicts: pl.DataFrame,
) -> None:
    found = targets(verdicts.filter(pl.col("family") == "multi_label"), "1.2", "lost relative accuracy")
    assert (TORCH_BINARY, "eager") in found
    assert (JAX_BINARY, "jit") not in found


def test_softmax_in_bfloat16_is_rounded_once_in_torch_and_many_times_in_jax(verdicts: pl.DataFrame) -> None:
    ordinary = verdicts.filter(
        (pl.col("dtype") == "bfloat16")
        & (pl.col("family") == "ordinary")
        & (pl.col("output") == "value")
        & (pl.col("symptom") != "flushed to zero")
    )
    worst = dict(ordinary.group_by("implementation").agg(pl.col("ulps").max()).iter_rows())
    assert worst["torch.softmax"] <= 0.5
    assert 2 < worst["jax.nn.softmax"] < 200


def test_flushing_to_zero_is_named(verdicts: pl.DataFrame) -> None:
    found = targets(verdicts, "1.3", "flushed to zero")
    assert {("tf.nn.softmax", "eager"), ("tf.nn.softmax", "xla"), ("jax.nn.softmax", "jit")} <= found
    assert ("torch.softmax", "eager") not in found


def test_softmax_of_eager_tensorflow_is_one_kernel_or_another(verdicts: pl.DataFrame) -> None:
    """Eigen's: one class is not exactly 1. oneDNN's, where there is AVX-512: NaN is not passed on."""
    for output in ("value", "grad_logits"):
        one_class = ("tf.nn.softmax", "eager") in targets(verdicts, "2.4", "beyond the stable bound", output)
        assert one_class is ("avx512f" not in flags())
    lost = targets(verdicts, "3.2", "a number where NaN")
    assert (("tf.nn.softmax", "eager") in lost) is ("avx512f" in flags())


def test_the_gradient_of_torch_logsumexp_comes_from_its_rounded_value(verdicts: pl.DataFrame) -> None:
    found = targets(verdicts, "2.1", "beyond the stable bound", "grad_logits")
    assert ("torch.logsumexp", "eager") in found


def test_no_real_loss_breaks_the_stable_bound_on_ordinary_inputs(verdicts: pl.DataFrame) -> None:
    """The must bound accuses nobody who computes in the textbook way."""
    ordinary = verdicts.filter((pl.col("family") == "ordinary") & (pl.col("formulation") != "naive"))
    broken = ordinary.filter((pl.col("status") == "breaks_must") & (pl.col("clause") != "2.4"))
    assert broken["case"].to_list() == []


@pytest.mark.skipif("fma" not in flags(), reason="nothing is contracted without a fused multiply-add")
def test_a_product_that_is_fused_into_the_difference(verdicts: pl.DataFrame) -> None:
    """Compiled by XLA, finite logits under a huge scale have no finite loss; op by op they have (6.15)."""
    assert {(JAX_SPARSE, "jit"), (TF_SPARSE, "xla")} <= targets(verdicts, "6.15", "infinite where finite")
    found = targets(verdicts, "6.15", "NaN") | targets(verdicts, "6.15", "infinite where finite")
    assert {mode for _, mode in found} == {"jit", "xla"}
