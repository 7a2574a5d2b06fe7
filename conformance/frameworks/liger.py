"""Liger's kernels: a cross-entropy and a softmax in Triton, behind functions that autograd differentiates.

On a GPU they are compiled. Without one, under ``TRITON_INTERPRET=1``, Triton's interpreter runs the same
programs on CPU tensors: their algorithm, masks, strides, labels and host code are a GPU's, the last bits of
``exp`` and ``log`` are NumPy's (docs/KERNELS.md says what that is worth). The interpreter is a setting of the
CPU and a mode, since it does not offer what a compiler does; without it there is no Liger on a CPU.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import INTERPRET, LIGER
from xent_conformance.frameworks.around import around
from xent_conformance.frameworks.interface import STATES, Implementation, NotOffered
from xent_conformance.frameworks.layer import KEYWORDS, Layered
from xent_conformance.frameworks.torch import Torch

COMPILED, INTERPRETED = "eager", "interpreted"

INDEX = "liger_kernel.transformers.functional.liger_cross_entropy"
SOFTMAX = "liger_kernel.transformers.functional.liger_softmax"
LAYER = "liger_kernel.transformers.functional.liger_fused_linear_cross_entropy"


def _cast(_: Any, x: Any, dtype: Any) -> Any:
    import torch

    return x.to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)


def _hide(_: Any, x: Any, mask: Any) -> Any:
    return x.masked_fill(~mask, float("-inf"))


def _cross_entropy(liger: Any, x: Any, y: Any, **given: Any) -> Any:
    return liger.liger_cross_entropy(x, y, **{"reduction": "none", **given})


def _layer(liger: Any, h: Any, w: Any, y: Any, b: Any, **given: Any) -> Any:
    return liger.liger_fused_linear_cross_entropy(h, w, y, b, **{"reduction": "none", **given})


def _wide_layer(liger: Any, h: Any, w: Any, y: Any, b: Any, **given: Any) -> Any:
    import torch
    from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss

    loss = LigerFusedLinearCrossEntropyLoss(accum_dtype=torch.float32, **{"reduction": "none", **given})
    return loss(w, h, y, b)


class Liger(Torch):
    """Needs ``liger-kernel``, ``torch`` and ``triton``; a GPU, or Triton's interpreter."""

    name = "liger"
    distribution = "liger-kernel"
    imports: ClassVar[Sequence[str]] = ("torch", "triton", "liger_kernel")
    modes: ClassVar = {COMPILED: "quick", INTERPRETED: "quick"}
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    glances: ClassVar = {}
    formats: ClassVar = {}
    widening: ClassVar = frozenset()
    settings_only: ClassVar = frozenset({"cpu"})
    accelerators: ClassVar = frozenset({"cuda"})
    variants: ClassVar = LIGER
    sparse = False
    from_eight_bits: ClassVar[frozenset[str]] = frozenset()
    moving = ()
    states: ClassVar[Mapping[str, frozenset[str]]] = {
        COMPILED: frozenset(STATES),
        # it has one program at a time
        INTERPRETED: frozenset(STATES) - {"threads"},
    }
    implementations: ClassVar[Sequence[Implementation]] = (
        around(
            Implementation(
                INDEX,
                "sparse_softmax_cross_entropy",
                "fused",
                _cross_entropy,
                note="writes the gradient over the logits, to save memory",
                takes=frozenset({"weight", "weight_dtype", "label_smoothing", "ignore_index", "reduction"}),
            ),
            _cast,
            _hide,
        ),
        around(
            Implementation(
                SOFTMAX, "softmax", "fused", lambda liger, x: liger.liger_softmax(x), class_axis="last"
            ),
            _cast,
            _hide,
        ),
        Implementation(
            LAYER,
            "linear_cross_entropy",
            "fused",
            Layered(_layer),
            note="accum_dtype=None, its default: gradients of the layer add up in its own format",
            takes=KEYWORDS,
        ),
        Implementation(
            "liger_kernel.transformers.LigerFusedLinearCrossEntropyLoss:float32",
            "linear_cross_entropy",
            "fused",
            Layered(_wide_layer),
            note="accum_dtype=torch.float32",
            takes=KEYWORDS,
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "Triton's interpreter converts to bfloat16 by a routine of its own, which rounds ties up, loses "
            "subnormal numbers and carries nothing into the exponent (_convert_float of "
            "https://github.com/triton-lang/triton/blob/main/python/triton/runtime/interpreter.py): what it "
            "says of bfloat16 is no GPU's",
            modes=(INTERPRETED,),
            dtypes=("bfloat16",),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        import triton
        from liger_kernel.transformers import functional

        self._triton = triton
        self._library = functional
        if not self.devices():
            raise ImportError(f"Liger needs a GPU here, or Triton's interpreter ({INTERPRET}=1)")

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        how = "interpreted" if self._interpreted else "compiled"
        triton = f"{self._triton.__version__}, {how}"
        return {"torch": str(self._torch.__version__), "triton": triton, **super().environment()}

    @property
    def _interpreted(self) -> bool:
        return os.environ.get(INTERPRET) == "1"

    def devices(self) -> Sequence[str]:
        """The CPU where kernels are interpreted, CUDA devices where they are compiled."""
        return ["cpu"] if self._interpreted else [d for d in super().devices() if d.startswith("cuda")]

    def missing(self) -> Mapping[str, str]:
        """What compiles is Triton itself; where it interprets it does not, and the other way round."""
        if self._interpreted:
            return {COMPILED: f"under {INTERPRET}=1 nothing is compiled"}
        return {INTERPRETED: f"the interpreter is a setting of the CPU, {INTERPRET}=1"}
