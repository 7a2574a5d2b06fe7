"""Optax's losses, on JAX: values, gradients and modes are those of :mod:`xent_conformance.frameworks.jax`."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Glance, Implementation
from xent_conformance.frameworks.jax import Jax, composed
from xent_conformance.frameworks.layer import KEYWORDS, Layered


def _there(x: Any, mask: Any) -> Any:
    """``where=`` of a mask of the classes, in the shape of the logits."""
    return None if mask is None else np.broadcast_to(np.array(mask), x.shape)


def _smoothed(optax: Any, p: Any, label_smoothing: float, there: Any, axis: int = -1) -> Any:
    return optax.smooth_labels(p, label_smoothing, axis=axis, where=there) if label_smoothing else p


def _hidden(x: Any, there: Any) -> Any:
    """Logits with −∞ where they are not there."""
    import jax

    return x if there is None else jax.numpy.where(there, x, float("-inf"))


def _cross_entropy(
    optax: Any, x: Any, p: Any, axis: int = -1, label_smoothing: float = 0.0, mask: Any = None
) -> Any:
    """With ``where=``; labels are smoothed by ``optax.smooth_labels``, which has it too."""
    there = _there(x, mask)
    p = _smoothed(optax, p, label_smoothing, there, axis)
    return optax.softmax_cross_entropy(x, p, axis=axis, where=there)


def _safe(optax: Any, x: Any, p: Any, label_smoothing: float = 0.0, mask: Any = None) -> Any:
    """It has no ``where=``: what is masked is filled with −∞, for which it is made."""
    there = _there(x, mask)
    p = _smoothed(optax, p, label_smoothing, there)
    return optax.safe_softmax_cross_entropy(_hidden(x, there), p)


def _divergence(optax: Any, x: Any, p: Any, axis: int = -1) -> Any:
    return optax.losses.kl_divergence(x, p, axis=axis)


def _of_a_layer(
    optax: Any,
    hidden: Any,
    weight: Any,
    labels: Any,
    bias: Any,
    reduction: str = "none",
    ignore_index: int | None = None,
) -> Any:
    """An ignored example is label 0, and its loss taken away: Optax has no such index."""
    import jax.numpy as jnp

    logits = hidden @ weight.T if bias is None else hidden @ weight.T + bias
    kept = jnp.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.where(kept, labels, 0))
    each = jnp.where(kept, losses, 0)
    if reduction == "none":
        return each
    return each.sum() if reduction == "sum" else each.sum() / kept.sum().astype(each.dtype)


class Optax(Jax):
    """Needs ``optax``."""

    name = "optax"
    distribution = "optax"
    imports: ClassVar[Sequence[str]] = ("jax", "optax")
    modes: ClassVar = {"jit": "standard", "eager": "full"}
    compiling: ClassVar = frozenset({"eager"})  # standard asks under jit alone, and so of every loss
    glances: ClassVar = {
        "jit": Glance(("optax.softmax_cross_entropy", "optax.softmax_cross_entropy_with_integer_labels"))
    }
    implementations: ClassVar[Sequence[Implementation]] = (
        composed(Implementation(
            "optax.softmax_cross_entropy", "softmax_cross_entropy", "composed", _cross_entropy,
            note="labels are smoothed by optax.smooth_labels",
            takes=frozenset({"axis", "label_smoothing", "mask"}),
        )),
        Implementation(
            "optax.safe_softmax_cross_entropy", "softmax_cross_entropy", "composed", _safe,
            note="made for masked classes: a label of zero takes an infinite log-probability away",
            takes=frozenset({"label_smoothing", "mask"}),
        ),
        composed(Implementation(
            "optax.softmax_cross_entropy_with_integer_labels", "sparse_softmax_cross_entropy", "composed",
            lambda optax, x, y, axis=-1, mask=None: optax.softmax_cross_entropy_with_integer_labels(
                x, y, axis=axis, where=_there(x, mask)
            ),
            takes=frozenset({"axis", "mask"}),
        )),
        composed(Implementation(
            "optax.sigmoid_binary_cross_entropy", "sigmoid_cross_entropy", "composed",
            lambda optax, x, z: optax.sigmoid_binary_cross_entropy(x, z),
        )),
        Implementation(
            "optax.losses.kl_divergence", "kl_divergence", "composed", _divergence,
            note="targets are documented as strictly positive, and zero is provided for in the value",
            takes=frozenset({"axis"}),
        ),
        Implementation(
            "optax.losses.kl_divergence_with_log_targets", "kl_divergence_log_target", "composed",
            lambda optax, x, t, axis=-1: optax.losses.kl_divergence_with_log_targets(x, t, axis=axis),
            takes=frozenset({"axis"}),
        ),
        Implementation(
            "jax.numpy.matmul+optax.softmax_cross_entropy_with_integer_labels", "linear_cross_entropy",
            "composed", Layered(_of_a_layer),
            note="Optax has no linear loss; composed as its users write it",
            takes=KEYWORDS,
        ),
    )  # fmt: skip
    in_eight_bits: ClassVar = frozenset(i.name for i in implementations)

    def __init__(self) -> None:
        super().__init__()
        import optax

        self._library = optax

    def version(self) -> str:
        return str(self._library.__version__)

    def environment(self) -> Mapping[str, str]:
        return {"jax": importlib.metadata.version("jax"), **super().environment()}
