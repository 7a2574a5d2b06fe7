"""A linear layer with its loss as TensorFlow's users write it: a product, a loss of indices, a mean."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.layer import KEYWORDS, Layered


def _composed(
    tf: Any,
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any,
    reduction: str = "none",
    ignore_index: int | None = None,
) -> Any:
    """An ignored example is label 0, and its loss taken away, as tf.nn has no such index."""
    logits = tf.linalg.matmul(hidden, weight, transpose_b=True)
    kept = tf.ones_like(labels, tf.bool) if ignore_index is None else tf.not_equal(labels, ignore_index)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.where(kept, labels, tf.zeros_like(labels)),
        logits=logits if bias is None else logits + bias,
    )
    each = tf.where(kept, each, tf.zeros_like(each))
    if reduction == "none":
        return each
    total = tf.reduce_sum(each)
    return total if reduction == "sum" else total / tf.reduce_sum(tf.cast(kept, each.dtype))


LAYERS = (
    Implementation(
        "tf.linalg.matmul+tf.nn.sparse_softmax_cross_entropy_with_logits",
        "linear_cross_entropy",
        "composed",
        Layered(_composed),
        takes=KEYWORDS,
    ),
)
