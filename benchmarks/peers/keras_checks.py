"""Keras's tests of its losses, activations and operations, as its wheel ships them, on its NumPy backend.

That backend takes arrays, and has no gradients.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

os.environ["KERAS_BACKEND"] = "numpy"

import numpy as np
from keras.src.backend import epsilon
from keras.src.backend.numpy import nn

from benchmarks.peers.collected import collected
from benchmarks.peers.names import replaced, together
from benchmarks.peers.peer import Check, Through
from benchmarks.peers.stage import Kernel, Stage
from xent_conformance.frameworks.interface import Array

_MODULES = (
    "keras.src.losses.losses_test",
    "keras.src.activations.activations_test",
    "keras.src.layers.activations.softmax_test",
    "keras.src.ops.nn_test",
)
_ABOUT = ("softmax", "sigmoid", "crossentropy", "softplus", "logit")
_LOSSES = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")

_FLOATING = (np.float64, np.float32, np.float16)
_AXIS = frozenset({"axis"})


class _Names:
    """Functions of the backend in terms of the suite's operators."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def _takes(self, operator: str, x: Any) -> bool:
        return self.stage.has(operator) and x.dtype in _FLOATING and x.size and x.ndim

    def along(self, operator: str, own: Any, x: Any, axis: Any = -1) -> Any:
        x = np.array(x)
        if not self._takes(operator, x) or not isinstance(axis, int):
            return own(x, axis=axis)
        return self.stage.value(operator, x, axis=axis)

    def elements(self, operator: str, own: Any, x: Any) -> Any:
        x = np.array(x)
        return self.stage.value(operator, x) if self._takes(operator, x) else own(x)

    def binary(self, own: Any, target: Any, output: Any, from_logits: bool = False) -> Any:
        """Of probabilities that are clamped as Keras documents it."""
        x = np.array(output)
        operator = "sigmoid_cross_entropy" if from_logits else "binary_cross_entropy"
        y = np.asarray(target).astype(x.dtype)
        if not self._takes(operator, x) or y.shape != x.shape:
            return own(target, output, from_logits=from_logits)
        return self.stage.value(operator, x if from_logits else _clamped(x), y)

    def dense(self, own: Any, target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
        x = np.array(output)
        operator = "softmax_cross_entropy" if from_logits else "categorical_cross_entropy"
        y = np.asarray(target).astype(x.dtype)
        if not self._takes(operator, x) or y.shape != x.shape:
            return own(target, output, from_logits=from_logits, axis=axis)
        return self.stage.value(operator, x if from_logits else _normalised(x, axis), y, axis=axis)

    def sparse(self, own: Any, target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
        x, y = np.array(output), np.asarray(target).astype(np.int64)
        operator = "sparse_softmax_cross_entropy" if from_logits else "sparse_categorical_cross_entropy"
        y = y[..., 0] if y.ndim == x.ndim and y.shape[-1] == 1 else y
        if not self._takes(operator, x) or y.shape != tuple(np.delete(x.shape, axis)):
            return own(target, output, from_logits=from_logits, axis=axis)
        return self.stage.value(operator, x if from_logits else _normalised(x, axis), y, axis=axis)


def _clamped(p: Array) -> Array:
    found: Array = np.clip(p, np.array(epsilon(), p.dtype), np.array(1.0 - epsilon(), p.dtype))
    return found


def _normalised(p: Array, axis: int) -> Array:
    return _clamped(p / p.sum(axis=axis, keepdims=True))


class Keras:
    """Activations and cross-entropies, of logits and of probabilities."""

    name = "Keras"
    distributions = ("keras",)
    doors: Mapping[str, frozenset[str]] = {
        "softmax": _AXIS,
        "log_softmax": _AXIS,
        "sigmoid": frozenset(),
        "log_sigmoid": frozenset(),
        "sigmoid_cross_entropy": frozenset(),
        "binary_cross_entropy": frozenset(),
        "softmax_cross_entropy": _AXIS,
        "sparse_softmax_cross_entropy": _AXIS,
        "categorical_cross_entropy": _AXIS,
        "sparse_categorical_cross_entropy": _AXIS,
    }
    formats = frozenset({"float64", "float32", "float16"})
    layouts: frozenset[str] = frozenset()
    gradients = False
    through: Mapping[str, Through] = {}
    how = (
        "`losses_test`, `activations_test`, `softmax_test` and `ops/nn_test` of the wheel under pytest, what "
        "names one of these functions, on Keras's NumPy backend, whose functions the kernel takes the place "
        "of (probabilities normalised and clamped first, as Keras documents). That backend has no gradients: "
        "values alone."
    )

    def __init__(self) -> None:
        self.stage = Stage()
        names = _Names(self.stage)
        self._by: Mapping[Any, Callable[..., Any]] = {
            nn.softmax: functools.partial(names.along, "softmax", nn.softmax),
            nn.log_softmax: functools.partial(names.along, "log_softmax", nn.log_softmax),
            nn.sigmoid: functools.partial(names.elements, "sigmoid", nn.sigmoid),
            nn.log_sigmoid: functools.partial(names.elements, "log_sigmoid", nn.log_sigmoid),
            nn.binary_crossentropy: functools.partial(names.binary, nn.binary_crossentropy),
            nn.categorical_crossentropy: functools.partial(names.dense, nn.categorical_crossentropy),
            nn.sparse_categorical_crossentropy: functools.partial(
                names.sparse, nn.sparse_categorical_crossentropy
            ),
        }

    def checks(self, light: bool) -> Sequence[Check]:
        about = (*_ABOUT, *_LOSSES)
        return collected(_MODULES, lambda name: any(word in name for word in about))

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        return together(self.stage.holding(kernel), replaced(self._by))
