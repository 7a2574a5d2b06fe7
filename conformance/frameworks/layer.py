"""A linear layer and its loss, as they are put to a door: one array, which the door takes apart.

One argument has one gradient, which every adapter computes as any other; here stands where in it what is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYWORDS = frozenset({"features", "affine", "reduction", "ignore_index"})

PARTS = ("grad_hidden", "grad_weight", "grad_bias")
"""The parts of the gradient by that array, which are outputs of their own, in their order."""


def asked_of(outputs: tuple[str, ...]) -> tuple[str, ...]:
    """The outputs as an adapter knows them: of the parts the one gradient that they are parts of."""
    return tuple(dict.fromkeys("grad_logits" if o in PARTS else o for o in outputs))


def places(width: int, examples: int, given: Mapping[str, Any]) -> tuple[slice, slice, slice]:
    """Where hidden states, weights and bias stand among so many numbers."""
    features = given["features"]
    classes = (width - examples * features) // (features + given.get("affine", False))
    first = examples * features
    second = first + classes * features
    return slice(first), slice(first, second), slice(second, width)


def apart(x: Any, y: Any, reshape: Any, features: int, affine: bool) -> tuple[Any, Any, Any]:
    """Hidden states ``(M, H)``, weights ``(N, H)`` and bias ``(N,)``, or None, of a tensor and its labels.

    ``reshape(tensor, shape)`` is the framework's own; slices and shapes round nothing.
    """
    hidden, weight, bias = places(x.shape[0], y.shape[0], {"features": features, "affine": affine})
    rows = (-1, features)
    return reshape(x[hidden], rows), reshape(x[weight], rows), x[bias] if affine else None
