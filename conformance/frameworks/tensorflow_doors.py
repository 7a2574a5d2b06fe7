"""The doors of TensorFlow: ``tf.nn``, ``tf.math``, the 1.x names, raw operators, formulations by hand."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.around import around
from xent_conformance.frameworks.interface import Formulation, Implementation

_AXIS = frozenset({"axis"})
_AXES = frozenset({"axis", "axes", "keepdims"})
_WEIGHTED = frozenset({"reduction", "row_weight"})

EPSILON = 1e-7
"""What people add or clip at; also Keras' own."""


def _door(
    name: str, operator: str, call: Any, formulation: Formulation = "fused", **more: Any
) -> Implementation:
    return Implementation(name, operator, formulation, call, since="standard", **more)


def _rows(reduction: str = "none", row_weight: Any = 1.0) -> Any:
    """How the 1.x losses reduce, as ``tf.compat.v1.losses.Reduction`` names it, and their weights of rows."""
    named = {
        "none": "none",
        "sum": "weighted_sum",
        "mean": "weighted_sum_over_batch_size",
        "weighted_mean": "weighted_mean",
    }
    return {"reduction": named[reduction], "weights": row_weight}


def _columns(tf: Any, x: Any, reduction: str = "none", row_weight: Any = None) -> Any:
    """The same for losses of elements: the weights of rows are a column."""
    return _rows(reduction, 1.0 if row_weight is None else tf.convert_to_tensor(row_weight, x.dtype)[:, None])


def _binary(tf: Any, z: Any, s: Any) -> Any:
    return -z * tf.math.log(s) - (1 - z) * tf.math.log(1 - s)


def _cast(tf: Any, x: Any, dtype: Any) -> Any:
    return tf.cast(x, dtype)


def _hide(tf: Any, x: Any, mask: Any) -> Any:
    return tf.where(mask, x, float("-inf"))


_SOFTMAX, _LOG, _SUM = "softmax", "log_softmax", "logsumexp"
_CE, _SPARSE = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_SIGMOID, _LOG_SIGMOID, _BINARY = "sigmoid", "log_sigmoid", "sigmoid_cross_entropy"
_GIVEN_BINARY = "binary_cross_entropy"
_CLASSES = frozenset({_SOFTMAX, _LOG, _SUM, _CE, _SPARSE})

_FIRST = (
    Implementation(
        "tf.nn.softmax",
        "softmax",
        "fused",
        lambda tf, x, axis=-1: tf.nn.softmax(x, axis=axis),
        takes=_AXIS,
    ),
    Implementation(
        "tf.nn.log_softmax",
        "log_softmax",
        "fused",
        lambda tf, x, axis=-1: tf.nn.log_softmax(x, axis=axis),
        takes=_AXIS,
    ),
    Implementation(
        "tf.reduce_logsumexp",
        "logsumexp",
        "composed",
        lambda tf, x, axis=-1, **kept: tf.reduce_logsumexp(x, axis=axis, **kept),
        takes=_AXES,
    ),
    Implementation(
        "tf.nn.softmax_cross_entropy_with_logits",
        "softmax_cross_entropy",
        "fused",
        lambda tf, x, p, axis=-1: tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x, axis=axis),
        note="documents its gradient as softmax − labels, which is the derivative only for labels "
        "that sum to one",
        takes=_AXIS,
    ),
    Implementation(
        "tf.nn.sparse_softmax_cross_entropy_with_logits",
        "sparse_softmax_cross_entropy",
        "fused",
        lambda tf, x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x),
        class_axis="last",
    ),
    Implementation("tf.nn.sigmoid", "sigmoid", "fused", lambda tf, x: tf.nn.sigmoid(x)),
    Implementation("tf.math.log_sigmoid", "log_sigmoid", "composed", lambda tf, x: tf.math.log_sigmoid(x)),
    Implementation(
        "tf.nn.sigmoid_cross_entropy_with_logits",
        "sigmoid_cross_entropy",
        "composed",
        lambda tf, x, z: tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x),
    ),
    Implementation(
        "tf.nn.weighted_cross_entropy_with_logits",
        "sigmoid_cross_entropy",
        "composed",
        lambda tf, x, z, **given: tf.nn.weighted_cross_entropy_with_logits(
            labels=z, logits=x, **{"pos_weight": 1.0, **given}
        ),
        takes=frozenset({"pos_weight", "weight_dtype"}),
    ),
)

FIRST = tuple(around(door, _cast, _hide if door.operator in _CLASSES else None) for door in _FIRST)
"""What most users call. ``tf.compat.v2.nn`` has the same functions under the same names."""

OTHERS = (
    _door("tf.math.softmax", _SOFTMAX, lambda tf, x, axis=-1: tf.math.softmax(x, axis=axis), takes=_AXIS),
    _door("tf.raw_ops.Softmax", _SOFTMAX, lambda tf, x: tf.raw_ops.Softmax(logits=x)),
    _door(
        "tf.exp/reduce_sum",
        _SOFTMAX,
        lambda tf, x: tf.exp(x) / tf.reduce_sum(tf.exp(x), -1, keepdims=True),
        "naive",
    ),
    _door("tf.math.log_softmax", _LOG, lambda tf, x, axis=-1: tf.math.log_softmax(x, axis=axis), takes=_AXIS),
    _door("tf.raw_ops.LogSoftmax", _LOG, lambda tf, x: tf.raw_ops.LogSoftmax(logits=x)),
    _door("tf.nn.softmax+log", _LOG, lambda tf, x: tf.math.log(tf.nn.softmax(x)), "naive"),
    _door(
        "tf.math.reduce_logsumexp",
        _SUM,
        lambda tf, x, axis=-1, **kept: tf.math.reduce_logsumexp(x, axis=axis, **kept),
        "composed",
        takes=_AXES,
    ),
    _door(
        "tf.compat.v1.nn.softmax_cross_entropy_with_logits",
        _CE,
        lambda tf, x, p, axis=-1: tf.compat.v1.nn.softmax_cross_entropy_with_logits(
            labels=p, logits=x, dim=axis
        ),
        note="labels receive no gradient",
        takes=_AXIS,
    ),
    _door(
        "tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2",
        _CE,
        lambda tf, x, p, axis=-1: tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2(
            labels=p, logits=x, axis=axis
        ),
        takes=_AXIS,
    ),
    _door(
        "tf.compat.v1.losses.softmax_cross_entropy",
        _CE,
        lambda tf, x, p, label_smoothing=0.0, **given: tf.compat.v1.losses.softmax_cross_entropy(
            p, x, label_smoothing=label_smoothing, **_rows(**given)
        ),
        note="labels receive no gradient",
        takes=_WEIGHTED | {"label_smoothing"},
    ),
    _door(
        "tf.raw_ops.SoftmaxCrossEntropyWithLogits",
        _CE,
        lambda tf, x, p: tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=x, labels=p)[0],
    ),
    _door(
        "tf.nn.log_softmax*p", _CE, lambda tf, x, p: -tf.reduce_sum(p * tf.nn.log_softmax(x), -1), "composed"
    ),
    _door(
        "tf.nn.softmax+log*p",
        _CE,
        lambda tf, x, p: -tf.reduce_sum(p * tf.math.log(tf.nn.softmax(x)), -1),
        "naive",
    ),
    _door(
        "tf.nn.softmax+epsilon+log*p",
        _CE,
        lambda tf, x, p: -tf.reduce_sum(p * tf.math.log(tf.nn.softmax(x) + EPSILON), -1),
        "naive",
    ),
    _door(
        "tf.nn.softmax+clip+log*p",
        _CE,
        lambda tf, x, p: (
            -tf.reduce_sum(p * tf.math.log(tf.clip_by_value(tf.nn.softmax(x), EPSILON, 1 - EPSILON)), -1)
        ),
        "naive",
    ),
    _door(
        "tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax)",
        _CE,
        lambda tf, x, p: tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=tf.nn.softmax(x)),
        "naive",
        note="softmax applied twice: the negative control",
    ),
    _door(
        "tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits",
        _SPARSE,
        lambda tf, x, y: tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x),
        class_axis="last",
    ),
    _door(
        "tf.compat.v1.losses.sparse_softmax_cross_entropy",
        _SPARSE,
        lambda tf, x, y, **given: tf.compat.v1.losses.sparse_softmax_cross_entropy(y, x, **_rows(**given)),
        class_axis="last",
        takes=_WEIGHTED,
    ),
    _door(
        "tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits",
        _SPARSE,
        lambda tf, x, y: tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=x, labels=y)[0],
    ),
    _door("tf.math.sigmoid", _SIGMOID, lambda tf, x: tf.math.sigmoid(x)),
    _door("tf.raw_ops.Sigmoid", _SIGMOID, lambda tf, x: tf.raw_ops.Sigmoid(x=x)),
    _door("tf.nn.softplus", _LOG_SIGMOID, lambda tf, x: -tf.nn.softplus(-x), "composed"),
    _door("tf.nn.sigmoid+log", _LOG_SIGMOID, lambda tf, x: tf.math.log(tf.nn.sigmoid(x)), "naive"),
    _door(
        "tf.compat.v1.losses.sigmoid_cross_entropy",
        _BINARY,
        lambda tf, x, z, label_smoothing=0.0, **given: tf.compat.v1.losses.sigmoid_cross_entropy(
            z, x, label_smoothing=label_smoothing, **_columns(tf, x, **given)
        ),
        "composed",
        note="labels receive no gradient",
        takes=_WEIGHTED | {"label_smoothing"},
    ),
    _door(
        "tf.compat.v1.losses.log_loss",
        _GIVEN_BINARY,
        lambda tf, p, z, **given: tf.compat.v1.losses.log_loss(z, p, **_columns(tf, p, **given)),
        "naive",
        note="documents an epsilon of 1e-7 that is added to each probability",
        documented="an epsilon added to probabilities",
        takes=_WEIGHTED,
    ),
    _door(
        "tf.math.xlogy+xlog1py",
        _GIVEN_BINARY,
        lambda tf, p, z: -tf.math.xlogy(z, p) - tf.math.xlog1py(1 - z, -p),
        "composed",
    ),
    _door(
        "tf.math.xlogy+sum",
        "categorical_cross_entropy",
        lambda tf, p, t, axis=-1: -tf.reduce_sum(tf.math.xlogy(t, p), axis),
        "composed",
        takes=_AXIS,
    ),
    _door(
        "tf.gather+log",
        "sparse_categorical_cross_entropy",
        lambda tf, p, y: -tf.math.log(tf.gather(p, y, batch_dims=1)),
        "composed",
    ),
    _door("tf.math.log", _GIVEN_BINARY, lambda tf, p, z: _binary(tf, z, p), "naive"),
    _door("tf.nn.sigmoid+log*z", _BINARY, lambda tf, x, z: _binary(tf, z, tf.nn.sigmoid(x)), "naive"),
)
"""Other doors to the same functions, and what formulations cost in accuracy (asked from ``standard`` on)."""
