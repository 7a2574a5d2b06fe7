"""Optax's tests of its classification losses, as its wheel ships them; gradients by JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from optax.losses import _classification

from benchmarks.peers.collected import collected
from benchmarks.peers.names import replaced, together
from benchmarks.peers.peer import Check, Through
from benchmarks.peers.stage import MUTANTS, Kernel, Stage, right
from xent_conformance.frameworks.interface import Array
from xent_conformance.reference.operators import OPERATORS

_MODULES = ("optax.losses._classification_test",)
_AXIS = frozenset({"axis"})


class _Names:
    """The public names in terms of the suite's operators; ``where=`` and several axes are left to Optax."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def loss(self, operator: str, own: Any, x: Any, y: Any, axis: Any = -1, where: Any = None) -> Any:
        if where is not None or not isinstance(axis, int) or not jnp.ndim(x):
            return own(x, y, axis=axis, where=where)
        return self._put(operator, x, y, axis % jnp.ndim(x))

    def elements(self, operator: str, own: Any, x: Any, y: Any) -> Any:
        x, y = jnp.broadcast_arrays(x, y)
        found = self._put(operator, x.reshape(x.shape or (1,)), y.reshape(x.shape or (1,)), 0)
        return found.reshape(x.shape)

    def _put(self, operator: str, x: Any, y: Any, axis: int) -> Any:
        x = jnp.asarray(x)
        if OPERATORS[operator].labels != "index":
            y = jnp.broadcast_to(jnp.asarray(y, x.dtype), x.shape)
        return self._behind(operator, axis)(x, jnp.asarray(y))

    @functools.cache  # noqa: B019  # one function for all calls, or JAX compiles each anew
    def _behind(self, operator: str, axis: int) -> Any:
        """By whatever kernel stands there when it is called, not when it is traced."""
        index = OPERATORS[operator].labels == "index"
        outputs = ("grad_logits",) if index else ("grad_logits", "grad_labels")

        def value(a: Any, b: Any) -> Array:
            return self.stage.value(operator, np.array(a), _labels(b, index), axis=axis)

        def gradient(a: Any, b: Any, g: Any) -> tuple[Array, ...]:
            found = self.stage.ask(
                operator, np.array(a), _labels(b, index), outputs=outputs, cotangent=np.array(g), axis=axis
            )
            return tuple(found[o] for o in outputs)

        def called(a: Any, b: Any) -> Any:
            row = OPERATORS[operator].value_shape == "row"
            shape = a.shape if row else a.shape[:axis] + a.shape[axis + 1 :]
            return jax.pure_callback(
                value, jax.ShapeDtypeStruct(shape, a.dtype), a, b, vmap_method="sequential"
            )

        def backward(kept: Any, g: Any) -> Any:
            like = (jax.ShapeDtypeStruct(kept[0].shape, kept[0].dtype),) * len(outputs)
            found = jax.pure_callback(gradient, like, *kept, g, vmap_method="sequential")
            return (found[0], None) if index else tuple(found)

        behind = jax.custom_vjp(called)
        behind.defvjp(lambda a, b: (called(a, b), (a, b)), backward)
        return behind


def _labels(labels: Any, index: bool) -> Array:
    return np.array(labels, np.int64) if index else np.array(labels)


class Optax:
    """The softmax and sigmoid cross-entropies and the divergences."""

    name = "Optax"
    distributions = ("optax", "jax")
    doors: Mapping[str, frozenset[str]] = {
        "softmax_cross_entropy": _AXIS,
        "sparse_softmax_cross_entropy": _AXIS,
        "sigmoid_cross_entropy": frozenset(),
        "kl_divergence": _AXIS,
        "kl_divergence_log_target": _AXIS,
    }
    formats = frozenset({"float32"})
    layouts: frozenset[str] = frozenset()
    gradients = True
    through: Mapping[str, Through] = {}
    how = (
        "`optax/losses/_classification_test.py` of the wheel under pytest, on the CPU in JAX's default of "
        "binary32. The kernel takes the place of the function in every module that has it, called back "
        "from JAX, with its own gradients by `custom_vjp`; calls with `where=` are Optax's own."
    )

    def __init__(self) -> None:
        self.stage = Stage()
        names, c = _Names(self.stage), _classification
        losses = {
            "softmax_cross_entropy": c.softmax_cross_entropy,
            "sparse_softmax_cross_entropy": c.softmax_cross_entropy_with_integer_labels,
            "kl_divergence": c.kl_divergence,
            "kl_divergence_log_target": c.kl_divergence_with_log_targets,
        }
        self._by: dict[Any, Callable[..., Any]] = {
            own: functools.partial(names.loss, operator, own) for operator, own in losses.items()
        }
        binary = c.sigmoid_binary_cross_entropy
        self._by[binary] = functools.partial(names.elements, "sigmoid_cross_entropy", binary)

    def checks(self, light: bool) -> Sequence[Check]:
        return collected(_MODULES)

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        """What it does not answer is right: a function that was traced leads here, whatever stands here."""
        whole = Kernel(kernel.name, {**right(MUTANTS).answers, **kernel.answers})
        return together(self.stage.holding(whole), replaced(self._by))
