"""What the real frameworks do in the new manners: known divergences are found, the innocent conform.

Each framework is one process that is asked a few small batches. If a divergence stops appearing, a
framework changed (then say so in the test and rejoice) or the suite no longer sees.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support import shared
from tests.support.here import TARGET, family
from tests.support.judging import rows_of
from tests.support.real import FILE
from xent_conformance.asking.asker import ask
from xent_conformance.asking.process import Process
from xent_conformance.asking.questions import manner_of, outputs, takes
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import families
from xent_conformance.discovery.framework import FRAMEWORKS, Launch
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.worker.machine import flags

MISSING = [name for name in ("tensorflow", "torch", "jax") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

SPARSE, DENSE, BINARY = "sparse_softmax_cross_entropy", "softmax_cross_entropy", "sigmoid_cross_entropy"
TF_SPARSE = "tf.nn.sparse_softmax_cross_entropy_with_logits"
JAX_SPARSE, JAX_BINARY = "jax.nn.log_softmax+take", "jax.nn.log_sigmoid+sum"
TORCH_SPARSE = "torch.nn.functional.cross_entropy:indices"
SHIPPED = {
    "torch.softmax",
    "torch.log_softmax",
    "torch.logsumexp",
    "torch.sigmoid",
    "torch.nn.functional.logsigmoid",
    "torch.logit",
    "torch.nn.functional.cross_entropy:probabilities",
    TORCH_SPARSE,
    "torch.log_softmax+nll_loss",
    "torch.nn.functional.binary_cross_entropy_with_logits",
    "tf.nn.softmax",
    "tf.nn.log_softmax",
    "tf.reduce_logsumexp",
    "tf.nn.softmax_cross_entropy_with_logits",
    TF_SPARSE,
    "tf.nn.sigmoid",
    "tf.math.log_sigmoid",
    "tf.nn.sigmoid_cross_entropy_with_logits",
    "jax.nn.softmax",
    "jax.nn.log_softmax",
    "jax.nn.logsumexp",
    "jax.nn.log_softmax+sum",
    JAX_SPARSE,
    "jax.nn.sigmoid",
    "jax.nn.log_sigmoid",
    "jax.scipy.special.logit",
    JAX_BINARY,
}
"""Doors of another name are asked elsewhere: here every question costs a compilation."""


def _asked(framework: str) -> Iterator[tuple[Batch, tuple[str, ...]]]:
    """Batches with the modes that are asked of them."""
    every = {"torch": ("eager",), "tensorflow": ("eager", "xla"), "jax": ("jit",)}[framework]
    for operator in ("log_softmax", "logsumexp"):
        for b in family("long_sums", operator, dtype="float16"):
            yield b, every[:1]
    for b in family("index_range", SPARSE):
        yield b, every
    for variant in ("dense_uint8", "dense_float64") if framework == "jax" else ():
        for b in family("label_types", BINARY, variant=variant):
            yield b, every
    for b in family("shapes", "logsumexp", n=4, variant="vector"):
        yield b, every[:1]
    for operator in ("softmax", SPARSE) if framework != "jax" else ():
        for b in family("invariance", operator, variant="alone"):
            yield b, every[:1]
    for operator in (SPARSE, DENSE) if framework == "torch" else ():
        for b in family("attributes", operator, n=7):
            yield b, every
    for operator in (o.name for o in OPERATORS.values() if families()["derivatives"].lengths(o, "full")):
        for b in family("derivatives", operator):
            yield b, every[:1]


def _verdicts(name: str, oracle: Oracle) -> list[dict[str, Any]]:
    framework, rows = FRAMEWORKS[name], list[dict[str, Any]]()
    process = Process(Launch(framework.adapter, search=framework.search))
    try:
        for batch, modes in _asked(name):
            asked, manner = outputs(framework.declaration, batch), manner_of(batch)
            questions = [
                Question(i.name, i.operator, mode, "cpu", asked, manner)
                for i in framework.declaration.implementations
                if i.name in SHIPPED and takes(framework.declaration, i, batch)
                for mode in modes
            ]
            judge = Judge(oracle.truth(batch.inputs))
            for answer in ask(process, batch, questions):
                mode = {"mode": answer.question.mode}
                rows += [row | mode for row in rows_of(batch, judge, answer, TARGET | {"framework": name})]
    finally:
        process.close()
    return rows


@pytest.fixture(scope="module")
def verdicts() -> pl.DataFrame:
    def asked(folder: Path) -> None:
        oracle = Oracle()
        rows = [row for name in ("torch", "tensorflow", "jax") for row in _verdicts(name, oracle)]
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / FILE)

    return pl.read_parquet(shared.once("real-manners", asked) / FILE)


def one(verdicts: pl.DataFrame, implementation: str, case: str, output: str, mode: str) -> dict[str, Any]:
    """The only verdict on a case."""
    found = verdicts.filter(implementation=implementation, case=case, output=output, mode=mode)
    (row,) = found.iter_rows(named=True)
    return row


def broken(verdicts: pl.DataFrame, **where: str) -> pl.DataFrame:
    return verdicts.filter(pl.col("status") == "breaks_must", **where)


# --- long sums ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "implementation", "mode"),
    [
        ("log_softmax", "torch.log_softmax", "eager"),
        ("log_softmax", "tf.nn.log_softmax", "eager"),
        ("log_softmax", "jax.nn.log_softmax", "jit"),
        ("logsumexp", "torch.logsumexp", "eager"),
        ("logsumexp", "tf.reduce_logsumexp", "eager"),
        ("logsumexp", "jax.nn.logsumexp", "jit"),
    ],
)
def test_a_binary16_sum_over_2_17_classes_is_infinite(
    operator: str, implementation: str, mode: str, verdicts: pl.DataFrame
) -> None:
    """The sum of 131 072 ones does not fit: all three keep it in binary16, and lose the result."""
    for variant in ("equal", "two_levels", "offset"):
        case = f"{operator}/long_sums/{variant}/float16/n2/r0"
        row = one(verdicts, implementation, case, "value", mode)
        expected = ("breaks_must", "2.6", "infinite where finite")
        assert (row["status"], row["clause"], row["symptom"]) == expected, variant


# --- indices out of range -------------------------------------------------------------------------------

RANGE = SPARSE + "/index_range/{}/float32/n10/r0"
OUTSIDE = ("classes", "one_beyond", "far_beyond", "minus_one", "minus_classes", "wraps_in_32_bits", "lowest")


def test_jax_wraps_negative_indices(verdicts: pl.DataFrame) -> None:
    """−1 is the last class, in the loss and in its gradient; −10 the first."""
    for variant in ("minus_one", "minus_classes"):
        for output in ("value", "grad_logits"):
            row = one(verdicts, JAX_SPARSE, RANGE.format(variant), output, "jit")
            assert (row["status"], row["clause"]) == ("breaks_must", "6.4")
            assert row["symptom"] == "a number where NaN"


def test_jax_has_finite_gradients_where_its_loss_is_nan(verdicts: pl.DataFrame) -> None:
    """An index of N or more: the loss says NaN, the gradient says nothing."""
    for variant in ("classes", "one_beyond", "far_beyond"):
        value = one(verdicts, JAX_SPARSE, RANGE.format(variant), "value", "jit")
        grad = one(verdicts, JAX_SPARSE, RANGE.format(variant), "grad_logits", "jit")
        assert value["status"] == "conforms"
        assert (grad["status"], grad["symptom"]) == ("breaks_must", "a number where NaN")


@pytest.mark.parametrize("implementation", [TORCH_SPARSE, "torch.log_softmax+nll_loss", TF_SPARSE])
def test_torch_and_eager_tensorflow_raise_and_conform(implementation: str, verdicts: pl.DataFrame) -> None:
    for variant in OUTSIDE:
        row = one(verdicts, implementation, RANGE.format(variant), "value", "eager")
        assert (row["outcome"], row["status"], row["clause"]) == ("raised", "conforms", "6.4"), variant


def test_tensorflow_under_xla_answers_nan_and_conforms(verdicts: pl.DataFrame) -> None:
    for variant in OUTSIDE:
        for output in ("value", "grad_logits"):
            row = one(verdicts, TF_SPARSE, RANGE.format(variant), output, "xla")
            assert (row["outcome"], row["status"], row["clause"]) == ("returned", "conforms", "6.4"), variant


def test_rows_beside_an_index_out_of_range_keep_their_answers(verdicts: pl.DataFrame) -> None:
    clean = verdicts.filter(family="index_range", variant="clean")
    assert set(clean["outcome"]) == {"returned"}
    assert clean.height >= 8 * 2 * 4
    assert not set(clean["status"]) & {"breaks_must"}


# --- labels of another type -----------------------------------------------------------------------------


def test_dense_labels_of_uint8_are_the_numbers_that_they_are(verdicts: pl.DataFrame) -> None:
    """``-z`` of an unsigned one is 255: the loss that is composed here converts labels first."""
    found = verdicts.filter(variant="dense_uint8", framework="jax", implementation=JAX_BINARY)
    assert set(found["output"]) == {"value", "grad_logits"}
    assert not set(found["status"]) & {"breaks_must"}


def test_jax_differentiates_a_loss_of_wider_labels(verdicts: pl.DataFrame) -> None:
    """Labels in binary64 may make the value binary64 (6.5); "unsupported" would be our own doing."""
    wide = verdicts.filter(variant="dense_float64", framework="jax", implementation=JAX_BINARY)
    assert set(wide["output"]) == {"value", "grad_logits"}
    assert set(wide["outcome"]) == {"returned"}


# --- vectors --------------------------------------------------------------------------------------------


def test_a_vector_is_answered_with_its_gradient(verdicts: pl.DataFrame) -> None:
    """The cotangent of a single logsumexp has no axis, not one of length one."""
    found = verdicts.filter(family="shapes", variant="vector")
    assert set(found["framework"]) == {"torch", "tensorflow", "jax"}
    assert set(found["output"]) == {"value", "grad_logits"}
    assert set(found["outcome"]) == {"returned"} and broken(found).height == 0


# --- a row alone ----------------------------------------------------------------------------------------


def test_a_row_alone_has_other_bits_in_eager_tensorflow(verdicts: pl.DataFrame) -> None:
    alone = verdicts.filter(variant="alone", framework="tensorflow")
    other = alone.filter(symptom="other bits")
    assert set(other.select("status", "clause").iter_rows()) == {("breaks_should", "7.4")}
    assert TF_SPARSE in set(other["implementation"])
    if "avx512f" in flags():
        return  # softmax is a kernel of oneDNN there, which gives a row its own bits
    case = "softmax/invariance/alone/float32/n10/r0"
    assert one(verdicts, "tf.nn.softmax", case, "value", "eager")["symptom"] == "other bits"


def test_a_row_alone_has_its_own_bits_in_torch(verdicts: pl.DataFrame) -> None:
    alone = verdicts.filter(variant="alone", framework="torch")
    assert alone.height >= 30
    assert "other bits" not in set(alone["symptom"])


# --- attributes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", [SPARSE, DENSE])
def test_torch_obeys_every_combination_of_attributes(operator: str, verdicts: pl.DataFrame) -> None:
    """Weighted mean, smoothing and an ignored index together: nothing is beyond the stable bound."""
    asked = verdicts.filter(family="attributes", operator=operator, output="value")
    assert asked["variant"].n_unique() == (108 if operator == SPARSE else 36)
    assert set(asked["outcome"]) == {"returned"}
    assert broken(asked).height == 0
    triple = asked.filter(variant="weighted+smoothed+ignore_class+mean", implementation=TORCH_SPARSE)
    if operator == SPARSE:
        assert triple.sort("case").select("status", "clause").rows() == [
            ("conforms", "6.10"),
            ("conforms", "6.10"),
            ("conforms", "3.2"),
            ("open", "6.11"),
        ]


def test_torch_obeys_every_combination_in_its_gradients_too(verdicts: pl.DataFrame) -> None:
    asked = verdicts.filter(pl.col("output").is_in(["grad_logits", "grad_labels"]), family="attributes")
    assert asked["variant"].n_unique() == 108
    assert set(asked["outcome"]) == {"returned"}
    assert broken(asked).height == 0


# --- derivatives ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["jvp", "hvp"])
@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
def test_forward_mode_and_second_derivatives_are_stable(
    framework: str, output: str, verdicts: pl.DataFrame
) -> None:
    on_the_simplex = pl.col("variant") != "off_simplex"
    found = verdicts.filter(on_the_simplex, framework=framework, output=output)
    of_logits = [o for o in OPERATORS.values() if o.domain in ("reals", "unit")]  # doors of SHIPPED
    assert found["operator"].n_unique() >= len(of_logits) - 1  # TensorFlow has no logit
    assert set(found["outcome"]) == {"returned"}
    assert broken(found).height == 0
    assert set(found["status"]) == {"conforms", "breaks_should"}
    lost = found.filter(status="breaks_should")
    assert set(lost["clause"]) <= {"1.2", "1.3"}, "relative accuracy, which no textbook form has"


def test_tensorflow_differentiates_a_gradient_that_assumes_the_simplex(verdicts: pl.DataFrame) -> None:
    """Its gradient is softmax − labels (6.2), and so both derivatives of it are wrong off the simplex."""
    found = verdicts.filter(variant="off_simplex", framework="tensorflow")
    clauses_ = dict(found.select("output", "clause").iter_rows())
    assert clauses_ == {"jvp": "1.6", "hvp": "6.2"}
    assert "conforms" not in set(found["status"])
    others = verdicts.filter(pl.col("framework") != "tensorflow", variant="off_simplex")
    assert set(others["status"]) <= {"conforms", "breaks_should"} and set(others["clause"]) <= {
        "1.6",
        "1.2",
        "6.2",
    }
    assert not set(others.filter(output="hvp")["symptom"]) & {"beyond the stable bound"}
