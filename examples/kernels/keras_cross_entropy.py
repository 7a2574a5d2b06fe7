"""A cross-entropy of Keras' own operators, the same for all its backends, and what the suite says of it.

``python keras_cross_entropy.py keras-jax``, or ``keras-torch``, or ``keras-tensorflow``: a process has one
backend. Needs ``pip install keras`` and that backend.
"""

from __future__ import annotations

import sys
from typing import Any


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Logits ``(rows, N)``, labels ``(rows,)``: a loss a row."""
    from keras import ops  # not before the suite has named the backend

    n = logits.shape[-1]
    labels = ops.cast(labels, "int64")  # n is no number of an 8-bit type, and would be cut to one
    inside = (labels >= 0) & (labels < n)
    chosen = ops.where(inside, labels, 0)[:, None]
    # the fused one: log(sum(exp(…))) by its pieces has a gradient of -1e-7 for a single class on TensorFlow
    loss = -ops.take_along_axis(ops.log_softmax(logits, axis=-1), chosen, axis=-1)[:, 0]
    # a factor, and no choice between two losses: then the gradient is NaN too where the label is no class
    return loss * ops.cast(ops.where(inside, 1.0, float("nan")), loss.dtype)


if __name__ == "__main__":
    from xent_conformance import check

    checked = check(
        cross_entropy,
        operator="sparse_softmax_cross_entropy",
        framework=sys.argv[1] if len(sys.argv) > 1 else "keras-jax",
        dtypes=["float32", "float64"],
    )
    print(checked)
    checked.raise_on_divergence()
