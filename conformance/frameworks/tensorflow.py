"""TensorFlow. Values by ``tf.nn``, gradients by ``tf.GradientTape``, eagerly and compiled by XLA."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from conformance.frameworks.interface import Array, Call, Implementation, Unsupported

_AXIS = frozenset({"axis"})


class TensorFlow:
    """Needs ``tensorflow``; ``xla`` is ``tf.function(jit_compile=True)`` around value and gradients."""

    name = "tensorflow"
    distribution = "tensorflow"
    modes: ClassVar = {"eager": "quick", "xla": "quick"}
    autodiff = True
    moving = ("jvp", "hvp")
    implementations = (
        Implementation(
            "tf.nn.softmax", "softmax", "fused", lambda tf, x, axis=-1: tf.nn.softmax(x, axis=axis),
            takes=_AXIS,
        ),
        Implementation(
            "tf.nn.log_softmax", "log_softmax", "fused",
            lambda tf, x, axis=-1: tf.nn.log_softmax(x, axis=axis),
            takes=_AXIS,
        ),
        Implementation(
            "tf.reduce_logsumexp", "logsumexp", "composed",
            lambda tf, x, axis=-1: tf.reduce_logsumexp(x, axis=axis),
            takes=_AXIS,
        ),
        Implementation(
            "tf.nn.softmax_cross_entropy_with_logits", "softmax_cross_entropy", "fused",
            lambda tf, x, p, axis=-1: tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x, axis=axis),
            note="documents its gradient as softmax − labels, which is the derivative only for labels "
            "that sum to one",
            takes=_AXIS,
        ),
        Implementation(
            "tf.nn.sparse_softmax_cross_entropy_with_logits", "sparse_softmax_cross_entropy", "fused",
            lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x),
            class_axis="last",
        ),
        Implementation("tf.nn.sigmoid", "sigmoid", "fused", lambda tf, x: tf.nn.sigmoid(x)),
        Implementation(
            "tf.math.log_sigmoid", "log_sigmoid", "composed", lambda tf, x: tf.math.log_sigmoid(x)
        ),
        Implementation(
            "tf.nn.sigmoid_cross_entropy_with_logits", "sigmoid_cross_entropy", "composed",
            lambda tf, x, z: tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x),
        ),
        Implementation(
            "tf.nn.weighted_cross_entropy_with_logits", "sigmoid_cross_entropy", "composed",
            lambda tf, x, z, pos_weight=1.0: tf.nn.weighted_cross_entropy_with_logits(
                labels=z, logits=x, pos_weight=pos_weight
            ),
            takes=frozenset({"pos_weight"}),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self._tf = tf
        self._compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}

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
        moving = [] if call.tangent is None else [call.tangent]
        with tf.device(call.device.replace("cuda", "GPU").upper()):
            tensors = [tf.constant(a) for a in (*call.arguments, call.cotangent, *moving)]
            results = self._function(call)(*tensors)
            return {o: r.numpy() for o, r in zip(call.outputs, results, strict=True)}

    def _function(self, call: Call) -> Callable[..., Any]:
        """From logits, labels, cotangent (and tangent) to the outputs; compiled once where it is."""
        tf, outputs = self._tf, call.outputs

        def compute(x: Any, *labels: Any) -> Any:
            given = {
                name: tf.constant(value, dtype=x.dtype) if isinstance(value, tuple) else value
                for name, value in call.keywords.items()
            }
            return call.implementation.call(tf, x, *labels, **given)

        def gradients(*tensors: Any) -> list[Any]:
            *arguments, cotangent = tensors
            by = {"grad_logits": arguments[0], "grad_labels": arguments[-1]}
            wanted = [by[o] for o in outputs if o != "value"]
            with tf.GradientTape() as tape:
                for tensor in wanted:
                    tape.watch(tensor)
                value = compute(*arguments)
            found = iter(
                _connected(tape.gradient(value, wanted, output_gradients=cotangent) if wanted else [])
            )
            return [value if o == "value" else next(found) for o in outputs]

        def along(x: Any, *rest: Any) -> list[Any]:
            """Forward mode, and reverse over reverse."""
            *labels, cotangent, tangent = rest
            with tf.autodiff.ForwardAccumulator(x, tangent) as accumulator:
                value = compute(x, *labels)
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    once = compute(x, *labels)
                (gradient,) = _connected([inner.gradient(once, x, output_gradients=cotangent)])
            (hvp,) = _connected([outer.gradient(gradient, x, output_gradients=tangent)])
            found = {"jvp": accumulator.jvp(value), "hvp": hvp}
            return [found[o] for o in outputs]

        function = gradients if call.tangent is None else along
        if call.mode == "eager":
            return function
        key = (call.implementation, outputs, tuple(call.keywords.items()))
        if key not in self._compiled:
            self._compiled[key] = tf.function(function, jit_compile=True, reduce_retracing=False)
        return self._compiled[key]


def _connected(gradients: Sequence[Any]) -> Sequence[Any]:
    if any(g is None for g in gradients):
        raise Unsupported("tf.GradientTape returned None: no gradient is connected")
    return gradients
