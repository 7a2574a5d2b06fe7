"""How calls of the real frameworks are read: operator, arrays, attributes; or why no case can say them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.capturing import needs, only, x32
from tests.support.later import Later
from xent_conformance import capture
from xent_conformance.capturing.capture import NothingCaptured
from xent_conformance.cases.outside.files import read_file
from xent_conformance.reference.attributes import Attributes

if TYPE_CHECKING:
    import jax
    import optax
    import torch
else:
    torch, jax, optax = Later("torch"), Later("jax"), Later("optax")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.json"


# --- what is read of each function -------------------------------------------------------------------------


@needs("torch")
def test_torch_index_loss(path: Path) -> None:
    x, w = x32(4, 3, 2), torch.tensor([1.0, 2.0, 0.5])
    y = torch.tensor([[0, 1], [2, -100], [1, 1], [0, 2]])
    with capture(path, framework="torch") as watch:
        torch.nn.functional.cross_entropy(x, y, weight=w, label_smoothing=0.1)
    call = only(path)
    assert np.array_equal(call.logits, x.numpy()) and call.classes == 1
    assert call.labels is not None and np.array_equal(call.labels, y.numpy())
    assert call.operator.name == "sparse_softmax_cross_entropy"
    assert call.attributes == Attributes((1.0, 2.0, 0.5), (), 0.1, -100, "mean", 8)
    assert watch.found == "call 1 of torch.nn.functional.cross_entropy"
    source = read_file(path).about
    assert (
        source.startswith(f"captured: {watch.found}")
        and f"torch {version('torch')}".partition("+")[0] in source
    )


@needs("torch")
def test_torch_ignores_nothing_that_is_not_there(path: Path) -> None:
    """−100 is its usual; doors that take no ignored index are asked where no label is it."""
    with capture(path, framework="torch"):
        torch.nn.CrossEntropyLoss(reduction="none")(x32(2, 3), torch.tensor([0, 1]))
    assert only(path).attributes == Attributes()


@needs("torch")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_torch_probabilities_in_every_format(dtype: str, path: Path) -> None:
    kind = getattr(torch, dtype)
    x, p = x32(2, 3).to(kind), torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], dtype=kind)
    x[0, 1] = float("nan")
    with capture(path, framework="torch"):
        torch.nn.functional.cross_entropy(x.requires_grad_(), p, reduction="sum")
    call = only(path)
    assert (call.operator.name, call.format.name) == ("softmax_cross_entropy", dtype)
    assert np.array_equal(call.logits, x.detach().double().numpy(), equal_nan=True)
    assert call.labels is not None and np.array_equal(call.labels, p.double().numpy())


@needs("torch")
@pytest.mark.parametrize(
    ("weight", "seen"), [([1.0, 2.0, 4.0], (1.0, 2.0, 4.0)), ([[2.0], [2.0]], (2.0, 2.0, 2.0))]
)
def test_torch_binary(weight: Any, seen: tuple[float, ...], path: Path) -> None:
    x, z = x32(2, 3), torch.rand(2, 3)
    positive = torch.tensor([1.0, 2.0, 3.0])
    with capture(path, framework="torch"):
        torch.nn.BCEWithLogitsLoss(weight=torch.tensor(weight), pos_weight=positive)(x, z)
    call = only(path)
    assert call.operator.name == "sigmoid_cross_entropy"
    assert call.attributes == Attributes(seen, (1.0, 2.0, 3.0), reduction="mean", examples=2)


@needs("torch")
@pytest.mark.parametrize(
    ("called", "operator", "classes"),
    [
        (lambda x: torch.softmax(x, 0), "softmax", 0),
        (lambda x: torch.nn.functional.softmax(x, dim=-1), "softmax", 2),
        (lambda x: torch.nn.Softmax(dim=1)(x), "softmax", 1),
        (lambda x: torch.nn.functional.log_softmax(x, 1), "log_softmax", 1),
        (lambda x: torch.log_softmax(x, dim=1), "log_softmax", 1),
        (lambda x: torch.logsumexp(x, 1), "logsumexp", 1),
        (lambda x: torch.sigmoid(x), "sigmoid", 2),
        (lambda x: torch.nn.LogSigmoid()(x), "log_sigmoid", 2),
    ],
)
def test_torch_values(called: Any, operator: str, classes: int, path: Path) -> None:
    with capture(path, framework="torch"):
        called(x32(2, 3, 4))
    call = only(path)
    assert (call.operator.name, call.classes) == (operator, classes)


@needs("torch")
def test_torch_a_cast_comes_first(path: Path) -> None:
    with capture(path, framework="torch"):
        torch.softmax(x32(2, 3).half(), 1, dtype=torch.float32)
    assert only(path).format.name == "float32"


@needs("jax", "optax")
@pytest.mark.parametrize(
    ("called", "operator", "classes"),
    [
        (lambda x, p, y: jax.nn.softmax(x, axis=0), "softmax", 0),
        (lambda x, p, y: jax.nn.log_softmax(x), "log_softmax", 1),
        (lambda x, p, y: jax.nn.logsumexp(x, axis=1), "logsumexp", 1),
        (lambda x, p, y: jax.nn.sigmoid(x), "sigmoid", 1),
        (lambda x, p, y: jax.nn.log_sigmoid(x), "log_sigmoid", 1),
        (lambda x, p, y: optax.softmax_cross_entropy(x, p), "softmax_cross_entropy", 1),
        (lambda x, p, y: optax.losses.safe_softmax_cross_entropy(x, p), "softmax_cross_entropy", 1),
        (
            lambda x, p, y: optax.softmax_cross_entropy_with_integer_labels(x, y),
            "sparse_softmax_cross_entropy",
            1,
        ),
        (lambda x, p, y: optax.sigmoid_binary_cross_entropy(x, p), "sigmoid_cross_entropy", 1),
    ],
)
def test_jax(called: Any, operator: str, classes: int, path: Path) -> None:
    """A loss is seen, and not the log-softmax inside it."""
    x = jax.numpy.asarray(np.random.default_rng(3).standard_normal((2, 3)), dtype="bfloat16")
    p, y = jax.numpy.asarray(np.full((2, 3), 0.25), dtype="bfloat16"), jax.numpy.array([0, 2])
    with capture(path, framework="jax"):
        called(x, p, y)
    call = only(path)
    assert (call.operator.name, call.classes, call.format.name) == (operator, classes, "bfloat16")
    assert np.array_equal(call.logits, np.asarray(x, dtype=np.float64))
    assert call.id == "call1" and call.attributes == Attributes()


TENSORFLOW = """
import sys
import numpy as np
import tensorflow as tf
x = tf.constant([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0]], dtype=tf.float64)
p = tf.constant([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], dtype=tf.float64)
@tf.function
def graph():
    return tf.nn.softmax(x)
graph()
tf.nn.softmax(x, axis=0)
tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x)
tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2], logits=x)
tf.nn.sigmoid_cross_entropy_with_logits(p, x)
tf.nn.weighted_cross_entropy_with_logits(p, x, 2.0)
"""


@needs("tensorflow")
def test_tensorflow(tmp_path: Path) -> None:
    """In a process of its own, call by call; the first is traced, and says so."""
    (tmp_path / "all.py").write_text(
        "import sys\nfrom xent_conformance import capture\n"
        "from xent_conformance.capturing.capture import NothingCaptured\n"
        "for n in range(1, 8):\n"
        "    try:\n"
        "        with capture(f'b{n}.json', framework='tensorflow', call=n):\n"
        "            exec(open('calls.py').read(), {})\n"
        "    except NothingCaptured as nothing:\n"
        "        print(n, nothing)\n",
        encoding="utf-8",
    )
    (tmp_path / "calls.py").write_text(TENSORFLOW, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "all.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("1 6 calls of the functions that are watched, none that a case can say: ")
    assert "part of a graph" in first and "call it outside of tf.function" in first
    assert last == "7 6 calls of the functions that are watched, so there is no call 7"
    found = {n: only(tmp_path / f"b{n}.json") for n in range(2, 7)}
    assert [c.operator.name for c in found.values()] == [
        "softmax",
        "softmax_cross_entropy",
        "sparse_softmax_cross_entropy",
        "sigmoid_cross_entropy",
        "sigmoid_cross_entropy",
    ]
    assert found[2].classes == 0 and found[6].attributes.pos_weight == (2.0, 2.0, 2.0)
    assert found[4].labels is not None and found[4].labels.tolist() == [0.0, 2.0]
    assert all(c.format.name == "float64" and c.logits[0, 1] == -2 for c in found.values())


# --- what no case can say -----------------------------------------------------------------------------------


@needs("torch")
@pytest.mark.parametrize(
    ("called", "said"),
    [
        (lambda x: torch.nn.functional.softmax(x.view(6)), "dim is None: say which axis"),
        (lambda x: torch.logsumexp(x, (0, 1)), "dim is (0, 1)"),
        (lambda x: torch.nn.functional.cross_entropy(x, torch.tensor([0, 1]), reduce=False), "old names"),
        (
            lambda x: torch.nn.functional.binary_cross_entropy_with_logits(x, x.sigmoid(), weight=x.exp()),
            "weight differs from row to row",
        ),
        (
            lambda x: torch.nn.functional.binary_cross_entropy_with_logits(x, x.double().sigmoid()),
            "its labels are float64 and its logits float32",
        ),
        (lambda x: torch.softmax(x.to(torch.complex64).real.long(), 0, dtype=torch.long), "int64"),
        (lambda x: torch.vmap(lambda r: torch.softmax(r, 0))(x), "its tensors hold no numbers there"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_torch_in_words(called: Any, said: str, path: Path) -> None:
    with (
        pytest.raises(NothingCaptured) as nothing,
        capture(path, framework="torch"),
        contextlib.suppress(RuntimeError),  # the function itself refuses some
    ):
        called(x32(2, 3))
    assert said in str(nothing.value), str(nothing.value)


@needs("jax")
@pytest.mark.parametrize(
    ("called", "said"),
    [
        (lambda x: jax.jit(lambda v: jax.nn.softmax(v))(x), "call it outside of jit, grad and vmap"),
        (lambda x: jax.grad(lambda v: jax.nn.logsumexp(v, axis=0))(x[0]), "call it outside of jit"),
        (lambda x: jax.nn.softmax(x, where=x > 0), "where leaves elements out"),
        (lambda x: jax.nn.softmax(x, axis=(0, 1)), "axis is (0, 1)"),
        (lambda x: jax.nn.logsumexp(x, axis=0, b=x), "b and return_sign"),
    ],
)
def test_jax_in_words(called: Any, said: str, path: Path) -> None:
    with pytest.raises(NothingCaptured) as nothing, capture(path, framework="jax"):
        called(jax.numpy.ones((2, 3)))
    assert said in str(nothing.value), str(nothing.value)


@needs("torch")
def test_finite_all_along(path: Path) -> None:
    with pytest.raises(NothingCaptured) as nothing, capture(path, framework="torch", when="nonfinite"):
        torch.sigmoid(x32(3))
        torch.sigmoid(x32(3))
    assert str(nothing.value).startswith(
        "2 calls of the functions that are watched, and each returned finite"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"framework": "numpy"}, "calls of 'numpy' are not watched; those of torch, tensorflow, jax are"),
        ({"framework": "torch", "when": "always"}, "unknown when 'always'"),
        ({"framework": "torch", "call": 0}, "call counts from 1"),
        ({"framework": "torch", "call": 1, "when": "nonfinite"}, "say one of them"),
    ],
)
def test_wrong_words(words: dict[str, Any], said: str, path: Path) -> None:
    with pytest.raises(ValueError, match=said), capture(path, **words):
        pass


def test_a_framework_that_is_absent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"torch is not installed .*; add it with: pip install"):
        capture(path, framework="torch").__enter__()
