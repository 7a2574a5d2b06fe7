"""NumPy: what people write by hand. The shifted formulas, and the naive ones as a control.

NumPy has no autodiff, so only values are asked, and no bfloat16.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered


def _shifted(np: Any, x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def _naive(np: Any, x: Array) -> Array:
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def _log_softmax(np: Any, x: Array) -> Array:
    d = x - x.max(axis=-1, keepdims=True)
    return d - np.log(np.exp(d).sum(axis=-1, keepdims=True))  # type: ignore[no-any-return]


def _take(a: Array, y: Array) -> Array:
    return a[range(len(y)), y]


def _divergence(np: Any, x: Array, p: Array) -> Array:
    """The terms of a positive target; a zero one has none."""
    log_p = np.log(np.where(p > 0, p, 1))
    return np.where(p == 0, 0, p * (log_p - x)).sum(axis=-1)  # type: ignore[no-any-return]


def _given(np: Any, p: Array, t: Array) -> Array:
    """The terms of a label; one of zero has none, unless there is NaN."""
    nothing = np.where(np.isnan(p), p, 0)
    return -np.where(t == 0, nothing, t * np.log(p)).sum(axis=-1)  # type: ignore[no-any-return]


def _given_binary(np: Any, p: Array, z: Array) -> Array:
    """Two terms; one that a label takes away is none."""
    positive, negative = np.where(z == 0, 1, p), np.where(z == 1, 0, p)
    lost = np.where(np.isnan(p), p, 0)
    return lost - z * np.log(positive) - (1 - z) * np.log1p(-negative)  # type: ignore[no-any-return]


def _log_target(np: Any, x: Array, t: Array) -> Array:
    """The terms of a target; one of −∞ has none, unless there is NaN."""
    gone = t == -np.inf
    return np.where(gone, np.where(np.isnan(x), x, 0), np.exp(t) * (t - np.where(gone, 0, x))).sum(axis=-1)  # type: ignore[no-any-return]


def _relative_entropy(np: Any, q: Array, p: Array) -> Array:
    """0 of a target of zero, +∞ outside of the domain."""
    there = (p > 0) & (q > 0)
    known = np.where(there, p, 1) * (np.log(np.where(there, p, 1)) - np.log(np.where(there, q, 1)))
    lost = np.where(np.isnan(p), p, np.where(np.isnan(q), q, np.inf))
    return np.where(there, known, np.where((p == 0) & (q >= 0), 0, lost)).astype(q.dtype)  # type: ignore[no-any-return]


class NumPy:
    """Needs ``numpy``, which the suite has anyway."""

    name = "numpy"
    distribution = "numpy"
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    layouts: ClassVar = frozenset(
        {
            "transposed",
            "strided",
            "sliced",
            "misaligned",
            "reversed",
            "broadcast",
            "cotangent_broadcast",
            "logits_broadcast",
        }
    )
    states: ClassVar[Mapping[str, frozenset[str]]] = {
        "eager": frozenset({"other_between", "threads", "shared"})
    }
    implementations = (
        Implementation("numpy:softmax-shifted", "softmax", "composed", _shifted),
        Implementation("numpy:softmax-naive", "softmax", "naive", _naive),
        Implementation("numpy:log_softmax-shifted", "log_softmax", "composed", _log_softmax),
        Implementation(
            "numpy:log_softmax-log-of-shifted", "log_softmax", "naive", lambda np, x: np.log(_shifted(np, x))
        ),
        Implementation(
            "numpy:log_softmax-naive", "log_softmax", "naive", lambda np, x: np.log(_naive(np, x))
        ),
        Implementation(
            "numpy:logsumexp-naive", "logsumexp", "naive", lambda np, x: np.log(np.exp(x).sum(axis=-1))
        ),
        Implementation(
            "numpy:cross_entropy-shifted", "softmax_cross_entropy", "composed",
            lambda np, x, p: -(p * _log_softmax(np, x)).sum(axis=-1),
        ),
        Implementation(
            "numpy:cross_entropy-log-of-shifted", "softmax_cross_entropy", "naive",
            lambda np, x, p: -(p * np.log(_shifted(np, x))).sum(axis=-1),
        ),
        Implementation(
            "numpy:cross_entropy-naive", "softmax_cross_entropy", "naive",
            lambda np, x, p: -(p * np.log(_naive(np, x))).sum(axis=-1),
        ),
        Implementation(
            "numpy:sparse_cross_entropy-shifted", "sparse_softmax_cross_entropy", "composed",
            lambda np, x, y: -_take(_log_softmax(np, x), y),
        ),
        Implementation(
            "numpy:sparse_cross_entropy-naive", "sparse_softmax_cross_entropy", "naive",
            lambda np, x, y: -np.log(_take(_naive(np, x), y)),
        ),
        Implementation("numpy:sigmoid-naive", "sigmoid", "naive", lambda np, x: 1 / (1 + np.exp(-x))),
        Implementation(
            "numpy:log_sigmoid-logaddexp", "log_sigmoid", "composed",
            lambda np, x: -np.logaddexp(np.zeros_like(x), -x),
        ),
        Implementation(
            "numpy:log_sigmoid-naive", "log_sigmoid", "naive", lambda np, x: -np.log(1 + np.exp(-x))
        ),
        Implementation("numpy:logit-naive", "logit", "naive", lambda np, x: np.log(x / (1 - x))),
        Implementation(
            "numpy:kl_divergence-where", "kl_divergence", "composed", _divergence,
        ),
        Implementation(
            "numpy:kl_divergence-naive", "kl_divergence", "naive",
            lambda np, x, p: (p * (np.log(p) - x)).sum(axis=-1),
            note="NaN at a target of zero",
        ),
        Implementation(
            "numpy:log_target-where", "kl_divergence_log_target", "composed", _log_target,
        ),
        Implementation(
            "numpy:relative_entropy-where", "relative_entropy", "composed", _relative_entropy,
        ),
        Implementation(
            "numpy:relative_entropy-naive", "relative_entropy", "naive",
            lambda np, q, p: p * np.log(p / q),
            note="NaN at a target of zero",
        ),
        Implementation(
            "numpy:elementwise_divergence-where", "elementwise_kl_divergence", "composed",
            lambda np, q, p: _relative_entropy(np, q, p) - p + q,
        ),
        Implementation(
            "numpy:take", "negative_log_likelihood", "composed",
            lambda np, x, y, axis=-1: -np.take_along_axis(x, np.expand_dims(y, axis), axis).squeeze(axis),
            takes=frozenset({"axis"}),
        ),
        Implementation(
            "numpy:given-where", "categorical_cross_entropy", "composed", _given,
        ),
        Implementation(
            "numpy:given-naive", "categorical_cross_entropy", "naive",
            lambda np, p, t: -(t * np.log(p)).sum(axis=-1),
            note="NaN at a probability of 0",
        ),
        Implementation(
            "numpy:take-log", "sparse_categorical_cross_entropy", "composed",
            lambda np, p, y: -np.log(_take(p, y)),
        ),
        Implementation(
            "numpy:given_binary-log1p", "binary_cross_entropy", "composed", _given_binary,
        ),
        Implementation(
            "numpy:given_binary-naive", "binary_cross_entropy", "naive",
            lambda np, p, z: -z * np.log(p) - (1 - z) * np.log(1 - p),
            note="NaN at 0 and at 1",
        ),
        Implementation(
            "numpy:binary_cross_entropy-stable", "sigmoid_cross_entropy", "composed",
            lambda np, x, z: np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x))),
        ),
        Implementation(
            "numpy:binary_cross_entropy-naive", "sigmoid_cross_entropy", "naive",
            lambda np, x, z: -z * np.log(1 / (1 + np.exp(-x))) - (1 - z) * np.log(1 - 1 / (1 + np.exp(-x))),
        ),
    )  # fmt: skip

    not_offered = (
        NotOffered(
            "NumPy has no bfloat16 (https://numpy.org/doc/stable/reference/arrays.scalars.html)",
            dtypes=("bfloat16",),
        ),
    )

    def __init__(self) -> None:
        import numpy

        self._numpy = numpy

    def version(self) -> str:
        return str(self._numpy.__version__)

    def environment(self) -> Mapping[str, str]:
        return {"machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        with self._numpy.errstate(all="ignore"):
            return {"value": call.implementation.call(self._numpy, *call.arguments, **call.keywords)}
