"""Losses and log-probabilities as libraries of language models compute them, on PyTorch.

``selective_log_softmax`` of TRL and ``logprobs_from_logits`` of verl are the log-probability of one class,
asked as minus the loss;
``ForCausalLMLoss`` of Transformers is the loss of every causal model, in binary32 whatever the logits are.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import Variants
from xent_conformance.frameworks.interface import Implementation, NotOffered
from xent_conformance.frameworks.torch import Torch


def _causal(loss: Any, x: Any, y: Any, reduction: str = "none", ignore_index: int = -100) -> Any:
    """Of labels that are shifted already. By itself it is a mean, or a sum over ``num_items_in_batch``."""

    def of(x: Any, y: Any, items: int | None) -> Any:
        n = x.shape[-1]
        return loss.ForCausalLMLoss(
            x, None, n, shift_labels=y, num_items_in_batch=items, ignore_index=ignore_index
        )

    if reduction == "none":
        import torch

        each = [of(x[i : i + 1], y[i : i + 1], 1) for i in range(len(x))]
        return torch.stack(each) if each else x.float().sum(-1)  # of no row there is no loss
    return of(x, y, 1 if reduction == "sum" else None)


class _OnTorch(Torch):
    """PyTorch's tensors and gradients, another library's losses."""

    modes: ClassVar = {"eager": "quick"}
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    glances: ClassVar = {}
    formats: ClassVar = {}
    variants: ClassVar[Variants] = {}
    sparse = False
    from_eight_bits: ClassVar[frozenset[str]] = frozenset()
    moving = ()

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        return {"torch": str(self._torch.__version__), **super().environment()}

    def missing(self) -> Mapping[str, str]:
        """Nothing is compiled."""
        return {}


class Trl(_OnTorch):
    """Needs ``trl``, and what that needs."""

    name = "trl"
    distribution = "trl"
    imports: ClassVar[Sequence[str]] = ("torch", "trl")
    widening: ClassVar = frozenset()
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "trl.trainer.utils.selective_log_softmax",
            "sparse_softmax_cross_entropy",
            "composed",
            lambda utils, x, y, **given: -utils.selective_log_softmax(x, y, **given),
            note="minus the log-probability of the label; the temperature is its own",
            takes=frozenset({"temperature"}),
            class_axis="last",
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = ()

    def __init__(self) -> None:
        super().__init__()
        from trl.trainer import utils

        self._library = utils


class Transformers(_OnTorch):
    """Needs ``transformers`` and ``torch``."""

    name = "transformers"
    distribution = "transformers"
    imports: ClassVar[Sequence[str]] = ("torch", "transformers")
    widening: ClassVar = frozenset({"eager"})
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "transformers.loss.loss_utils.ForCausalLMLoss",
            "sparse_softmax_cross_entropy",
            "composed",
            _causal,
            note="converts the logits to binary32, and returns that",
            takes=frozenset({"reduction", "ignore_index"}),
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = ()

    def __init__(self) -> None:
        super().__init__()
        from transformers.loss import loss_utils

        self._library = loss_utils


class Verl(_OnTorch):
    """Needs ``verl``, and of what that needs what ``verl.utils.torch_functional`` imports."""

    name = "verl"
    distribution = "verl"
    imports: ClassVar[Sequence[str]] = ("torch", "verl")
    widening: ClassVar = frozenset()
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "verl.utils.torch_functional.logprobs_from_logits",
            "sparse_softmax_cross_entropy",
            "composed",
            lambda functional, x, y: -functional.logprobs_from_logits(x, y),
            note="minus the log-probability of the label; on a CPU, and without flash-attn, its v2",
            class_axis="last",
        ),
        Implementation(
            "verl.utils.torch_functional.logprobs_from_logits_naive",
            "sparse_softmax_cross_entropy",
            "composed",
            lambda functional, x, y: -functional.logprobs_from_logits_naive(x, y),
            note="minus the log-probability of the label",
            class_axis="last",
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = ()

    def __init__(self) -> None:
        super().__init__()
        from verl.utils import torch_functional

        self._library = torch_functional
