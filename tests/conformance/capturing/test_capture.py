"""Capture: the call that is wanted, in its bits, of the real frameworks; and in words where there is none."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.cli import conformance
from tests.support.later import Later
from tests.support.paths import ROOT
from xent_conformance import capture, read_run
from xent_conformance.__main__ import EVIDENCE, USAGE
from xent_conformance.capturing.capture import NothingCaptured
from xent_conformance.cases.outside.files import read_file
from xent_conformance.cases.outside.schema import Call
from xent_conformance.reference.attributes import Attributes

if TYPE_CHECKING:
    import jax
    import optax
    import torch
else:
    torch, jax, optax = Later("torch"), Later("jax"), Later("optax")


def needs(*names: str) -> pytest.MarkDecorator:
    absent = [name for name in names if find_spec(name) is None]
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.json"


def only(path: Path) -> Call:
    (call,) = read_file(path).document.calls
    return call


def x32(*shape: int) -> Any:
    """Numbers whose bits are their own: nothing is written that rounding would hide."""
    values = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    return torch.from_numpy(values)


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


# --- which call ---------------------------------------------------------------------------------------------


@needs("torch")
def test_the_call_that_is_wanted(path: Path) -> None:
    x = x32(1, 3)
    with capture(path, framework="torch", call=2):
        torch.softmax(x, 1)
        torch.log_softmax(x, 1)
        torch.sigmoid(x)
    assert only(path).operator.name == "log_softmax"


@needs("torch")
def test_the_first_that_is_not_finite(path: Path) -> None:
    x = x32(1, 3)
    with capture(path, framework="torch", when="nonfinite"):
        torch.softmax(x, 1)
        x[0, 0] = float("nan")
        torch.log_softmax(x, 1)
        torch.sigmoid(x)
    call = only(path)
    assert call.operator.name == "log_softmax" and np.isnan(call.logits[0, 0]) and call.id == "call2"


@needs("torch")
def test_a_call_that_raises_is_one_too(path: Path) -> None:
    with (
        pytest.raises((IndexError, RuntimeError)),
        capture(path, framework="torch", when="nonfinite"),
    ):
        torch.nn.functional.cross_entropy(x32(2, 3), torch.tensor([0, 3]))
    assert only(path).labels is not None


@needs("torch")
def test_what_is_written_is_what_was_given(path: Path) -> None:
    """Not what became of it: a result may be written over its argument."""
    x = x32(1, 3)
    before = x.clone().numpy()
    with capture(path, framework="torch"):
        torch.sigmoid(x, out=x)
    assert np.array_equal(only(path).logits, before) and not np.array_equal(before, x.numpy())


@needs("torch")
def test_everything_is_as_it_was_afterwards(path: Path) -> None:
    functional = torch.nn.functional
    before = functional.cross_entropy, torch.softmax, functional.softmax
    with pytest.raises(NothingCaptured), capture(path, framework="torch"):
        assert functional.cross_entropy is not before[0]
    assert (functional.cross_entropy, torch.softmax, functional.softmax) == before
    assert not path.exists()


@needs("torch")
def test_a_name_that_was_imported_before_is_watched(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ModuleType("mine_before")
    mine.loss = torch.nn.functional.cross_entropy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mine_before", mine)
    with capture(path, framework="torch"):
        mine.loss(x32(2, 3), torch.tensor([0, 1]))
    assert only(path).n == 3


@needs("torch")
def test_a_file_of_a_family_s_name_has_another(tmp_path: Path) -> None:
    with capture(tmp_path / "ordinary.json", framework="torch"):
        torch.sigmoid(x32(3))
    assert read_file(tmp_path / "ordinary.json").name == "captured_ordinary"


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


# --- the command --------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from torch.nn.functional import cross_entropy
import torch
import beside
print("given", sys.argv[1:], __name__)
for step in range(5):
    x = torch.full((2, 3), float(step), dtype=torch.bfloat16)
    if step == 3:
        x[0, 0] = float("inf")
    try:
        cross_entropy(x, torch.tensor([0, 1]))
    except Exception:
        print("swallowed")
print("the end")
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").write_text("", encoding="utf-8")
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path / "train.py"


@needs("torch")
def test_a_script_is_run_until_the_call(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv, search = list(sys.argv), list(sys.path)
    found = conformance("capture", "--when", "nonfinite", "-o", "b.json", "train.py", "--when", "x", "-o")
    assert (sys.argv, sys.path) == (argv, search)
    assert "given ['--when', 'x', '-o'] __main__" in found.stdout, "what stands after its name is its own"
    assert "the end" not in found.stdout and "swallowed" not in found.stdout
    said = "captured call 4 of torch.nn.functional.cross_entropy in train.py: wrote b.json"
    assert said in found.stdout
    assert "ask it with: conformance run --cases b.json --framework torch" in found.stdout
    assert np.isposinf(only(Path("b.json")).logits[0, 0])


@needs("torch")
def test_what_is_captured_is_asked(script: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the line that is printed, and the answer is the one that was wrong."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    conformance("capture", "--call", "2", "-o", "b.json", "train.py")
    conformance(
        "run", "--cases", "b.json", "--framework", "torch", "--profile", "quick",
        "--implementation", "torch.nn.functional.cross_entropy:indices",
    )  # fmt: skip
    run = read_run("run.parquet")
    assert set(run.verdicts["status"]) == {"conforms"} and set(run.verdicts["dtype"]) == {"bfloat16"}
    (row,) = run.verdicts.filter(output="value").iter_rows(named=True)
    assert row["case"] == "sparse_softmax_cross_entropy/b/call2/bfloat16/n3/r0"
    assert row["rounded"] == 1.1015625, "log 3 in bfloat16"


@needs("torch")
def test_a_script_that_calls_nothing(script: Path) -> None:
    script.write_text("raise SystemExit(0)\n", encoding="utf-8")
    said = conformance("capture", "train.py", status=EVIDENCE).stderr
    assert "nothing is captured: none of the functions that are watched was called" in " ".join(said.split())
    assert not Path("captured.json").exists()


@needs("torch")
@pytest.mark.parametrize("error", ["1 / 0", "raise ValueError('mine')", "import nowhere_to_be_found"])
def test_a_script_that_fails(error: str, script: Path) -> None:
    script.write_text(f"{error}\n", encoding="utf-8")
    said = conformance("capture", "train.py", status=EVIDENCE).stderr
    assert "train.py" in said and "the script ended with an error, before the call was captured" in said


def test_wrong_usage(script: Path) -> None:
    assert "none.py: no such script" in conformance("capture", "none.py", status=USAGE).stderr
    said = conformance("capture", "--framework", "numpy", "train.py", status=USAGE).stderr
    assert "calls of 'numpy' are not watched" in said


@needs("torch")
def test_the_file_is_one_case_a_line(script: Path) -> None:
    conformance("capture", "-o", "b.json", "train.py")
    text = Path("b.json").read_text(encoding="utf-8")
    assert json.loads(text)["schema"] == 1 and len(text.splitlines()) == 8
    assert str(ROOT) not in text and str(script.parent) not in text, "no path of a machine is in it"
