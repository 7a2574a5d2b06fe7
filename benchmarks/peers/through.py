"""What callers of a public name do beside it, where the name computes a part of an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.peers.stage import Answering
from xent_conformance.frameworks.interface import Call


def by_element(answering: Answering, call: Call) -> Mapping[str, Any]:
    """The sum over the classes of what the name has of each element: the kernel sees rows of one class."""
    keywords = dict(call.keywords)
    axis = int(keywords.pop("axis", -1))
    assert call.labels is not None
    elements = replace(
        call,
        logits=call.logits[..., None],
        labels=call.labels[..., None],
        cotangent=np.broadcast_to(np.expand_dims(call.cotangent, axis), call.logits.shape),
        keywords=keywords,
    )
    found = dict(answering(elements))
    gradients = {name: a[..., 0] for name, a in found.items() if name != "value"}
    if "value" not in found:
        return gradients
    wide = np.longdouble if call.logits.dtype == np.float64 else np.float64
    total = found["value"].astype(wide).sum(axis=axis).astype(call.logits.dtype)
    return {"value": total, **gradients}
