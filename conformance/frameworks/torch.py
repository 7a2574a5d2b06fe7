"""PyTorch. Values by its functional interface, gradients by ``torch.autograd.grad``."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from conformance.frameworks.interface import Array, Call, Implementation
from conformance.wire import dtype_of


def _unreduced(given: dict[str, Any]) -> dict[str, Any]:
    return {"reduction": "none", **given}


class Torch:
    """Needs ``torch``; asks ``cpu`` and every CUDA or MPS device there is."""

    name = "torch"
    distribution = "torch"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    moving = ("jvp", "hvp")
    layouts: ClassVar = frozenset(
        {
            "transposed",
            "strided",
            "sliced",
            "misaligned",
            "broadcast",
            "class_last",
            "cotangent_broadcast",
        }
    )  # NumPy's negative strides have no counterpart in torch
    implementations = (
        Implementation(
            "torch.softmax", "softmax", "fused",
            lambda torch, x, axis=-1, **out: torch.softmax(x, dim=axis, **out),
            takes=frozenset({"axis", "out"}),
        ),
        Implementation(
            "torch.log_softmax", "log_softmax", "fused",
            lambda torch, x, axis=-1, **out: torch.log_softmax(x, dim=axis, **out),
            takes=frozenset({"axis", "out"}),
        ),
        Implementation(
            "torch.logsumexp", "logsumexp", "fused",
            lambda torch, x, axis=-1, **out: torch.logsumexp(x, dim=axis, **out),
            takes=frozenset({"axis", "out"}),
        ),
        Implementation(
            "torch.nn.functional.cross_entropy:probabilities", "softmax_cross_entropy", "fused",
            lambda torch, x, p, **given: torch.nn.functional.cross_entropy(x, p, **_unreduced(given)),
            takes=frozenset({"weight", "label_smoothing", "reduction"}),
            class_axis="second",
        ),
        Implementation(
            "torch.nn.functional.cross_entropy:indices", "sparse_softmax_cross_entropy", "fused",
            lambda torch, x, y, **given: torch.nn.functional.cross_entropy(x, y, **_unreduced(given)),
            takes=frozenset({"weight", "label_smoothing", "ignore_index", "reduction"}),
            class_axis="second",
        ),
        Implementation(
            "torch.log_softmax+nll_loss", "sparse_softmax_cross_entropy", "composed",
            lambda torch, x, y, **given: torch.nn.functional.nll_loss(
                torch.log_softmax(x, dim=min(1, x.ndim - 1)), y, **_unreduced(given)
            ),
            takes=frozenset({"weight", "ignore_index", "reduction"}),
            class_axis="second",
        ),
        Implementation(
            "torch.sigmoid", "sigmoid", "fused", lambda torch, x, **out: torch.sigmoid(x, **out),
            takes=frozenset({"out"}),
        ),
        Implementation(
            "torch.nn.functional.logsigmoid", "log_sigmoid", "fused",
            lambda torch, x, **out: torch.nn.functional.logsigmoid(x, **out),
            takes=frozenset({"out"}),
        ),
        Implementation(
            "torch.logit", "logit", "fused", lambda torch, x, **out: torch.logit(x, **out),
            takes=frozenset({"out"}),
        ),
        Implementation(
            "torch.nn.functional.binary_cross_entropy_with_logits", "sigmoid_cross_entropy", "fused",
            lambda torch, x, z, **given: torch.nn.functional.binary_cross_entropy_with_logits(
                x, z, **_unreduced(given)
            ),
            takes=frozenset({"weight", "pos_weight", "reduction"}),
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
        cotangent = self._tensor(call.cotangent, call.device)
        keywords = self._keywords(call, arguments[0], cotangent)

        def compute(*tensors: Any) -> Any:
            return call.implementation.call(self._torch, *tensors, **keywords)

        results: dict[str, Any] = {}
        if call.tangent is not None:
            results = self._along(compute, arguments, cotangent, self._tensor(call.tangent, call.device))
        else:
            results = self._gradients(compute, arguments, cotangent, call.outputs)
        if "out" in keywords:
            results["value"] = keywords["out"]  # what was written, whatever was returned
        return {o: self._array(results[o]) for o in call.outputs}

    def _keywords(self, call: Call, like: Any, cotangent: Any) -> dict[str, Any]:
        torch = self._torch
        keywords = {
            name: torch.tensor(given, dtype=like.dtype, device=like.device)
            if isinstance(given, tuple)
            else given
            for name, given in call.keywords.items()
        }
        if "out" in keywords:
            keywords["out"] = torch.full(cotangent.shape, 7.0, dtype=like.dtype, device=like.device)
        return keywords

    def _gradients(
        self, compute: Callable[..., Any], arguments: list[Any], cotangent: Any, outputs: Sequence[str]
    ) -> dict[str, Any]:
        tensors = dict(zip(("grad_logits", "grad_labels"), arguments, strict=False))
        wanted = [o for o in outputs if o != "value"]
        for o in wanted:
            tensors[o].requires_grad_()
        value = compute(*arguments)
        if not wanted:
            return {"value": value}
        gradients = self._torch.autograd.grad(value, [tensors[o] for o in wanted], cotangent.to(value.dtype))
        return {"value": value, **dict(zip(wanted, gradients, strict=True))}

    def _along(
        self, compute: Callable[..., Any], arguments: list[Any], cotangent: Any, tangent: Any
    ) -> dict[str, Any]:
        """``jvp`` in forward mode, ``hvp`` as the gradient of the gradient."""
        torch, (x, *labels) = self._torch, arguments
        with torch.autograd.forward_ad.dual_level():
            moved = compute(torch.autograd.forward_ad.make_dual(x, tangent), *labels)
            jvp = torch.autograd.forward_ad.unpack_dual(moved).tangent
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(compute(x, *labels), x, cotangent, create_graph=True)
        (hvp,) = torch.autograd.grad(gradient, x, tangent)
        return {"jvp": jvp, "hvp": hvp}

    def _tensor(self, array: Array, device: str) -> Any:
        torch = self._torch
        bits = array.view(np.int16) if array.dtype.name == "bfloat16" else array
        # strides are kept: a layout is part of what is asked
        host = torch.from_numpy(bits if bits.flags.writeable else bits.copy())
        return (host.view(torch.bfloat16) if bits is not array else host).to(device)

    def _array(self, tensor: Any) -> Array:
        host = tensor.detach().cpu().contiguous()
        if host.dtype == self._torch.bfloat16:
            bits: Array = host.view(self._torch.int16).numpy()
            return bits.view(dtype_of("bfloat16"))
        array: Array = host.numpy()
        return array
