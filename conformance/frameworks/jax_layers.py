"""A linear layer with its loss as JAX's users write it: a product, a loss of indices, their mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.layer import KEYWORDS, apart

OPERATOR = "linear_cross_entropy"

Loss = Callable[[Any, Any, Any], Any]
"""``loss(framework, logits, labels)``, a number an example."""


def layered(name: str, loss: Loss, note: str, since: str = "quick") -> Implementation:
    """The door of a loss behind a layer; an ignored example is label 0, and its loss taken away."""

    def call(
        framework: Any,
        x: Any,
        y: Any,
        features: int,
        affine: bool = False,
        reduction: str = "none",
        ignore_index: int | None = None,
    ) -> Any:
        import jax.numpy as jnp

        hidden, weight, bias = apart(x, y, jnp.reshape, features, affine)
        logits = hidden @ weight.T
        kept = jnp.ones(y.shape, bool) if ignore_index is None else y != ignore_index
        each = loss(framework, logits if bias is None else logits + bias, jnp.where(kept, y, 0))
        each = jnp.where(kept, each, 0)
        if reduction == "none":
            return each
        return each.sum() if reduction == "sum" else each.sum() / kept.sum().astype(x.dtype)

    return Implementation(name, OPERATOR, "composed", call, note, KEYWORDS, since=since)


def _log_softmax_and_take(jax: Any, x: Any, y: Any) -> Any:
    return -jax.numpy.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=-1)[:, 0]


LAYERS = (
    layered(
        "jax.numpy.matmul+jax.nn.log_softmax+take",
        _log_softmax_and_take,
        "JAX core has no linear loss; composed as its users write it",
    ),
)
