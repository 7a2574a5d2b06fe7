"""What users write around a door, with the framework's own operators: SPEC.md 6.15, 4.6.

A cast, a product with a matrix, a scale or a temperature, a bias and a mask before it, a factor after it.
All of them are constants, as users write them: a compiler may fuse them into the door.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xent_conformance.frameworks.interface import AROUND, Implementation

KEYWORDS = AROUND - {"mask"}

Cast = Callable[[Any, Any, Any], Any]
"""``cast(framework, x, dtype)``, the dtype by its name or as the framework's tensors have it."""

Hide = Callable[[Any, Any, Any], Any]
"""``hide(framework, x, mask)``: the logits with −∞ where the mask is False."""


@dataclass(frozen=True)
class Around:
    """A door's call that takes :data:`KEYWORDS` as well, and, where it can ``hide`` classes, a ``mask``."""

    call: Callable[..., Any]
    cast: Cast
    hide: Hide | None = None

    def __call__(
        self,
        framework: Any,
        x: Any,
        *labels: Any,
        cast: str = "",
        matrix: Any = None,
        scale: float = 1.0,
        temperature: float = 1.0,
        bias: Any = None,
        times: float = 1.0,
        **given: Any,
    ) -> Any:
        if cast:
            x = self.cast(framework, self.cast(framework, x, cast), x.dtype)
        if matrix is not None:
            x = x @ _like(matrix, x)
        if scale != 1.0:
            x = x * scale
        if temperature != 1.0:
            x = x / temperature
        if bias is not None:
            x = x + _like(bias, x)
        if self.hide is not None and "mask" in given:
            x = self.hide(framework, x, given.pop("mask"))
        value = self.call(framework, x, *labels, **given)
        return value if times == 1.0 else value * times


def _like(given: Any, x: Any) -> Any:
    """Numbers in the format of the logits; a tensor of the framework stays one."""
    return np.asarray(given, dtype=x.dtype) if isinstance(given, tuple) else given


def around(door: Implementation, cast: Cast, hide: Hide | None = None) -> Implementation:
    """The door, asked with what stands around it too."""
    taken = door.takes | KEYWORDS | ({"mask"} if hide else frozenset())
    return replace(door, call=Around(door.call, cast, hide), takes=taken)
