"""How calls of TensorFlow are read: each reader has the parameters of its function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xent_conformance.capturing.recorded import (
    Array,
    Inexpressible,
    Reader,
    Recorded,
    given,
    per_class,
)


def _array(tf: Any, x: Any, dtype: Any = None) -> Array:
    """The numbers of a tensor; a graph that is being built has none."""
    tensor = tf.convert_to_tensor(x, dtype=dtype)
    if not hasattr(tensor, "numpy"):
        raise Inexpressible(
            "it is part of a graph, so it has no numbers yet: call it outside of tf.function, or run with "
            "tf.config.run_functions_eagerly(True)"
        )
    return np.asarray(tensor.numpy())


def _along(tf: Any, operator: str, x: Any, axis: Any) -> Recorded:
    if axis is not None and not isinstance(axis, int):
        raise Inexpressible(f"axis is {axis!r}: the classes are on one axis")
    return Recorded(operator, _array(tf, x), axis=-1 if axis is None else axis)


def _softmax(tf: Any, logits: Any, axis: Any = None, name: Any = None) -> Recorded:
    return _along(tf, "softmax", logits, axis)


def _log_softmax(tf: Any, logits: Any, axis: Any = None, name: Any = None) -> Recorded:
    return _along(tf, "log_softmax", logits, axis)


def _logsumexp(
    tf: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None
) -> Recorded:
    if not isinstance(axis, int):
        raise Inexpressible(f"axis is {axis!r}: the classes are on one axis")
    return _along(tf, "logsumexp", input_tensor, axis)


def _sigmoid(tf: Any, x: Any, name: Any = None) -> Recorded:
    return Recorded("sigmoid", _array(tf, x))


def _log_sigmoid(tf: Any, x: Any, name: Any = None) -> Recorded:
    return Recorded("log_sigmoid", _array(tf, x))


def _dense(tf: Any, labels: Any, logits: Any, axis: int = -1, name: Any = None) -> Recorded:
    found = _along(tf, "softmax_cross_entropy", logits, axis)
    return Recorded(found.operator, found.logits, _array(tf, labels, found.logits.dtype), found.axis)


def _index(tf: Any, labels: Any, logits: Any, name: Any = None) -> Recorded:
    return Recorded("sparse_softmax_cross_entropy", _array(tf, logits), _array(tf, labels))


def _binary(tf: Any, labels: Any = None, logits: Any = None, name: Any = None) -> Recorded:
    x = _array(tf, logits)
    return Recorded("sigmoid_cross_entropy", x, _array(tf, labels, x.dtype))


def _weighted(tf: Any, labels: Any, logits: Any, pos_weight: Any, name: Any = None) -> Recorded:
    x = _array(tf, logits)
    weight = per_class(_array(tf, pos_weight, x.dtype), x, "pos_weight")
    return Recorded(
        "sigmoid_cross_entropy", x, _array(tf, labels, x.dtype), attributes=given(pos_weight=weight)
    )


class TensorFlowCalls:
    """Needs ``tensorflow``."""

    doors: Mapping[str, Mapping[str, Reader]] = {
        "tensorflow.nn": {
            "softmax": _softmax,
            "log_softmax": _log_softmax,
            "sigmoid": _sigmoid,
            "softmax_cross_entropy_with_logits": _dense,
            "sparse_softmax_cross_entropy_with_logits": _index,
            "sigmoid_cross_entropy_with_logits": _binary,
            "weighted_cross_entropy_with_logits": _weighted,
        },
        "tensorflow.math": {"log_sigmoid": _log_sigmoid, "reduce_logsumexp": _logsumexp},
    }

    def __init__(self) -> None:
        import tensorflow

        self.library = tensorflow

    @property
    def version(self) -> str:
        return f"tensorflow {self.library.__version__}"

    def finite(self, result: Any) -> bool:
        return not hasattr(result, "numpy") or bool(self.library.math.is_finite(result).numpy().all())
