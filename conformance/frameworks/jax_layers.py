"""A linear layer with its loss as JAX's users write it: a product, a loss of indices, their mean."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.layer import KEYWORDS, Layered


def logits_of(hidden: Any, weight: Any, bias: Any) -> Any:
    """``h Wᵀ + b``, of a layer without a bias ``h Wᵀ``."""
    product = hidden @ weight.T
    return product if bias is None else product + bias


def reduced(jnp: Any, losses: Any, labels: Any, reduction: str, ignore_index: int | None) -> Any:
    """The losses of the examples that are kept, their sum, or their mean."""
    kept = jnp.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
    each = jnp.where(kept, losses, 0)
    if reduction == "none":
        return each
    return each.sum() if reduction == "sum" else each.sum() / kept.sum().astype(each.dtype)


def shown(jnp: Any, labels: Any, ignore_index: int | None) -> Any:
    """The labels, with class 0 for what is ignored: its loss is taken away afterwards."""
    return labels if ignore_index is None else jnp.where(labels == ignore_index, 0, labels)


def _composed(
    jax: Any,
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any,
    reduction: str = "none",
    ignore_index: int | None = None,
) -> Any:
    log_s = jax.nn.log_softmax(logits_of(hidden, weight, bias))
    y = shown(jax.numpy, labels, ignore_index)
    losses = -jax.numpy.take_along_axis(log_s, y[:, None], axis=-1)[:, 0]
    return reduced(jax.numpy, losses, labels, reduction, ignore_index)


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
