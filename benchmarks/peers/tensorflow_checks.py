"""TensorFlow's tests of its two cross-entropies, whose base classes its wheel ships."""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.kernel_tests.nn_ops.xent_op_test_base import XentOpTestBase
from tensorflow.python.kernel_tests.sparse_ops.sparse_xent_op_test_base import SparseXentOpTestBase
from tensorflow.python.ops import gen_nn_ops

from benchmarks.peers.names import replaced, together
from benchmarks.peers.peer import ALL_FORMATS, Check, Through
from benchmarks.peers.stage import Kernel, Stage
from xent_conformance.frameworks.interface import Array


class _Kernels:
    """The two operators of matrices, as TensorFlow's kernels are called: the loss, and what is unused."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def dense(self, own: Any, features: Any, labels: Any, name: Any = None) -> Any:
        if not self.stage.has("softmax_cross_entropy"):
            return own(features=features, labels=labels, name=name)
        x, y = tf.convert_to_tensor(features), tf.convert_to_tensor(labels)
        known = x.shape.rank is not None and y.shape.rank is not None
        if known and not x.shape.is_compatible_with(y.shape) and 1 not in (*x.shape, *y.shape):
            return own(features=features, labels=labels, name=name)  # which says what is wrong
        shape = tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))
        x, y = tf.broadcast_to(x, shape), tf.broadcast_to(y, shape)
        return self._put("softmax_cross_entropy", x, y), None

    def sparse(self, own: Any, features: Any, labels: Any, name: Any = None) -> Any:
        x, y = tf.convert_to_tensor(features), tf.convert_to_tensor(labels)
        if not self.stage.has("sparse_softmax_cross_entropy") or y.shape.rank != 1:
            return own(features=features, labels=labels, name=name)
        return self._put("sparse_softmax_cross_entropy", x, y), None

    def _put(self, operator: str, x: Any, y: Any) -> Any:
        kernel, index = self.stage.kernel, y.dtype.is_integer
        outputs = ("grad_logits",) if index else ("grad_logits", "grad_labels")

        def value(a: Array, b: Array) -> Array:
            with self.stage.holding(kernel):
                return self.stage.value(operator, np.array(a), _labels(b, index))

        def gradient(a: Array, b: Array, g: Array) -> list[Array]:
            with self.stage.holding(kernel):
                found = self.stage.ask(
                    operator, np.array(a), _labels(b, index), outputs=outputs, cotangent=np.array(g)
                )
            return [found[o] for o in outputs]

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def behind(a: Any, b: Any) -> Any:
            loss = tf.numpy_function(value, [a, b], a.dtype)
            loss.set_shape(a.shape[:1])

            def backward(g: Any) -> Any:
                asked = tf.numpy_function(gradient, [a, b, g], [a.dtype] * len(outputs))
                found = tf.nest.flatten(asked)  # of one output it makes no list
                for one in found:
                    one.set_shape(a.shape)
                return (*found, None) if index else found

            return loss, backward

        return behind(x, y)


def _labels(labels: Array, index: bool) -> Array:
    return np.array(labels, np.int64) if index else np.array(labels)


class TensorFlow:
    """``tf.nn.softmax_cross_entropy_with_logits`` and the sparse one."""

    name = "TensorFlow"
    distributions = ("tensorflow",)
    doors: Mapping[str, frozenset[str]] = {
        "softmax_cross_entropy": frozenset({"axis"}),
        "sparse_softmax_cross_entropy": frozenset({"axis"}),
    }
    formats = ALL_FORMATS
    layouts: frozenset[str] = frozenset()
    gradients = True
    through: Mapping[str, Through] = {}
    how = (
        "`XentOpTestBase` and `SparseXentOpTestBase`, the two base classes in "
        "`tensorflow/python/kernel_tests` of the wheel that hold the tests of these operators; its other "
        "tests are not in the wheel, so that softmax, log-softmax and the sigmoids cannot be asked. "
        "The kernel takes the place of the operator in `gen_nn_ops`, with its own gradients; their tests of "
        "second derivatives are left out."
    )

    def __init__(self) -> None:
        self.stage = Stage()
        kernels = _Kernels(self.stage)
        dense = gen_nn_ops.softmax_cross_entropy_with_logits
        sparse = gen_nn_ops.sparse_softmax_cross_entropy_with_logits
        self._by: Mapping[Any, Callable[..., Any]] = {
            dense: functools.partial(kernels.dense, dense),
            sparse: functools.partial(kernels.sparse, sparse),
        }

    def checks(self, light: bool) -> Sequence[Check]:
        cases = [case for base in (XentOpTestBase, SparseXentOpTestBase) for case in _cases(base)]
        return [Check(f"{type(c).__name__}.{c._testMethodName}", functools.partial(_run, c)) for c in cases]

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        return together(self.stage.holding(kernel), replaced(self._by))


def _cases(base: type[unittest.TestCase]) -> list[Any]:
    return list(unittest.defaultTestLoader.loadTestsFromTestCase(base))


class _Heard(unittest.TestResult):
    """What was raised, itself."""

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[BaseException] = []

    def addFailure(self, test: Any, err: Any) -> None:
        self.raised.append(err[1])

    addError = addFailure  # noqa: N815

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:  # in a graph, say
            self.raised.append(err[1])


def _run(case: Any) -> None:
    """A test of its own, from the start. Raises what it raises where it fails."""
    heard = _Heard()
    type(case)(case._testMethodName).run(heard)
    for error in heard.raised:
        raise error
