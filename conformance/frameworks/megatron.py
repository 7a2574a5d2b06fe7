"""Megatron's loss of a vocabulary that is spread over ranks (tensor parallelism), a process each, over gloo.

A rank is given its shard of the logits and all labels, as PyTorch's adapter is given a call, and has its
share of the gradient. Shards are of one size: where the classes are no multiple of the ranks they are padded
with −∞, as a vocabulary whose padding is masked.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import MEGATRON, RANKS
from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered, Unsupported
from xent_conformance.frameworks.ranks import Crew
from xent_conformance.frameworks.torch import Torch

SMOOTHING = "label_smoothing"


def _loss(library: Any, x: Any, y: Any, label_smoothing: float = 0.0) -> Any:
    return library.tensor_parallel.vocab_parallel_cross_entropy(x, y, label_smoothing)


def _fused(library: Any, x: Any, y: Any) -> Any:
    group = library.parallel_state.get_tensor_model_parallel_group()
    return library.fusions.fused_cross_entropy.fused_vocab_parallel_cross_entropy(x, y, group)


class Megatron(Torch):
    """Needs ``megatron-core`` and ``torch``; the number of ranks is a setting."""

    name = "megatron"
    distribution = "megatron-core"
    imports: ClassVar[Sequence[str]] = ("torch", "megatron")
    modes: ClassVar = {"eager": "quick"}
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    glances: ClassVar = {}
    formats: ClassVar = {}
    widening: ClassVar = frozenset({"eager"})
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = MEGATRON
    sparse = False
    from_eight_bits: ClassVar[frozenset[str]] = frozenset()
    moving = ()
    layouts: ClassVar[frozenset[str]] = frozenset()  # a shard is a copy
    states: ClassVar[Mapping[str, frozenset[str]]] = {
        "eager": frozenset({"other_between", "inference", "second_backward", "accumulated"})
    }
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "megatron.core.tensor_parallel.vocab_parallel_cross_entropy",
            "sparse_softmax_cross_entropy",
            "fused",
            _loss,
            note="converts the logits to binary32, and returns that; α of its smoothing is ε(N − 1)/N",
            takes=frozenset({SMOOTHING}),
            class_axis="last",
        ),
        Implementation(
            "megatron.core.fusions.fused_cross_entropy.fused_vocab_parallel_cross_entropy",
            "sparse_softmax_cross_entropy",
            "fused",
            _fused,
            note="without torch.compile, by disable_jit_fuser()",
            class_axis="last",
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "it trains in binary32, or with fp16 or bf16 in mixed precision, and its losses convert logits "
            "to binary32 (https://docs.nvidia.com/megatron-core/developer-guide/latest/apidocs/core/"
            "core.model_parallel_config.html)",
            dtypes=("float64",),
        ),
        NotOffered(
            "the smoothed loss takes a mean over all classes that a rank has, and has no argument by which "
            "padding would be left out (megatron/core/tensor_parallel/cross_entropy.py)",
            manners=("attributes",),
            variants=("mesh=tp4", "mesh=tp8"),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        from megatron import core
        from megatron.core import jit

        jit.disable_jit_fuser()  # before what it decorates is imported
        import megatron.core.fusions.fused_cross_entropy  # noqa: F401

        self._library = core
        self._ranks = int(os.environ.get(RANKS, "1"))
        try:
            self._crew = Crew(self._ranks, self._begin, self._of_rank)
        except RuntimeError as error:
            raise ImportError(f"the ranks do not find each other over gloo: {error}") from error

    def _begin(self) -> None:
        self._library.parallel_state.initialize_model_parallel(tensor_model_parallel_size=self._ranks)

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        return {"ranks": str(self._ranks), "torch": str(self._torch.__version__), **super().environment()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def missing(self) -> Mapping[str, str]:
        """Nothing is compiled."""
        return {}

    def run(self, call: Call) -> Mapping[str, Array]:
        n = call.logits.shape[-1]
        answers = self._crew.ask([replace(call, **of) for of in _spread(call, self._ranks)])
        found = {}
        for output in call.outputs:
            each = [results[output] for results, _ in answers]
            if output == "grad_logits":
                found[output] = np.concatenate(each, axis=-1)[..., :n]
            else:
                found[output] = _held(each, smoothed=SMOOTHING in call.keywords)
        # what it left of its arguments: of the logits each rank has some, and the rest they have alike
        shards = [given[0] for _, given in answers]
        np.copyto(call.logits, np.concatenate(shards, axis=-1)[..., :n])
        for array, left in zip(call.given[1:], answers[0][1][1:], strict=True):
            np.copyto(array, left)
        return found

    def _of_rank(self, call: Call) -> tuple[Mapping[str, Array], list[Array]]:
        """On a rank: what PyTorch's adapter answers of its shard, and what is left of what it was given."""
        return super().run(call), call.given


def _spread(call: Call, ranks: int) -> list[dict[str, Any]]:
    """What each rank is given in place of the whole."""
    n = call.logits.shape[-1]
    padding = -n % ranks
    x, keywords = call.logits, dict(call.keywords)
    if padding:
        more = np.broadcast_to(_excluded(x.dtype), (*x.shape[:-1], padding))
        x = np.concatenate([x, more], axis=-1)
    if SMOOTHING in keywords:
        if padding:
            raise Unsupported("a smoothed loss of padded classes: each has its share")
        # it spreads α over the others than the labelled class, which is ε over all of them
        keywords[SMOOTHING] = keywords[SMOOTHING] * (n - 1) / n
    return [{"logits": shard.copy(), "keywords": keywords} for shard in np.split(x, ranks, axis=-1)]


def _excluded(dtype: np.dtype[Any]) -> Array:
    """−∞ of that format. Raises Unsupported where it has none."""
    with np.errstate(all="ignore"):
        low = np.array(-np.inf).astype(dtype)
    if low != -np.inf:
        raise Unsupported(f"{dtype.name} has no −∞ to pad the classes with")
    return low


def _held(each: Sequence[Array], *, smoothed: bool) -> Array:
    """What every rank holds. Raises RuntimeError where one holds another number.

    Smoothed, each rank has a loss of its own, and the first speaks for them: none of it is an error to those
    who train.
    """
    first, *others = each
    if not smoothed and any(other.tobytes() != first.tobytes() for other in others):
        raise RuntimeError("what all ranks hold is not the same on each of them")
    return first
