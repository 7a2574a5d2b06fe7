"""PyTorch's vocabulary-parallel loss: logits whose classes are spread over ranks (tensor parallelism).

All ranks are in this process: ``LocalTensorMode`` holds each rank's shard and runs the collectives between
them, behind a process group that sends nothing. So the algorithm of several devices is judged on one: shards
of uneven size, labels on another rank, a rank without a class. What the ranks hold alike must be alike to the
last bit, or the call is answered by an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import LOSS_PARALLEL, RANKS
from xent_conformance.frameworks.interface import Call, Implementation, NotOffered
from xent_conformance.frameworks.torch import Torch

INDEX = "torch.distributed.tensor.parallel.loss_parallel:cross_entropy"
LOG = "torch.distributed.tensor.parallel.loss_parallel:log_softmax"


class LossParallel(Torch):
    """Needs ``torch`` with ``torch.distributed._local_tensor``; the number of ranks is a setting."""

    name = "loss-parallel"
    distribution = "torch"
    modes: ClassVar = {"eager": "quick"}
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    glances: ClassVar = {}
    formats: ClassVar = {}
    widening: ClassVar = frozenset()
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = LOSS_PARALLEL
    sparse = False
    from_eight_bits: ClassVar[frozenset[str]] = frozenset()
    moving = ()
    layouts: ClassVar = frozenset()  # a shard is a copy
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            INDEX,
            "sparse_softmax_cross_entropy",
            "fused",
            lambda torch, x, y, **given: torch.nn.functional.cross_entropy(
                x, y, **{"reduction": "none", **given}
            ),
            takes=frozenset({"weight", "ignore_index", "reduction"}),
        ),
        Implementation(LOG, "log_softmax", "fused", lambda torch, x: torch.log_softmax(x, dim=-1)),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = ()

    def __init__(self) -> None:
        super().__init__()
        import torch.testing._internal.distributed.fake_pg  # registers the process group  # noqa: F401
        from torch import distributed
        from torch.distributed import _local_tensor, tensor
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.tensor.parallel import loss_parallel

        self._tensor_module, self._loss_parallel = tensor, loss_parallel
        ranks = int(os.environ.get(RANKS, "1"))
        distributed.init_process_group("fake", rank=0, world_size=ranks)
        self._mode: Callable[[], Any] = lambda: _local_tensor.LocalTensorMode(frozenset(range(ranks)))
        with self._mode():
            self._mesh = init_device_mesh("cpu", (ranks,))

    def environment(self) -> Mapping[str, str]:
        return {"ranks": os.environ.get(RANKS, "1"), **super().environment()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def missing(self) -> Mapping[str, str]:
        """Nothing is compiled."""
        return {}

    def _gradients(
        self, compute: Callable[..., Any], arguments: list[Any], cotangent: Any, call: Call
    ) -> dict[str, Any]:
        torch, tensor = self._torch, self._tensor_module
        x, *labels = arguments
        found = {}
        with self._mode(), self._loss_parallel():
            spread = tensor.distribute_tensor(x, self._mesh, [tensor.Shard(1)]).requires_grad_()
            value = compute(spread, *labels)
            if "grad_logits" in call.outputs:
                c = tensor.distribute_tensor(cotangent, self._mesh, value.placements)
                (gradient,) = torch.autograd.grad(value, spread, c)
                found["grad_logits"] = _alike(torch, gradient.full_tensor())
            found["value"] = _alike(torch, value.detach().full_tensor())
        return found


def _alike(torch: Any, everywhere: Any) -> Any:
    """What every rank holds. Raises RuntimeError where one holds another tensor."""
    first, *others = everywhere._local_tensors.values()
    bits = getattr(torch, f"int{8 * first.itemsize}")
    for other in others:
        if not torch.equal(first.contiguous().view(bits), other.contiguous().view(bits)):
            raise RuntimeError("what all ranks hold is not the same on each of them")
    return first
