"""PyTorch. Values by its functional interface, gradients by ``torch.autograd.grad``."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from conformance.frameworks.interface import Array, Call, Implementation
from conformance.wire import dtype_of


class Torch:
    """Needs ``torch``; asks ``cpu`` and every CUDA or MPS device there is."""

    name = "torch"
    distribution = "torch"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    implementations = (
        Implementation(
            "torch.softmax", "softmax", "fused",
            lambda torch, x: torch.softmax(x, dim=-1),
        ),
        Implementation(
            "torch.log_softmax", "log_softmax", "fused",
            lambda torch, x: torch.log_softmax(x, dim=-1),
        ),
        Implementation(
            "torch.logsumexp", "logsumexp", "fused",
            lambda torch, x: torch.logsumexp(x, dim=-1),
        ),
        Implementation(
            "torch.nn.functional.cross_entropy:probabilities", "softmax_cross_entropy", "fused",
            lambda torch, x, p: torch.nn.functional.cross_entropy(x, p, reduction="none"),
        ),
        Implementation(
            "torch.nn.functional.cross_entropy:indices", "sparse_softmax_cross_entropy", "fused",
            lambda torch, x, y: torch.nn.functional.cross_entropy(x, y, reduction="none"),
        ),
        Implementation(
            "torch.log_softmax+nll_loss", "sparse_softmax_cross_entropy", "composed",
            lambda torch, x, y: torch.nn.functional.nll_loss(
                torch.log_softmax(x, dim=-1), y, reduction="none"
            ),
        ),
        Implementation("torch.sigmoid", "sigmoid", "fused", lambda torch, x: torch.sigmoid(x)),
        Implementation(
            "torch.nn.functional.logsigmoid", "log_sigmoid", "fused",
            lambda torch, x: torch.nn.functional.logsigmoid(x),
        ),
        Implementation("torch.logit", "logit", "fused", lambda torch, x: torch.logit(x)),
        Implementation(
            "torch.nn.functional.binary_cross_entropy_with_logits", "sigmoid_cross_entropy", "fused",
            lambda torch, x, z: torch.nn.functional.binary_cross_entropy_with_logits(
                x, z, reduction="none"
            ),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self._torch = torch

    def version(self) -> str:
        return str(self._torch.__version__)

    def environment(self) -> Mapping[str, str]:
        torch = self._torch
        found = {
            "cpu capability": torch.backends.cpu.get_cpu_capability(),
            "threads": str(torch.get_num_threads()),
            "oneDNN": str(torch.backends.mkldnn.is_available()),
            "machine": platform.machine(),
        }
        if torch.cuda.is_available():
            found["cuda"] = str(torch.version.cuda)
            for i in range(torch.cuda.device_count()):
                found[f"cuda:{i}"] = torch.cuda.get_device_name(i)
        return found

    def devices(self) -> Sequence[str]:
        torch = self._torch
        cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
        mps = ["mps"] if torch.backends.mps.is_available() else []
        return ["cpu", *cuda, *mps]

    def run(self, call: Call) -> Mapping[str, Array]:
        arguments = [self._tensor(a, call.device) for a in call.arguments]
        tensors = dict(zip(("grad_logits", "grad_labels"), arguments, strict=False))
        wanted = [o for o in call.outputs if o != "value"]
        for o in wanted:
            tensors[o].requires_grad_()
        value = call.implementation.call(self._torch, *arguments)
        results = {"value": value}
        if wanted:
            seed = self._tensor(call.cotangent, call.device).to(value.dtype)
            gradients = self._torch.autograd.grad(value, [tensors[o] for o in wanted], seed)
            results |= dict(zip(wanted, gradients, strict=True))
        return {o: self._array(results[o]) for o in call.outputs}

    def _tensor(self, array: Array, device: str) -> Any:
        torch = self._torch
        if array.dtype.name == "bfloat16":
            host = torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
        else:
            host = torch.from_numpy(array.copy())
        return host.to(device)

    def _array(self, tensor: Any) -> Array:
        host = tensor.detach().cpu().contiguous()
        if host.dtype == self._torch.bfloat16:
            bits: Array = host.view(self._torch.int16).numpy()
            return bits.view(dtype_of("bfloat16"))
        array: Array = host.numpy()
        return array
