"""``conformance explain --script``: the scripts run by themselves, and say what the verdict says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.support.cli import invoke
from tests.support.scripts import Asked, ends_as_its_verdict, run_scripts
from xent_conformance.cases.corpus import find_case
from xent_conformance.commands.line import USAGE
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.explain.script.arrays import assigned
from xent_conformance.explain.script.call import source_of
from xent_conformance.explain.script.dialects import DIALECTS
from xent_conformance.explain.script.showing import shown
from xent_conformance.explain.wanted import Refused
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.run.words import Status

DENSE, INDEX, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"
MASKED = f"{DENSE}/special_values/masked_first/float32/n10/r0"
SMOOTHED_MEAN = f"{DENSE}/attributes/even+smoothed+kept+mean/float32/n6/r0"
PLAIN = "softmax/ordinary/unit/float32/n10/r0"
CONFIDENT = f"{BINARY}/multi_label/all_positive/float32/n16/r0"
CLEAN = f"{BINARY}/special_values/clean/bfloat16/n16/r0"
BINARY_PLAIN = f"{BINARY}/ordinary/unit/float32/n16/r0"
AGREES_AT_INFINITY = f"{BINARY}/positions/minus_infinity/bfloat16/n16/r0"

TORCH = "torch.nn.functional."
ASKED: dict[str, tuple[Asked, ...]] = {
    "numpy": (
        ("numpy:cross_entropy-shifted", "eager", MASKED),
        ("numpy:softmax-shifted", "eager", PLAIN),
        ("numpy:softmax-naive", "eager", "softmax/huge_logits/at_exp_overflow/float32/n10/r5"),
        ("numpy:sparse_cross_entropy-shifted", "eager", f"{INDEX}/index_range/minus_classes/float16/n10/r0"),
        ("numpy:sparse_cross_entropy-shifted", "eager", f"{INDEX}/index_range/classes/float16/n10/r0"),
        ("numpy:logsumexp-naive", "eager", "logsumexp/ordinary/unit/float64/n1000/r0"),
        ("numpy:log_softmax-shifted", "eager", "log_softmax/long_sums/equal/float16/n2/r0"),
        ("numpy:logit-naive", "eager", "logit/layouts/strided/float32/n11/r0"),
        ("numpy:sigmoid-naive", "eager", "sigmoid/layouts/misaligned/float32/n11/r3"),
        ("numpy:sigmoid-naive", "eager", "sigmoid/layouts/broadcast/float32/n11/r3"),
        ("numpy:binary_cross_entropy-stable", "eager", f"{BINARY}/soft_labels/random/float16/n16/r1"),
    ),
    "scipy": (
        ("scipy.special.softmax", "eager", "softmax/shapes/four_axes_second/float32/n5/r0"),
        ("scipy.special.logsumexp", "eager", "logsumexp/shapes/vector/float32/n4/r1"),
        ("scipy.special.log_softmax", "eager", "log_softmax/layouts/sliced_block/float32/n11/r2"),
        ("scipy.special.softmax", "eager", "softmax/layouts/transposed/float32/n11/r0"),
        ("scipy.special.softmax", "eager", "softmax/layouts/reversed/float32/n11/r0"),
        ("scipy.special.expit", "eager", "sigmoid/cotangents/alternating/float16/n16/r0"),
        ("scipy.special.logit", "eager", "logit/layouts/sliced/float32/n11/r0"),
    ),
    "onnx": (
        ("onnx.reference:LogSoftmax", "eager", "log_softmax/huge_logits/at_exp_overflow/bfloat16/n10/r10"),
        ("onnx.reference:ReduceLogSumExp", "eager", "logsumexp/ordinary/unit/float32/n10/r0"),
        ("onnx.reference:SoftmaxCrossEntropyLoss", "eager", f"{INDEX}/ordinary/unit/float32/n10/r0"),
    ),
    "onnxruntime": (
        ("onnxruntime:LogSoftmax", "eager", "log_softmax/positions/nan/float64/n10/r1"),
        ("onnxruntime:Softmax", "eager", PLAIN),
        ("onnxruntime:ReduceLogSumExp", "eager", PLAIN.replace("softmax", "logsumexp")),
    ),
    "torch": (
        (f"{TORCH}cross_entropy:probabilities", "eager", MASKED),
        (f"{TORCH}cross_entropy:indices", "eager", f"{INDEX}/shapes/weighted_image/float32/n5/r0"),
        (f"{TORCH}cross_entropy:indices", "eager", f"{INDEX}/index_range/classes/float32/n10/r0"),
        (f"{TORCH}binary_cross_entropy_with_logits", "func", AGREES_AT_INFINITY),
        (f"{TORCH}binary_cross_entropy_with_logits", "eager", CONFIDENT),
        ("torch.logsumexp", "eager", "logsumexp/offsets/coarse/bfloat16/n10/r0"),
        ("torch.logsumexp", "vmap", PLAIN.replace("softmax", "logsumexp")),
        ("torch.log_softmax", "autocast", "log_softmax/huge_logits/at_exp_overflow/bfloat16/n10/r0"),
        ("torch.softmax", "eager", "softmax/layouts/class_last/float32/n11/r0"),
        # bfloat16 as NumPy and torch alone can have it: right, wrong, NaN, with another type of labels
        ("torch.softmax", "eager", "softmax/ordinary/unit/bfloat16/n10/r0"),
        ("torch.log_softmax", "eager", "log_softmax/positions/nan/bfloat16/n10/r1"),
        (f"{TORCH}cross_entropy:indices", "eager", f"{INDEX}/ordinary/unit/bfloat16/n10/r0"),
        ("torch.softmax.log+gather", "eager", f"{INDEX}/huge_logits/at_exp_vanishing/bfloat16/n10/r20"),
        ("torch.softmax", "eager", "softmax/layouts/out_of_strided/float32/n11/r0"),
        # of eight bits, the format that is asked for
        ("torch.log_softmax", "eager", "log_softmax/forms/dtype_of_float8_e5m2/float32/n12/r0"),
        (f"{TORCH}linear_cross_entropy", "eager", f"{INDEX}/ordinary/unit/float32/n10/r0"),
    ),
    "jax": (
        ("jax.nn.log_softmax+sum", "jit", MASKED),
        ("jax.nn.log_softmax+take", "jit", f"{INDEX}/index_range/classes/bfloat16/n10/r0"),
        ("jax.nn.softmax", "eager", PLAIN),
        ("jax.nn.log_sigmoid", "jit", "log_sigmoid/cotangents/subnormal/bfloat16/n16/r0"),
        ("jax.nn.softmax", "vmap", PLAIN),
    ),
    "optax": (
        ("optax.safe_softmax_cross_entropy", "jit", MASKED),
        ("optax.softmax_cross_entropy", "jit", MASKED),
    ),
    "tensorflow": (
        ("tf.nn.softmax_cross_entropy_with_logits", "eager", MASKED),
        ("tf.nn.softmax_cross_entropy_with_logits", "xla", MASKED),
        ("tf.nn.softmax", "eager", "softmax/ordinary/spread32/float32/n1/r0"),
        ("tf.nn.softmax", "graph", PLAIN),
        ("tf.nn.softmax", "session", PLAIN),
        ("tf.nn.weighted_cross_entropy_with_logits", "eager", CLEAN),
        # beside an output that it does not offer, and with attributes
        ("tf.compat.v1.losses.softmax_cross_entropy", "eager", SMOOTHED_MEAN),
    ),
    "keras-torch": (
        ("keras.losses.CategoricalCrossentropy(from_logits=True)", "eager", MASKED),
        ("keras.losses.BinaryCrossentropy(from_logits=True)", "eager", BINARY_PLAIN),
        ("keras.ops.softmax", "eager", PLAIN),
    ),
}  # fmt: skip


HISTORICAL = "logsumexp/historical/pytorch-73741/bfloat16/n10/r0"
OFF_SIMPLEX = f"{DENSE}/crossing/confident+off_simplex+moving/float32/n4/r0"
INFINITE = f"{BINARY}/crossing/infinite+moving/float32/n4/r0"
ALONG = "softmax/derivatives/unit/float32/n10/r1"
IMAGE = "log_softmax/crossing/confident+image+class_last+moving/float32/n4/r0"

MOVING: dict[str, tuple[Asked, ...]] = {
    "torch": (
        ("torch.logsumexp", "eager", HISTORICAL, "hvp"),
        ("torch.softmax", "eager", ALONG, "jvp"),
        ("torch.softmax", "eager", ALONG, "hvp"),
        ("torch.softmax", "func", ALONG, "hvp"),
        ("torch.log_softmax", "func", IMAGE, "jvp"),
        ("torch.log_softmax", "func", IMAGE, "hvp"),
        (f"{TORCH}cross_entropy:probabilities", "vmap", OFF_SIMPLEX, "jvp"),
        (
            "torch.sigmoid+torch.nn.BCELoss",
            "eager",
            f"{BINARY}/crossing/confident+off_simplex+moving/float32/n4/r0",
            "hvp",
        ),
    ),
    "jax": (
        ("jax.nn.log_sigmoid", "jit", "log_sigmoid/crossing/infinite+moving/float32/n4/r1", "hvp"),
        ("jax.nn.log_sigmoid", "eager", "log_sigmoid/derivatives/offset/float32/n10/r0", "jvp"),
        ("jax.nn.softmax", "jit", ALONG, "jvp"),
        ("jax.nn.softmax", "vmap", ALONG, "hvp"),
    ),
    "tensorflow": (
        ("tf.nn.softmax_cross_entropy_with_logits", "eager", OFF_SIMPLEX, "jvp"),
        ("tf.nn.softmax_cross_entropy_with_logits", "xla", OFF_SIMPLEX, "hvp"),
        ("tf.nn.sigmoid_cross_entropy_with_logits", "graph", INFINITE, "jvp"),
        ("tf.nn.softmax", "session", ALONG, "hvp"),
        ("tf.nn.softmax", "eager", ALONG, "jvp"),
    ),
    "keras-tensorflow": (
        ("keras.losses.BinaryCrossentropy(from_logits=True)", "eager", INFINITE, "jvp"),
        ("keras.ops.softmax", "eager", ALONG, "hvp"),
    ),
}


WIDE: dict[str, tuple[Asked, ...]] = {
    "numpy": (
        ("numpy:logsumexp-naive", "eager", "logsumexp/vocabularies/spread/float32/n32000/r0"),
        ("numpy:softmax-shifted", "eager", "softmax/vocabularies/spread/float32/n151936/r0"),
        ("numpy:cross_entropy-shifted", "eager", f"{DENSE}/tiles/masked_prefix/float32/n4096/r0"),
        ("numpy:log_softmax-shifted", "eager", "log_softmax/tiles/rising/float64/n1025/r0"),
        ("numpy:softmax-shifted", "eager", "softmax/tiles/mass_in_the_head/float32/n4096/r0"),
        ("numpy:softmax-shifted", "eager", "softmax/tiles/nan_in_the_tail/float16/n4096/r0"),
        ("numpy:sparse_cross_entropy-shifted", "eager", f"{INDEX}/index_labels/between/float64/n1000/r3"),
    ),
    "torch": (
        ("torch.softmax", "eager", "softmax/vocabularies/spread/float32/n128256/r0", "grad_logits"),
        ("torch.logsumexp", "eager", "logsumexp/vocabularies/spread/bfloat16/n32000/r0"),
        (f"{TORCH}cross_entropy:probabilities", "eager", f"{DENSE}/tiles/masked_block/float32/n65537/r0"),
    ),
}  # fmt: skip


BITS: dict[str, tuple[Asked, ...]] = {
    "tensorflow": (
        ("tf.nn.softmax_cross_entropy_with_logits", "eager", f"{DENSE}/invariance/alone/float32/n10/r1"),
        (
            "tf.nn.softmax_cross_entropy_with_logits",
            "eager",
            f"{DENSE}/tiles/falling/float32/n1025/r0",
            "grad_logits",
        ),
        ("tf.math.log_sigmoid", "graph", "log_sigmoid/many_rows/rows_257/float32/n3/r4"),
        ("tf.nn.sigmoid", "eager", "sigmoid/historical/tensorflow-33878/float32/n10/r0"),
    ),
    "torch": (
        ("torch.sigmoid", "eager", "sigmoid/many_rows/rows_257/float32/n3/r4"),
        ("torch.sigmoid", "eager", "sigmoid/invariance/alone/float32/n16/r4", "value"),
    ),
}


NOTHING = f"{INDEX}/shapes/no_example+none/float32/n4/r0"
SUM_OF_NOTHING = f"{INDEX}/shapes/no_example+sum/float32/n4/r0"
KERAS = "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"

EMPTY: dict[str, tuple[Asked, ...]] = {
    "torch": (
        (f"{TORCH}cross_entropy:indices", "eager", NOTHING),
        (f"{TORCH}cross_entropy:indices", "eager", SUM_OF_NOTHING),
        (f"{TORCH}linear_cross_entropy", "eager", NOTHING),
    ),
    "jax": (("jax.nn.log_softmax+take", "jit", NOTHING),),
    "onnx": (("onnx.reference:SoftmaxCrossEntropyLoss", "eager", NOTHING),),
    "keras-tensorflow": ((KERAS, "eager", SUM_OF_NOTHING),),
}
"""No example: an error, another shape, and what is right."""


@pytest.mark.parametrize("framework", EMPTY)
def test_a_script_of_a_call_without_an_example(framework: str, tmp_path: Path, remembered: None) -> None:
    """There is no element to compare: the shape is, or the sum of nothing."""
    for ran in ends_as_its_verdict(framework, EMPTY[framework], tmp_path):
        assert "(0, 4)" in ran.text
        assert "result's shape" in ran.text or "reduction" in ran.text


@pytest.mark.parametrize("framework", ASKED)
def test_a_script_ends_as_the_verdict_says(framework: str, tmp_path: Path, remembered: None) -> None:
    ended = ends_as_its_verdict(framework, ASKED[framework], tmp_path)
    assert {e.status == 0 for e in ended} == {True, False}, "findings and conforming cases both"


@pytest.mark.parametrize("framework", MOVING)
def test_a_script_of_a_derivative_along_a_tangent(framework: str, tmp_path: Path, remembered: None) -> None:
    """Forward mode and second derivatives, by each mode's own means."""
    ended = ends_as_its_verdict(framework, MOVING[framework], tmp_path)
    assert {e.status == 0 for e in ended} == {True, False}
    assert all("tangent" in e.text for e in ended)


@pytest.mark.parametrize("framework", WIDE)
def test_a_long_row_is_drawn_again_and_not_written_out(
    framework: str, tmp_path: Path, remembered: None
) -> None:
    """Of numbers that would be half a megabyte, the script has the rule; and the hash holds it to them."""
    ended = ends_as_its_verdict(framework, WIDE[framework], tmp_path)
    assert {e.status == 0 for e in ended} == {True, False}
    for e in ended:
        assert "np.random.Philox(" in e.text and "packed" not in e.text and len(e.text) < 6_000
        other = tmp_path / "other.py"
        other.write_text(e.text.replace("= bell(key, ", "= bell(key, 1 + ", 1), encoding="utf-8")
        ((status, told),) = run_scripts([other], framework)
        assert status == 1 and "AssertionError: other numbers than were asked" in told


@pytest.mark.parametrize("framework", BITS)
def test_other_bits_are_shown_by_asking_both_ways(framework: str, tmp_path: Path, remembered: None) -> None:
    """Alone and in a batch, a row and its copy, equal elements: the script compares the bits of both.

    Which of them are other bits is a matter of how wide the processor's vectors are.
    """
    ended = ends_as_its_verdict(framework, BITS[framework], tmp_path)
    apart = [e for e in ended if e.verdict != Status.CONFORMS]
    assert apart, "on no processor all of them are the same"
    for e in apart:
        assert e.status == 1 and "differ: " in e.told and "Decimal" not in e.text, (e.text[:300], e.told)


def test_on_the_command_line_the_script_is_all_that_is_printed(tmp_path: Path) -> None:
    arguments = ["explain", MASKED, "--implementation", "numpy:cross_entropy-shifted", "--script"]
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    path = tmp_path / "issue.py"
    path.write_text(result.stdout, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().startswith("differs: returned nan, right 1.3633469")
    assert f"numpy {np.__version__}" in result.stdout and MASKED in result.stdout


REFUSED = {
    "one implementation": (MASKED, "--script"),
    "numpy:softmax-shifted is unsupported here": (
        PLAIN.replace("float32", "bfloat16"), "--script", "--implementation", "numpy:softmax-shifted",
    ),
    "does not compute softmax ": (PLAIN, "--script", "--implementation", "numpy:logit-naive"),
    "say which with --framework": (PLAIN, "--script", "--implementation", "keras.ops.softmax"),
    "there are eager": (PLAIN, "--script", "--implementation", "numpy:softmax-shifted", "--mode", "xla"),
    "did you mean": (PLAIN, "--script", "--implementation", "numpy:softmax-shiftd"),
    "name --framework once": (
        PLAIN, "--script", "--implementation", "torch.softmax", "--framework", "torch", "--framework", "jax",
    ),
    "one mode is shown": (
        PLAIN, "--script", "--implementation", "torch.softmax", "--mode", "eager", "--mode", "func",
    ),
    "name --device once": (
        PLAIN, "--script", "--implementation", "torch.softmax", "--device", "cpu", "--device", "cuda",
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_a_script_that_cannot_be_written_is_refused_with_what_to_do(words: str) -> None:
    result = invoke("explain", *REFUSED[words])
    assert result.exit_code == USAGE, result.output
    assert words in " ".join(result.stderr.split()) and not result.stdout


def test_a_device_that_is_not_there_is_refused(remembered: None) -> None:
    with pytest.raises(Refused, match="has no device"):
        shown(*find_case(PLAIN), "numpy:softmax-shifted", device="cpu[isa=avx2]")
    with pytest.raises(Refused, match=r"its devices here cpu"):
        shown(*find_case(PLAIN), "numpy:softmax-shifted", device="cuda")


@pytest.mark.parametrize(
    "array",
    [
        np.array([[np.nan, -np.inf, 1.0, -0.0]], dtype=np.float32),
        np.array(1.5, dtype=ml_dtypes.bfloat16),
        np.array([3]),
        np.array(3),
        np.arange(40, dtype=np.uint8),
        np.eye(3, 20, dtype=np.float16),
        np.linspace(-3, 3, 60).reshape(3, 4, 5),
        np.random.default_rng(0).normal(size=(1, 5000)),
        np.full((1, 100_000), -0.0),
        np.zeros((3, 0), dtype=np.float32),
    ],
)
def test_an_array_is_written_to_the_last_bit_and_short(array: Any) -> None:
    text = assigned("x", array)
    names: dict[str, Any] = {}
    exec(f"import base64, zlib\nimport ml_dtypes\nimport numpy as np\n{text}", names)
    again = names["x"]
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert again.flags.writeable and len(text.split("0x")) < 100
    exec(f"import base64, zlib\nimport numpy as np\n{assigned('x', array, by_bits=True)}", plain := {})
    told = plain["x"]
    assert told.tobytes() == array.tobytes() and told.shape == array.shape and told.dtype.isbuiltin == 1


def _implementations() -> Iterator[tuple[str, Any]]:
    for name in sorted(DIALECTS):
        if "onnx" not in name:
            yield from ((name, i) for i in FRAMEWORKS[name].declaration.implementations)


@pytest.mark.parametrize(("framework", "i"), list(_implementations()), ids=lambda v: getattr(v, "name", v))
def test_every_call_is_an_expression_of_public_names(framework: str, i: Any) -> None:
    """What an adapter calls by its own names comes along, and nothing is left of them."""
    library = DIALECTS[framework][1]
    arguments = ["logits", "labels"] if OPERATORS[i.operator].labels != "none" else ["logits"]
    of_a_layer = ("features", "affine")  # which its arguments are, and its caller knows
    taken = [name for name in sorted(i.takes) if name not in ("axes", *of_a_layer)]
    keywords = {name: "-1" if name == "axis" else name for name in taken}
    source = source_of(i.call, library, arguments, keywords)
    names: dict[str, Any] = dict.fromkeys((library.partition(".")[0], "jax", *arguments, *i.takes))
    for helper in source.helpers:
        exec(helper, names)
    code = compile(source.expression, "script", "eval")
    unknown = {n for n in code.co_names if n.startswith("_")}
    assert not unknown and "lambda" not in source.expression
    assert all(n in source.expression for n in keywords if n not in ("axis",)), source.expression
