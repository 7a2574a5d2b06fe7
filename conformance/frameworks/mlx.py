"""MLX on its CPU (or Metal) device: values, and gradients by ``mx.vjp`` and ``mx.jvp``."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Array, Call, Glance, Implementation, dtype_of

_AXIS = frozenset({"axis"})


def _losses(mlx: Any) -> Any:
    return mlx.nn.losses


class Mlx:
    """Needs ``mlx`` (on Linux ``mlx[cpu]``)."""

    name = "mlx"
    distribution = "mlx"
    imports: ClassVar[Sequence[str]] = ("mlx",)
    modes: ClassVar = {"eager": "standard"}
    glances: ClassVar = {"eager": Glance(("mlx.nn.losses.cross_entropy:indices",))}
    autodiff = True
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    moving = ("jvp", "hvp")
    implementations = (
        Implementation(
            "mlx.core.softmax", "softmax", "fused",
            lambda mlx, x, axis=-1: mlx.core.softmax(x, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "mlx.nn.log_softmax", "log_softmax", "fused",
            lambda mlx, x, axis=-1: mlx.nn.log_softmax(x, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "mlx.core.logsumexp", "logsumexp", "fused",
            lambda mlx, x, axis=-1: mlx.core.logsumexp(x, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "mlx.nn.losses.cross_entropy:probabilities", "softmax_cross_entropy", "fused",
            lambda mlx, x, p, axis=-1: _losses(mlx).cross_entropy(x, p, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "mlx.nn.losses.cross_entropy:indices", "sparse_softmax_cross_entropy", "fused",
            lambda mlx, x, y, axis=-1: _losses(mlx).cross_entropy(x, y, axis=axis), takes=_AXIS,
        ),
        Implementation("mlx.core.sigmoid", "sigmoid", "fused", lambda mlx, x: mlx.core.sigmoid(x)),
        Implementation("mlx.nn.log_sigmoid", "log_sigmoid", "fused", lambda mlx, x: mlx.nn.log_sigmoid(x)),
        Implementation(
            "mlx.nn.losses.binary_cross_entropy", "sigmoid_cross_entropy", "fused",
            lambda mlx, x, z: _losses(mlx).binary_cross_entropy(x, z, with_logits=True, reduction="none"),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        import mlx
        import mlx.core
        import mlx.nn

        self._mlx = mlx
        self._devices = {"cpu": mlx.core.cpu}
        if mlx.core.metal.is_available():
            self._devices["metal"] = mlx.core.gpu

    def version(self) -> str:
        return str(self._mlx.core.__version__)

    def environment(self) -> Mapping[str, str]:
        return {"machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return list(self._devices)

    def run(self, call: Call) -> Mapping[str, Array]:
        with self._mlx.core.stream(self._devices[call.device]):
            x, *labels = (self._tensor(a) for a in call.arguments)
            cotangent = self._tensor(call.cotangent)

            def compute(*tensors: Any) -> Any:
                return call.implementation.call(self._mlx, *tensors, **call.keywords)

            if call.tangent is None:
                found = self._gradients(compute, x, labels, cotangent, call.outputs)
            else:
                found = self._along(compute, x, labels, cotangent, self._tensor(call.tangent), call.outputs)
            return {o: self._array(found[o]) for o in call.outputs}

    def _gradients(
        self, compute: Callable[..., Any], x: Any, labels: list[Any], cotangent: Any, outputs: Sequence[str]
    ) -> dict[str, Any]:
        if outputs == ("value",):
            return {"value": compute(x, *labels)}
        if "grad_labels" in outputs:
            (value,), (by_logits, by_labels) = self._mlx.core.vjp(compute, [x, *labels], [cotangent])
            return {"value": value, "grad_logits": by_logits, "grad_labels": by_labels}
        (value,), (by_logits,) = self._mlx.core.vjp(lambda x: compute(x, *labels), [x], [cotangent])
        return {"value": value, "grad_logits": by_logits}

    def _along(
        self,
        compute: Callable[..., Any],
        x: Any,
        labels: list[Any],
        cotangent: Any,
        tangent: Any,
        outputs: Sequence[str],
    ) -> dict[str, Any]:
        """Forward mode, and reverse over reverse: each where it is wanted, for one may be lacking."""
        core = self._mlx.core

        def value(x: Any) -> Any:
            return compute(x, *labels)

        def gradient(x: Any) -> Any:
            return core.vjp(value, [x], [cotangent])[1][0]

        by = {"jvp": (core.jvp, value), "hvp": (core.vjp, gradient)}
        return {o: along(of, [x], [tangent])[1][0] for o, (along, of) in by.items() if o in outputs}

    def _tensor(self, array: Array) -> Any:
        core = self._mlx.core
        if array.dtype.name == "bfloat16":
            return core.array(np.ascontiguousarray(array).view(np.uint16)).view(core.bfloat16)
        if array.dtype == np.float64:
            return core.array(np.asarray(array), dtype=core.float64)
        return core.array(np.asarray(array))

    def _array(self, tensor: Any) -> Array:
        core = self._mlx.core
        if tensor.dtype == core.bfloat16:
            bits: Array = np.array(tensor.view(core.uint16))
            return bits.view(dtype_of("bfloat16"))
        array: Array = np.array(tensor)
        return array
