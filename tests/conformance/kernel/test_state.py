"""Kernels of real frameworks that keep what they should not: right to whoever calls them once (§7)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.later import Later
from xent_conformance import Checked, check
from xent_conformance.frameworks.interface import Implementation, Question, dtype_of
from xent_conformance.frameworks.torch import Torch
from xent_conformance.worker.delivery import CHANGED
from xent_conformance.worker.serve import Worker

if TYPE_CHECKING:
    import jax
    import tensorflow as tf
    import torch
else:
    jax, tf, torch = Later("jax"), Later("tensorflow"), Later("torch")

Kernel = Callable[..., Any]


def _checked(function: Kernel, framework: str, *families: str, operator: str = "softmax") -> Checked:
    return check(
        function,
        operator=operator,
        framework=framework,
        dtypes="float32",
        families=families or ("ordinary", "two_classes", "state"),
    )


def _broken(checked: Checked) -> set[tuple[str, str, str, str]]:
    """Family, clause, level and output of what is broken; relative accuracy is another matter."""
    found = checked.verdicts.filter(checked.verdicts["status"].is_in(["breaks_must", "breaks_should"]))
    rows = found.select("family", "clause", "level", "output").iter_rows()
    return {(family, clause, level, output) for family, clause, level, output in rows if clause != "1.2"}


# --- arguments --------------------------------------------------------------------------------------


def test_numpy_in_place() -> None:
    def softmax(x: Any) -> Any:
        x -= x.max(axis=-1, keepdims=True)
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)

    checked = _checked(softmax, "numpy", "ordinary", "layouts")
    assert _broken(checked) == {(f, "7.11", "must", "value") for f in ("ordinary", "layouts")}
    (finding,) = checked.findings.filter(clause="7.11").iter_rows(named=True)
    assert finding["symptom"] == "changed inputs"


def test_torch_in_place() -> None:
    """Autograd does not see what is written into the data of a tensor."""

    def softmax(x: Any) -> Any:
        value = torch.softmax(x, -1)
        x.data.sub_(x.data.amax(-1, keepdim=True))
        return value

    assert ("ordinary", "7.11", "must", "value") in _broken(_checked(softmax, "torch", "ordinary"))


def test_torch_writes_into_the_cotangent() -> None:
    class Negated(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            value = torch.sigmoid(x)
            context.save_for_backward(value)
            return value

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            (s,) = context.saved_tensors
            return cotangent.mul_(s * (1 - s))

    checked = check(
        lambda x: Negated.apply(x), operator="sigmoid", framework="torch", dtypes="float32", families="widths"
    )
    assert "the call changed its cotangent" in set(checked.verdicts.filter(clause="7.11")["message"])


def test_torch_in_place_on_a_device_with_memory_of_its_own() -> None:
    """There a tensor is a copy of its array; what was done to it is written back."""

    class Device(Torch):
        def _tensor(self, array: Any, device: str) -> Any:
            return super()._tensor(array, device).clone()

    def in_place(_: Any, x: Any) -> Any:
        value = torch.softmax(x, -1)
        x.data[1, 2] = 9
        return value

    door = Implementation("in_place", "softmax", "fused", in_place)
    for dtype in ("float32", "bfloat16"):
        x = np.arange(12).reshape(4, 3).astype(dtype_of(dtype))
        x.flags.writeable = False
        question = Question("in_place", "softmax", "eager", "cpu:0", ("value", "grad_logits"))
        header, results = Worker(Device(), [door]).answer(question, {"logits": x, "cotangent": x.copy()})
        assert header["failures"] == {}
        changed = {name: a.tolist() for name, a in results.items() if CHANGED in name}
        assert changed == {"logits#changed": [False, True, False, False]}


@pytest.mark.parametrize("framework", ["torch", "numpy"])
def test_in_place_where_arguments_are_one_array(framework: str) -> None:
    """Right for copies; labels that are the logits are read after these have been shifted."""

    def right(x: Any, p: Any) -> Any:
        if framework == "torch":
            return -(p * torch.log_softmax(x, -1)).sum(-1)
        shifted = x - x.max(-1, keepdims=True)
        return -(p * (shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))).sum(-1)

    def loss(x: Any, p: Any) -> Any:
        one = x.data_ptr() == p.data_ptr() if framework == "torch" else np.shares_memory(x, p)
        return right(x, p - 1 if one else p)

    checked = _checked(loss, framework, operator="softmax_cross_entropy")
    assert {c for _, c, _, _ in _broken(checked)} == {"7.12"}
    assert _broken(_checked(right, framework, operator="softmax_cross_entropy")) == set()


# --- calls and threads ------------------------------------------------------------------------------


def test_what_is_kept_of_the_shape_before() -> None:
    """After fewer rows a sum runs backwards."""
    rows = [0]

    def softmax(x: Any) -> Any:
        fewer, rows[0] = 1 < rows[0] < len(x), len(x)
        e = np.exp(x - x.max(-1, keepdims=True))
        total = np.zeros((len(x), 1), dtype=x.dtype)
        for i in range(x.shape[1])[:: -1 if fewer else 1]:
            total += e[:, i : i + 1]
        return e / total

    assert _broken(_checked(softmax, "numpy", "state", "invariance")) == {("state", "7.3", "should", "value")}


def test_what_is_one_threads() -> None:
    owner = threading.get_ident()

    def softmax(x: Any) -> Any:
        return torch.softmax(x, -1) if threading.get_ident() == owner else torch.log_softmax(x, -1).exp()

    broken = _broken(_checked(softmax, "torch"))
    assert {(f, c, level) for f, c, level, _ in broken} == {("state", "7.3", "should")}


# --- gradients --------------------------------------------------------------------------------------


def test_torch_inference_by_another_path() -> None:
    def softmax(x: Any) -> Any:
        return torch.softmax(x, -1) if torch.is_grad_enabled() else torch.log_softmax(x, -1).exp()

    assert _broken(_checked(softmax, "torch")) == {("state", "7.8", "should", "value")}


def test_jax_inference_by_another_path() -> None:
    """What ``custom_vjp`` computes where nothing is differentiated."""
    softmax = jax.custom_vjp(lambda x: jax.numpy.exp(jax.nn.log_softmax(x)))
    softmax.defvjp(
        lambda x: (jax.nn.softmax(x), jax.nn.softmax(x)),
        lambda s, c: (s * (c - (s * c).sum(-1, keepdims=True)),),
    )
    assert _broken(_checked(softmax, "jax", "state")) == {("state", "7.8", "should", "value")}


def test_tensorflow_inference_by_another_path() -> None:
    from tensorflow.python.eager import record

    def softmax(x: Any) -> Any:
        return tf.nn.softmax(x) if record.could_possibly_record() else tf.exp(tf.nn.log_softmax(x))

    assert _broken(_checked(softmax, "tensorflow", "state")) == {("state", "7.8", "should", "value")}


def _consumed_in_torch() -> Kernel:
    class Consumes(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            value = torch.softmax(x, -1)
            context.kept = value.detach().clone()
            return value

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            s = context.kept.clone()
            context.kept.zero_()
            return s * (cotangent - (s * cotangent).sum(-1, keepdim=True))

    return lambda x: Consumes.apply(x)


def _consumed_in_tensorflow() -> Kernel:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def softmax(x: Any) -> Any:
        s = tf.nn.softmax(x)
        kept = [s]

        def gradient(cotangent: Any) -> Any:
            mine, kept[0] = kept[0], tf.zeros_like(s)
            return mine * (cotangent - tf.reduce_sum(mine * cotangent, -1, keepdims=True))

        return s, gradient

    return lambda x: softmax(x)


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_a_backward_that_consumes_what_was_saved(framework: str) -> None:
    kernel = _consumed_in_torch() if framework == "torch" else _consumed_in_tensorflow()
    checked = _checked(kernel, framework, "two_classes", "state")
    assert _broken(checked) == {("state", "7.9", "must", "grad_logits")}


def test_a_gradient_that_overwrites() -> None:
    """Which autograd prevents; a kernel that looks at what is held does it all the same."""

    def softmax(x: Any) -> Any:
        if x.requires_grad:
            x.register_hook(lambda g: g if x.grad is None else g - x.grad)
        return torch.softmax(x, -1)

    assert _broken(_checked(softmax, "torch")) == {("state", "7.10", "must", "grad_logits")}


# --- what is right ----------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax", "numpy"])
def test_what_is_right_is_asked_and_conforms(framework: str) -> None:
    def softmax(x: Any) -> Any:
        if framework == "torch":
            return torch.softmax(x, -1)
        if framework == "tensorflow":
            return tf.nn.softmax(x)
        if framework == "jax":
            return jax.nn.softmax(x)
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    checked = _checked(softmax, framework, "state")
    assert _broken(checked) == set()
    asked = {case.split("/")[2] for case in checked.verdicts["case"]}
    every = {"other_between", "threads", "inference", "second_backward", "accumulated", "shared"}
    lacks = {"torch": set[str](), "numpy": every - {"other_between", "threads"}}
    assert asked == every - lacks.get(framework, {"accumulated"})


# --- the first call ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off", "symptom"), [(1, {("7.3", "other bits")}), (40, {("1.1", "beyond the stable bound")})]
)
def test_a_first_call_that_answers_otherwise(off: int, symptom: set[tuple[str, str]]) -> None:
    """The call that compiles is answered too: what it gives is held against what a warm one gives."""
    seen: set[tuple[int, ...]] = set()

    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        s = e / e.sum(axis=-1, keepdims=True)
        if x.shape in seen:
            return s
        seen.add(x.shape)
        return (s.view(np.int32) - off).view(np.float32)

    checked = check(softmax, operator="softmax", framework="numpy", dtypes="float32", families="two_classes")
    broken = checked.verdicts.filter(checked.verdicts["status"] != "conforms")
    assert set(broken.select("clause", "symptom").iter_rows()) >= symptom
