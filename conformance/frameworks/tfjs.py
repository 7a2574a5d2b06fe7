"""TensorFlow.js in a browser: its functions of JavaScript, and its gradients.

It computes in JavaScript and in WebAssembly on the CPU, by WebGL and by WebGPU, which are its backends. What
an implementation is called with stands here as it stands in a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import TFJS
from xent_conformance.frameworks.browser import Page, backend_of, devices, package
from xent_conformance.frameworks.interface import Array, Call, Formulation, Implementation, NotOffered

VERSION = "4.22.0"
"""What is installed where nobody says which."""

TFJS_PACKAGE = "@tensorflow/tfjs"
SCRIPTS = {
    TFJS_PACKAGE: "tf.min.js",
    "@tensorflow/tfjs-backend-wasm": "tf-backend-wasm.min.js",
    "@tensorflow/tfjs-backend-webgpu": "tf-backend-webgpu.min.js",
}
"""By package, what is loaded of it."""

START = """async ({ backend }) => {
  if (tf.getBackend() === backend) return;
  tf.wasm.setWasmPaths("/@tensorflow/tfjs-backend-wasm/dist/");
  tf.wasm.setThreadsCount(1);
  // a GPU's answers are a GPU's: by itself it takes the CPU for small tensors
  tf.env().set("WEBGL_CPU_FORWARD", false);
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  if (!(await tf.setBackend(backend))) throw Error(`the backend ${backend} does not start`);
  await tf.ready();
}"""

RUN = """async ({ x, y, cotangent, gradients, given }) => {
  const tensor = ({ dtype, shape, data }) => tf.tensor(data, shape, dtype);
  const found = async (t) => ({ dtype: t.dtype, shape: t.shape, data: await t.data() });
  const compute = %s;
  tf.engine().startScope();
  try {
    const of = y ? [tensor(x), tensor(y)] : [tensor(x)];
    if (!gradients.length) return { value: await found(compute(...of, given)) };
    const by = gradients.includes("grad_labels") ? of : of.slice(0, 1);
    const loss = (...moved) => compute(...moved, ...of.slice(moved.length), given);
    const { value, grads } = tf.valueAndGrads(loss)(by, tensor(cotangent));
    const [grad_logits, grad_labels] = await Promise.all(grads.map(found));
    return { value: await found(value), grad_logits, ...(grad_labels && { grad_labels }) };
  } finally {
    tf.engine().endScope();
  }
}"""

_AXES = frozenset({"axis", "axes", "keepdims"})
_LOSS = frozenset({"label_smoothing", "reduction"})
_REDUCED = "{ none: tf.Reduction.NONE, sum: tf.Reduction.SUM, mean: tf.Reduction.MEAN }[reduction]"


def _door(
    name: str, operator: str, call: str, formulation: Formulation = "fused", **more: Any
) -> Implementation:
    return Implementation(f"tfjs:{name}", operator, formulation, lambda _tf, **_given: call, **more)


def _loss(name: str) -> str:
    return (
        '(x, p, { label_smoothing = 0, reduction = "none" }) => '
        f"{name}(p, x, undefined, label_smoothing, {_REDUCED})"
    )


class TfJs:
    """Needs ``playwright``, npm's ``@tensorflow/tfjs`` with its backends, and Chromium; one thread."""

    name = "tfjs"
    distribution = "tfjs"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = TFJS
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between", "inference"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        _door("tf.softmax", "softmax", "(x) => tf.softmax(x)", class_axis="last"),
        _door("tf.logSoftmax", "log_softmax", "(x) => tf.logSoftmax(x)", class_axis="last"),
        _door(
            "tf.logSumExp", "logsumexp",
            "(x, { axis = -1, keepdims = false }) => tf.logSumExp(x, axis, keepdims)", takes=_AXES,
        ),
        _door("tf.sigmoid", "sigmoid", "(x) => tf.sigmoid(x)"),
        _door("tf.logSigmoid", "log_sigmoid", "(x) => tf.logSigmoid(x)"),
        _door(
            "tf.losses.softmaxCrossEntropy", "softmax_cross_entropy", _loss("tf.losses.softmaxCrossEntropy"),
            takes=_LOSS, class_axis="last",
        ),
        _door(
            "tf.losses.sigmoidCrossEntropy", "sigmoid_cross_entropy", _loss("tf.losses.sigmoidCrossEntropy"),
            takes=_LOSS,
        ),
    )  # fmt: skip
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "a tensor is of float32, of int32, of bool, of complex64 or of strings "
            "(https://js.tensorflow.org/api/latest/#tensor)",
            dtypes=("float64", "float16", "bfloat16"),
        ),
    )

    def __init__(self) -> None:
        self._versions = {name: package(name, VERSION) for name in SCRIPTS}
        self._page = Page([f"{name}/dist/{script}" for name, script in SCRIPTS.items()])
        self._devices = devices(self._page)

    def version(self) -> str:
        return self._versions[TFJS_PACKAGE]

    def environment(self) -> Mapping[str, str]:
        gpus = {f"gpu of {device}": name for device, name in self._devices.items() if name}
        return {"threads": "1", "browser": self._page.browser, **gpus}

    def devices(self) -> Sequence[str]:
        return list(self._devices)

    def run(self, call: Call) -> Mapping[str, Array]:
        self._page.ask(START, backend=backend_of(call.device))
        found: Mapping[str, Array] = self._page.ask(
            RUN % call.implementation.call(None),
            x=_dense(call.logits),
            y=None if call.labels is None else _dense(call.labels),
            cotangent=_dense(call.cotangent),
            gradients=[output for output in call.outputs if output.startswith("grad")],
            given=dict(call.keywords),
        )
        return {output: found[output] for output in call.outputs if output in found}


def _dense(array: Array) -> Array:
    return np.array(array, order="C")
