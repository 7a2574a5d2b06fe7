"""A linear layer with its loss as JAX's users write it: a product, a loss of indices, their mean."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.layer import KEYWORDS, Layered


def _composed(
    jax: Any,
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any,
    reduction: str = "none",
    ignore_index: int | None = None,
) -> Any:
    """An ignored example is label 0, and its loss taken away."""
    jnp = jax.numpy
    logits = hidden @ weight.T if bias is None else hidden @ weight.T + bias
    kept = jnp.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
    y = jnp.where(kept, labels, 0)[:, None]
    losses = -jnp.take_along_axis(jax.nn.log_softmax(logits), y, axis=-1)[:, 0]
    each = jnp.where(kept, losses, 0)
    if reduction == "none":
        return each
    return each.sum() if reduction == "sum" else each.sum() / kept.sum().astype(each.dtype)


LAYERS = (
    Implementation(
        "jax.numpy.matmul+jax.nn.log_softmax+take",
        "linear_cross_entropy",
        "composed",
        Layered(_composed),
        "JAX core has no linear loss; composed as its users write it",
        KEYWORDS,
    ),
)
