"""TensorFlow: eager, as a graph, compiled by XLA, and in a 1.x session; gradients by its tapes."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import TENSORFLOW
from xent_conformance.frameworks.interface import (
    Array,
    Call,
    Implementation,
    NotOffered,
    Unsupported,
    holds_numbers,
    type_of,
)
from xent_conformance.frameworks.tensorflow_doors import FIRST, OTHERS
from xent_conformance.frameworks.tensorflow_layers import LAYERS
from xent_conformance.frameworks.tensorflow_names import keep_names, named

KEEPS_COMPILED = (2, 21)
"""The first version whose persistent cache was seen to give the same bits."""


class TensorFlow:
    """Needs ``tensorflow``. ``graph`` is ``tf.function`` around value and gradients, ``xla`` the same with
    ``jit_compile=True``, ``session`` a graph of the 1.x kind, fed and run.
    """

    name = "tensorflow"
    distribution = "tensorflow"
    imports: ClassVar[Sequence[str]] = ("tensorflow",)
    without: ClassVar[Sequence[str]] = ("jax", "keras")  # for its converter to phones, and for completion
    modes: ClassVar = {"eager": "quick", "xla": "quick", "graph": "standard", "session": "full"}
    compiling: ClassVar = frozenset({"xla"})
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {
        "xla": frozenset(i.name for i in FIRST),  # the others are the same computations to a compiler
        "graph": frozenset(i.name for i in (*FIRST, *LAYERS)),
        "session": frozenset(i.name for i in (*FIRST, *OTHERS) if i.formulation != "naive"),
    }
    variants: ClassVar = TENSORFLOW
    autodiff = True
    sparse = True
    moving = ("jvp", "hvp")
    states: ClassVar[Mapping[str, frozenset[str]]] = {
        "eager": frozenset({"other_between", "threads", "inference", "second_backward", "shared"})
    }  # a tape adds its gradients to nothing; tensors cannot be changed, and are not written back
    not_offered = (
        NotOffered(
            "gradients flow into the logits alone: the documentation of the function says so "
            "(https://www.tensorflow.org/api_docs/python/tf/compat/v1/nn/softmax_cross_entropy_with_logits)",
            implementations=(
                "tf.compat.v1.nn.softmax_cross_entropy_with_logits",
                "tf.compat.v1.losses.softmax_cross_entropy",
            ),
            outputs=("grad_labels",),
        ),
        NotOffered(
            "tf.gradients, which a session of TensorFlow 1 differentiates by, has no forward mode "
            "(https://www.tensorflow.org/api_docs/python/tf/gradients)",
            modes=("session",),
            outputs=("jvp",),
        ),
    )
    implementations: ClassVar[Sequence[Implementation]] = (*FIRST, *OTHERS, *LAYERS)

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self._tf = self._library = tf
        self._compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self._names_are_kept = False

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

    def keep_compiled(self, folder: str) -> None:
        """XLA's persistent cache. Older versions may not have it, and an unknown flag ends their process."""
        if tuple(map(int, self.version().split(".")[:2])) < KEEPS_COMPILED:
            return
        flags = (os.environ.get("TF_XLA_FLAGS", ""), f"--tf_xla_persistent_cache_directory={folder}")
        os.environ["TF_XLA_FLAGS"] = " ".join(filter(None, flags))
        self._names_are_kept = keep_names()

    def run(self, call: Call) -> Mapping[str, Array]:
        tf = self._tf
        with tf.device(call.device.replace("cuda", "GPU").upper()):
            if call.mode == "session":
                return dict(zip(call.outputs, self._in_session(call, call.given), strict=True))
            tensors = self._given(call)
            if call.sparse:
                tensors[0] = tf.sparse.from_dense(tensors[0])
            results = self._function(call, tensors)(*tensors)
            return {o: r.numpy() for o, r in zip(call.outputs, results, strict=True)}

    def _given(self, call: Call) -> list[Any]:
        """A tensor of each array. Of one that is given twice there are two, which have one memory: a tape
        knows a tensor by its name.
        """
        made: dict[int, Any] = {}
        tensors = []
        for array in call.given:
            if (before := made.get(id(array))) is None:
                made[id(array)] = self._tf.constant(array)
            tensors.append(made[id(array)] if before is None else self._tf.identity(before))
        return tensors

    def _in_session(self, call: Call, arrays: Sequence[Array]) -> Sequence[Array]:
        """A graph with placeholders and ``tf.gradients``, as in TensorFlow 1; ``hvp`` takes them twice."""
        v1 = self._tf.compat.v1
        with v1.Graph().as_default(), v1.Session() as session:
            fed = [v1.placeholder(a.dtype, a.shape) for a in arrays]
            *arguments, cotangent = fed if call.tangent is None else fed[:-1]
            if call.sparse:
                arguments[0] = self._tf.sparse.from_dense(arguments[0])
            value = call.implementation.call(self._tf, *arguments, **self._tensors(call, arguments[0]))
            if call.tangent is not None:
                (gradient,) = _connected(v1.gradients(value, arguments[:1], cotangent))
                (hvp,) = _connected(v1.gradients(gradient, arguments[:1], fed[-1]))
                return [session.run(hvp, dict(zip(fed, arrays, strict=True)))]
            by = {"grad_logits": arguments[0], "grad_labels": arguments[-1]}
            wanted = [by[o] for o in call.outputs if o != "value"]
            found = iter(_connected(v1.gradients(value, wanted, cotangent)) if wanted else ())
            asked = [value if o == "value" else next(found) for o in call.outputs]
            return list(session.run(asked, dict(zip(fed, arrays, strict=True))))

    def _tensors(self, call: Call, like: Any) -> dict[str, Any]:
        """The keywords; tensors of those that hold an entry a class."""
        tf = self._tf
        return {
            name: tf.constant(value, dtype=type_of(name, call.keywords, like.dtype.name))
            if holds_numbers(name, value)
            else value
            for name, value in call.keywords.items()
            if name != "weight_dtype"
        }

    def _function(self, call: Call, tensors: Sequence[Any]) -> Callable[..., Any]:
        """From logits, labels, cotangent (and tangent), the ``tensors``, to the outputs."""
        tf, outputs, state = self._tf, call.outputs, call.state

        def compute(x: Any, *labels: Any) -> Any:
            given = self._tensors(call, x)
            return call.implementation.call(self._library, x, *labels, **given)

        def gradients(*tensors: Any) -> list[Any]:
            *arguments, cotangent = tensors
            by = {"grad_logits": arguments[0], "grad_labels": arguments[-1]}
            wanted = [by[o] for o in outputs if o != "value"]
            if state == "inference":
                return [compute(*arguments)]
            with tf.GradientTape(persistent=state == "second_backward") as tape:
                for tensor in wanted:
                    tape.watch(tensor)
                value = compute(*arguments)
            if state == "second_backward":
                tape.gradient(value, wanted, output_gradients=cotangent)
            found = iter(
                _connected(tape.gradient(value, wanted, output_gradients=cotangent) if wanted else [])
            )
            return [value if o == "value" else next(found) for o in outputs]

        def along(x: Any, *rest: Any) -> list[Any]:
            """Forward mode, and reverse over reverse: each where it is wanted, for one may be lacking."""
            *labels, cotangent, tangent = rest

            def jvp() -> Any:
                with tf.autodiff.ForwardAccumulator(x, tangent) as accumulator:
                    value = compute(x, *labels)
                return accumulator.jvp(value)

            def hvp() -> Any:
                with tf.GradientTape() as outer:
                    outer.watch(x)
                    with tf.GradientTape() as inner:
                        inner.watch(x)
                        once = compute(x, *labels)
                    (gradient,) = _connected([inner.gradient(once, x, output_gradients=cotangent)])
                return _connected([outer.gradient(gradient, x, output_gradients=tangent)])[0]

            by = {"jvp": jvp, "hvp": hvp}
            return [by[o]() for o in outputs]

        function = gradients if call.tangent is None else along
        if call.mode == "eager":
            return function
        return self._traced(call, function, tensors)

    def _traced(self, call: Call, function: Callable[..., Any], tensors: Sequence[Any]) -> Callable[..., Any]:
        """The function as ``tf.function`` has it, made once.

        Nothing in it branches on a tensor, so autograph has nothing to convert: the graph is the same.
        """
        xla, of = call.mode == "xla", call.implementation
        key: tuple[Any, ...] = (of.name, of.operator, call.mode, call.outputs, tuple(call.keywords.items()))
        if keeps := xla and self._names_are_kept:
            key += (call.device, *((t.dtype.name, tuple(t.shape)) for t in tensors))
        if key not in self._compiled:
            made = named(function, key) if keeps else function
            self._compiled[key] = self._tf.function(
                made, jit_compile=xla, reduce_retracing=False, autograph=False
            )
        return self._compiled[key]


def _connected(gradients: Sequence[Any]) -> Sequence[Any]:
    if any(g is None for g in gradients):
        raise Unsupported("tf.GradientTape returned None: no gradient is connected")
    return gradients
