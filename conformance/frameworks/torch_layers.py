"""PyTorch's linear layers with their loss: one after the other, and in chunks that never hold all logits."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.layer import KEYWORDS, apart

OPERATOR = "linear_cross_entropy"

CHUNK = 4
"""Examples in a chunk: without a size, or without options, the whole batch may be one."""


def _taken_apart(torch: Any, x: Any, y: Any, features: int, affine: bool) -> tuple[Any, Any, Any]:
    return apart(x, y, torch.reshape, features, affine)


def _composed(torch: Any, x: Any, y: Any, features: int, affine: bool = False, **given: Any) -> Any:
    hidden, weight, bias = _taken_apart(torch, x, y, features, affine)
    logits = torch.nn.functional.linear(hidden, weight, bias)
    return torch.nn.functional.cross_entropy(logits, y, **{"reduction": "none", **given})


def _fused(
    torch: Any, x: Any, y: Any, features: int, affine: bool = False, policy: str = "", **given: Any
) -> Any:
    hidden, weight, bias = _taken_apart(torch, x, y, features, affine)
    if policy:
        given["options"] = torch.nn.LinearCrossEntropyOptions(acc_policy=policy, batch_chunk_size=CHUNK)
    loss = torch.nn.functional.linear_cross_entropy
    return loss(hidden, weight, y, linear_bias=bias, **{"reduction": "none", **given})


def _chunked(policy: str) -> Any:
    def call(torch: Any, x: Any, y: Any, features: int, affine: bool = False, **given: Any) -> Any:
        return _fused(torch, x, y, features, affine, policy, **given)

    return call


COMPOSED = "torch.nn.functional.linear+cross_entropy"

LAYERS = (
    Implementation(COMPOSED, OPERATOR, "composed", _composed, takes=KEYWORDS),
    Implementation(
        "torch.nn.functional.linear_cross_entropy:options=None",
        OPERATOR,
        "composed",
        _fused,
        note="without options it is the layer and then the loss",
        takes=KEYWORDS,
        since="standard",
    ),
    *(
        Implementation(
            f"torch.nn.functional.linear_cross_entropy:{policy}",
            OPERATOR,
            "fused",
            _chunked(policy),
            note=f'acc_policy="{policy}", in chunks of {CHUNK} examples',
            takes=KEYWORDS,
            since=since,
        )
        for policy, since in (
            ("accurate", "quick"),
            ("balanced", "standard"),
            ("compact", "standard"),
            ("auto", "quick"),
        )
    ),
)
