"""TensorFlow. Values by ``tf.nn``, gradients by ``tf.GradientTape``, eagerly and compiled by XLA."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from conformance.frameworks.interface import Array, Call, Implementation, Unsupported


class TensorFlow:
    """Needs ``tensorflow``; ``xla`` is ``tf.function(jit_compile=True)`` around value and gradients."""

    name = "tensorflow"
    distribution = "tensorflow"
    modes: ClassVar = {"eager": "quick", "xla": "quick"}
    autodiff = True
    implementations = (
        Implementation("tf.nn.softmax", "softmax", "fused", lambda tf, x: tf.nn.softmax(x)),
        Implementation("tf.nn.log_softmax", "log_softmax", "fused", lambda tf, x: tf.nn.log_softmax(x)),
        Implementation(
            "tf.reduce_logsumexp", "logsumexp", "composed", lambda tf, x: tf.reduce_logsumexp(x, axis=-1)
        ),
        Implementation(
            "tf.nn.softmax_cross_entropy_with_logits", "softmax_cross_entropy", "fused",
            lambda tf, x, p: tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x),
            note="documents its gradient as softmax − labels, which is the derivative only for labels "
            "that sum to one",
        ),
        Implementation(
            "tf.nn.sparse_softmax_cross_entropy_with_logits", "sparse_softmax_cross_entropy", "fused",
            lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x),
        ),
        Implementation("tf.nn.sigmoid", "sigmoid", "fused", lambda tf, x: tf.nn.sigmoid(x)),
        Implementation(
            "tf.math.log_sigmoid", "log_sigmoid", "composed", lambda tf, x: tf.math.log_sigmoid(x)
        ),
        Implementation(
            "tf.nn.sigmoid_cross_entropy_with_logits", "sigmoid_cross_entropy", "composed",
            lambda tf, x, z: tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self._tf = tf
        self._compiled: dict[tuple[Implementation, tuple[str, ...]], Callable[..., Any]] = {}

    def version(self) -> str:
        return str(self._tf.__version__)

    def environment(self) -> Mapping[str, str]:
        build = self._tf.sysconfig.get_build_info()
        return {
            "threads": "1",
            "oneDNN": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
            "cuda build": str(build.get("is_cuda_build", False)),
            "machine": platform.machine(),
        } | {f"cuda:{i}": d.name for i, d in enumerate(self._tf.config.list_physical_devices("GPU"))}

    def devices(self) -> Sequence[str]:
        gpus = self._tf.config.list_logical_devices("GPU")
        return ["cpu", *(f"cuda:{i}" for i in range(len(gpus)))]

    def run(self, call: Call) -> Mapping[str, Array]:
        tf = self._tf
        with tf.device(call.device.replace("cuda", "GPU").upper()):
            tensors = [tf.constant(a) for a in (*call.arguments, call.cotangent)]
            results = self._function(call.implementation, call.mode, call.outputs)(*tensors)
            return {o: r.numpy() for o, r in zip(call.outputs, results, strict=True)}

    def _function(
        self, implementation: Implementation, mode: str, outputs: tuple[str, ...]
    ) -> Callable[..., Any]:
        tf = self._tf

        def eager(*tensors: Any) -> list[Any]:
            *arguments, cotangent = tensors
            by = {"grad_logits": arguments[0], "grad_labels": arguments[-1]}
            wanted = [by[o] for o in outputs if o != "value"]
            with tf.GradientTape() as tape:
                for tensor in wanted:
                    tape.watch(tensor)
                value = implementation.call(tf, *arguments)
            gradients = tape.gradient(value, wanted, output_gradients=cotangent) if wanted else []
            if any(g is None for g in gradients):
                raise Unsupported("tf.GradientTape returned None: no gradient is connected")
            found = iter(gradients)
            return [value if o == "value" else next(found) for o in outputs]

        if mode == "eager":
            return eager
        key = (implementation, outputs)
        if key not in self._compiled:
            self._compiled[key] = tf.function(eager, jit_compile=True, reduce_retracing=False)
        return self._compiled[key]
