"""PyTorch's linear layers with their loss: one after the other, and in chunks that never hold all logits."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.interface import Formulation, Implementation
from xent_conformance.frameworks.layer import KEYWORDS, Layered

CHUNK = 4
"""Examples in a chunk: without options nothing is cut, and by itself a small batch may be one chunk."""


def _unreduced(given: dict[str, Any]) -> dict[str, Any]:
    return {"reduction": "none", **given}


def _options(torch: Any, policy: str) -> Any:
    return torch.nn.LinearCrossEntropyOptions(acc_policy=policy, batch_chunk_size=CHUNK)


def _door(name: str, call: Any, note: str, formulation: Formulation = "fused", since: str = "quick") -> Any:
    call, operator = Layered(call), "linear_cross_entropy"
    came = "" if name == COMPOSED else FUSED_SINCE
    return Implementation(name, operator, formulation, call, note, KEYWORDS, since=since, came=came)


COMPOSED = "torch.nn.functional.linear+cross_entropy"
FUSED_SINCE = "2.13"
"""PyTorch has torch.nn.functional.linear_cross_entropy from then on; 2.12.1 has it not."""

LAYERS: tuple[Implementation, ...] = (
    _door(
        COMPOSED,
        lambda torch, h, w, y, b, **given: torch.nn.functional.cross_entropy(
            torch.nn.functional.linear(h, w, b), y, **_unreduced(given)
        ),
        "",
        "composed",
    ),
    _door(
        "torch.nn.functional.linear_cross_entropy:options=None",
        lambda torch, h, w, y, b, **given: torch.nn.functional.linear_cross_entropy(
            h, w, y, linear_bias=b, **_unreduced(given)
        ),
        "without options it is the layer and then the loss",
        "composed",
        since="standard",
    ),
    _door(
        "torch.nn.functional.linear_cross_entropy:accurate",
        lambda torch, h, w, y, b, **given: torch.nn.functional.linear_cross_entropy(
            h, w, y, linear_bias=b, options=_options(torch, "accurate"), **_unreduced(given)
        ),
        f'acc_policy="accurate", in chunks of {CHUNK} examples',
    ),
    _door(
        "torch.nn.functional.linear_cross_entropy:balanced",
        lambda torch, h, w, y, b, **given: torch.nn.functional.linear_cross_entropy(
            h, w, y, linear_bias=b, options=_options(torch, "balanced"), **_unreduced(given)
        ),
        f'acc_policy="balanced", in chunks of {CHUNK} examples',
        since="standard",
    ),
    _door(
        "torch.nn.functional.linear_cross_entropy:compact",
        lambda torch, h, w, y, b, **given: torch.nn.functional.linear_cross_entropy(
            h, w, y, linear_bias=b, options=_options(torch, "compact"), **_unreduced(given)
        ),
        f'acc_policy="compact", in chunks of {CHUNK} examples',
        since="standard",
    ),
    _door(
        "torch.nn.functional.linear_cross_entropy:auto",
        lambda torch, h, w, y, b, **given: torch.nn.functional.linear_cross_entropy(
            h, w, y, linear_bias=b, options=_options(torch, "auto"), **_unreduced(given)
        ),
        f'acc_policy="auto", its default, in chunks of {CHUNK} examples',
    ),
)
