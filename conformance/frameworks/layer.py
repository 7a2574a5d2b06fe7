"""A linear layer and its loss, as they are put to a door: one array, which is taken apart for it.

One argument has one gradient, which every adapter computes as any other; here stands where in it what is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xent_conformance.frameworks.interface import Array

OWN = frozenset({"features", "affine"})
"""Keywords that say what stands where; a door's function is given the parts in their place."""

KEYWORDS = OWN | {"reduction", "ignore_index"}

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


def apart(x: Any, y: Any, features: int, affine: bool, framework: Any = None) -> tuple[Any, Any, Any]:
    """Hidden states ``(M, H)``, weights ``(N, H)`` and bias ``(N,)``, or None, of a tensor and its labels.

    Where tensors have no ``reshape`` the framework has. Slices and shapes round nothing.
    """
    hidden, weight, bias = places(x.shape[0], y.shape[0], {"features": features, "affine": affine})
    reshape = getattr(type(x), "reshape", None) or framework.reshape
    rows = (-1, features)
    return reshape(x[hidden], rows), reshape(x[weight], rows), x[bias] if affine else None


@dataclass(frozen=True)
class Layered:
    """A door's call, made of ``call(framework, hidden, weight, labels, bias or None, **given)``."""

    call: Callable[..., Any]

    def __call__(
        self, framework: Any, x: Any, y: Any, features: int, affine: bool = False, **given: Any
    ) -> Any:
        hidden, weight, bias = apart(x, y, features, affine, framework)
        return self.call(framework, hidden, weight, y, bias, **given)


def named_parts(arrays: Mapping[str, Array], given: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays of a call under the names that its door's function has for them."""
    parts = apart(arrays["logits"], arrays["labels"], given["features"], given.get("affine", False))
    named = {name: a for name, a in zip(("hidden", "weight", "bias"), parts, strict=True) if a is not None}
    return named | {name: a for name, a in arrays.items() if name != "logits"}
