"""How calls of JAX, and of Optax's losses, are read: each reader has the parameters of its function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xent_conformance.capturing.recorded import Array, Inexpressible, Reader, Recorded


def _array(jax: Any, x: Any) -> Array:
    """The numbers of an array; a function that is traced has none."""
    if isinstance(x, jax.core.Tracer):
        raise Inexpressible(
            "it is traced, so it has no numbers yet: call it outside of jit, grad and vmap "
            "(JAX_DISABLE_JIT=1 takes jit away)"
        )
    return np.asarray(jax.numpy.asarray(x))


def _along(jax: Any, operator: str, x: Any, axis: Any, where: Any) -> Recorded:
    if where is not None:
        raise Inexpressible("where leaves elements out; a case has −inf for a class that is absent")
    if not isinstance(axis, int):
        raise Inexpressible(f"axis is {axis!r}: the classes are on one axis")
    return Recorded(operator, _array(jax, x), axis=axis)


def _softmax(jax: Any, x: Any, axis: Any = -1, where: Any = None, **_: Any) -> Recorded:
    return _along(jax, "softmax", x, axis, where)


def _log_softmax(jax: Any, x: Any, axis: Any = -1, where: Any = None, **_: Any) -> Recorded:
    return _along(jax, "log_softmax", x, axis, where)


def _logsumexp(
    jax: Any,
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Recorded:
    if b is not None or return_sign:
        raise Inexpressible("b and return_sign are another function: a sum of weighted exponentials")
    return _along(jax, "logsumexp", a, axis, where)


def _sigmoid(jax: Any, x: Any) -> Recorded:
    return Recorded("sigmoid", _array(jax, x))


def _log_sigmoid(jax: Any, x: Any) -> Recorded:
    return Recorded("log_sigmoid", _array(jax, x))


def _dense(jax: Any, logits: Any, labels: Any, axis: Any = -1, where: Any = None) -> Recorded:
    found = _along(jax, "softmax_cross_entropy", logits, axis, where)
    return Recorded(found.operator, found.logits, _array(jax, labels), found.axis)


def _index(jax: Any, logits: Any, labels: Any, axis: Any = -1, where: Any = None) -> Recorded:
    found = _along(jax, "sparse_softmax_cross_entropy", logits, axis, where)
    return Recorded(found.operator, found.logits, _array(jax, labels), found.axis)


def _binary(jax: Any, logits: Any, labels: Any) -> Recorded:
    x, z = _array(jax, logits), _array(jax, labels)
    return Recorded("sigmoid_cross_entropy", x, z.astype(x.dtype))  # as Optax does itself


class JaxCalls:
    """Needs ``jax``; Optax's losses are watched where it is installed."""

    doors: Mapping[str, Mapping[str, Reader]] = {
        "optax.losses": {
            "softmax_cross_entropy": _dense,
            "safe_softmax_cross_entropy": _dense,
            "softmax_cross_entropy_with_integer_labels": _index,
            "sigmoid_binary_cross_entropy": _binary,
        },
        "jax.nn": {
            "softmax": _softmax,
            "log_softmax": _log_softmax,
            "logsumexp": _logsumexp,
            "sigmoid": _sigmoid,
            "log_sigmoid": _log_sigmoid,
        },
    }

    def __init__(self) -> None:
        import jax
        import jax.nn
        import jax.scipy.special

        self.library = jax

    @property
    def version(self) -> str:
        return f"jax {self.library.__version__}"

    def finite(self, result: Any) -> bool:
        jax = self.library
        known = isinstance(result, jax.Array) and not isinstance(result, jax.core.Tracer)
        return not known or bool(jax.numpy.isfinite(result).all())
