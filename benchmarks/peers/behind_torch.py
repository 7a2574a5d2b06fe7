"""Kernels of arrays behind PyTorch's public names, at its own dispatcher.

An operator of ATen gets a kernel for CPU tensors with autograd: so functions, methods and modules all lead
to it, and what ATen composes of it too. What a kernel cannot take (whole numbers, nothing at all) is ATen's.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import ml_dtypes
import torch
from torch.autograd.function import once_differentiable

from benchmarks.peers.stage import Kernel, Stage
from xent_conformance.frameworks.interface import Array

Tensor: TypeAlias = torch.Tensor

REDUCTIONS = ("none", "mean", "sum")
"""By ATen's numbers."""


def _copy(t: Tensor) -> Tensor:
    """In memory of its own, laid out as it is: a kernel may look at strides, and overwrite what is given."""
    t, size = t.detach(), t.size()
    for d, stride in enumerate(t.stride()):
        t = t if stride else t.narrow(d, 0, 1)
    apart = torch.empty_strided(t.size(), t.stride(), dtype=t.dtype).copy_(t)
    return apart.expand(size)


def array(t: Tensor) -> Array:
    """A copy on the NumPy side, bfloat16 included."""
    host = _copy(t)
    if host.dtype == torch.bfloat16:
        bits: Array = host.view(torch.int16).numpy()
        return bits.view(ml_dtypes.bfloat16)
    found: Array = host.numpy()
    return found


def tensor(a: Array) -> Tensor:
    """The other way."""
    if a.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(a.view("int16").copy()).view(torch.bfloat16)
    return torch.from_numpy(a.copy())


class _Behind(torch.autograd.Function):  # type: ignore[misc]
    """The value by the kernel, and its gradients by the kernel's own."""

    @staticmethod
    def forward(
        ctx: Any, stage: Stage, operator: str, keywords: Mapping[str, Any], x: Tensor, y: Any
    ) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.stage, ctx.operator, ctx.keywords, ctx.kernel = stage, operator, keywords, stage.kernel
        labels = None if y is None else array(y)
        return tensor(stage.value(operator, array(x), labels, **keywords))

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *g: Tensor) -> Any:
        x, y = ctx.saved_tensors
        outputs = ["grad_logits"] if ctx.needs_input_grad[3] else []
        outputs += ["grad_labels"] if ctx.needs_input_grad[4] else []
        with ctx.stage.holding(ctx.kernel):
            found = ctx.stage.ask(
                ctx.operator,
                array(x),
                None if y is None else array(y),
                outputs=tuple(outputs),
                cotangent=array(g[0]),
                **ctx.keywords,
            )
        gradients = {name: tensor(a) for name, a in found.items()}
        return None, None, None, gradients.get("grad_logits"), gradients.get("grad_labels")


def _weights(name: str, weight: Tensor | None, n: int) -> dict[str, Any]:
    """A number a class, as the suite has it."""
    return {} if weight is None else {name: tuple(array(weight.expand(n).double()).tolist())}


class Doors:
    """ATen's operators by their schemas, in terms of the suite's. Each returns None for what it leaves."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def _put(self, operator: str, x: Tensor, y: Tensor | None = None, **keywords: Any) -> Tensor | None:
        if not (self.stage.has(operator) and x.is_floating_point() and x.numel()):
            return None
        found: Tensor = _Behind.apply(self.stage, operator, keywords, x, y)
        return found

    def _along(self, operator: str, x: Tensor, dim: int, dtype: torch.dtype | None) -> Tensor | None:
        x = x if dtype is None else x.to(dtype)
        if x.dim():
            return self._put(operator, x, axis=dim)
        found = self._put(operator, x.reshape(1))
        return None if found is None else found.reshape(())

    def softmax(self, x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor | None:
        return self._along("softmax", x, dim, dtype)

    def log_softmax(self, x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor | None:
        return self._along("log_softmax", x, dim, dtype)

    def logsumexp(self, x: Tensor, dim: list[int], keepdim: bool = False) -> Tensor | None:
        if not x.dim():
            found = self._put("logsumexp", x.reshape(1))
            return None if found is None else found.reshape(())
        axes = sorted(d % x.dim() for d in (dim or range(x.dim())))
        rest = [d for d in range(x.dim()) if d not in axes]
        flat = x.permute(*rest, *axes).reshape([x.shape[d] for d in rest] + [-1])
        found = self._put("logsumexp", flat)
        if found is None or not keepdim:
            return found
        return found.reshape([1 if d in axes else x.shape[d] for d in range(x.dim())])

    def elementwise(self, operator: str, x: Tensor, **keywords: Any) -> Tensor | None:
        found = self._put(operator, x if x.dim() else x.reshape(1), **keywords)
        return None if found is None else found.reshape(x.shape)

    def sigmoid(self, x: Tensor) -> Tensor | None:
        return self.elementwise("sigmoid", x)

    def log_sigmoid(self, x: Tensor) -> Tensor | None:
        return self.elementwise("log_sigmoid", x)

    def logit(self, x: Tensor, eps: float | None = None) -> Tensor | None:
        """Clamped beforehand, which is how PyTorch documents ``eps``; the clamp is ATen's."""
        return self.elementwise("logit", x if eps is None else x.clamp(eps, 1 - eps))

    def _binary(
        self, operator: str, x: Tensor, y: Tensor, reduction: int, **weights: Tensor | None
    ) -> Tensor | None:
        """Weights may have any shape that broadcasts: then every element is a class of one row."""
        given = {k: w for k, w in weights.items() if w is not None}
        if not x.is_floating_point() or x.shape != y.shape or y.dtype != x.dtype:
            return None
        of_classes = x.dim() > 0 and all(w.shape in ((), (1,), x.shape[-1:]) for w in given.values())
        keywords: dict[str, Any] = {"reduction": REDUCTIONS[reduction]}
        for name, w in given.items():
            wide = w if of_classes else w.expand(x.shape).reshape(-1)
            keywords |= _weights(name, wide, x.shape[-1] if of_classes else x.numel())
        if of_classes or (not given and x.dim()):
            return self._put(operator, x, y, **keywords)
        found = self._put(operator, x.reshape(1, -1), y.reshape(1, -1), **keywords)
        return found if found is None or reduction else found.reshape(x.shape)

    def binary_cross_entropy_with_logits(
        self,
        x: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
        pos_weight: Tensor | None = None,
        reduction: int = 1,
    ) -> Tensor | None:
        weights = {"weight": weight, "pos_weight": pos_weight}
        return self._binary("sigmoid_cross_entropy", x, y, reduction, **weights)

    def binary_cross_entropy(
        self, x: Tensor, y: Tensor, weight: Tensor | None = None, reduction: int = 1
    ) -> Tensor | None:
        return self._binary("binary_cross_entropy", x, y, reduction, weight=weight)

    def _indexed(self, operator: str, x: Tensor, y: Tensor, reduction: int, **keywords: Any) -> Tensor | None:
        """Classes on the second axis; of one example, on the only one."""
        keywords |= {"reduction": REDUCTIONS[reduction]}
        if x.dim() > 1:
            return self._put(operator, x, y, axis=1, **keywords)
        found = self._put(operator, x[None], y[None], axis=1, **keywords)
        return found if found is None or reduction else found.reshape(())

    def cross_entropy_loss(
        self,
        x: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
        reduction: int = 1,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ) -> Tensor | None:
        n = x.shape[1 if x.dim() > 1 else 0]
        keywords = {**_weights("weight", weight, n), "label_smoothing": label_smoothing}
        if y.shape == x.shape:
            return self._indexed("softmax_cross_entropy", x, y, reduction, **keywords)
        keywords["ignore_index"] = ignore_index
        return self._indexed("sparse_softmax_cross_entropy", x, y, reduction, **keywords)

    def nll_loss_nd(
        self,
        x: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
        reduction: int = 1,
        ignore_index: int = -100,
    ) -> Tensor | None:
        n = x.shape[1 if x.dim() > 1 else 0]
        keywords = {**_weights("weight", weight, n), "ignore_index": ignore_index}
        return self._indexed("negative_log_likelihood", x, y, reduction, **keywords)

    def kl_div(self, x: Tensor, y: Tensor, reduction: int = 1, *, log_target: bool = False) -> Tensor | None:
        """The suite's is a sum over classes: each element is a row of one class, summed by ATen."""
        operator = "kl_divergence_log_target" if log_target else "kl_divergence"
        if x.dtype != y.dtype:
            return None
        x, y = torch.broadcast_tensors(x, y)
        found = self._put(operator, x[..., None], y[..., None])
        return found if found is None or not reduction else found.mean() if reduction == 1 else found.sum()


SCHEMAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "softmax.int": ("softmax", ("softmax",)),
    "log_softmax.int": ("log_softmax", ("log_softmax",)),
    "logsumexp": ("logsumexp", ("logsumexp",)),
    "sigmoid": ("sigmoid", ("sigmoid",)),
    "log_sigmoid": ("log_sigmoid", ("log_sigmoid",)),
    "logit": ("logit", ("logit",)),
    "binary_cross_entropy_with_logits": ("binary_cross_entropy_with_logits", ("sigmoid_cross_entropy",)),
    "binary_cross_entropy": ("binary_cross_entropy", ("binary_cross_entropy",)),
    "cross_entropy_loss": ("cross_entropy_loss", ("softmax_cross_entropy", "sparse_softmax_cross_entropy")),
    "nll_loss_nd": ("nll_loss_nd", ("negative_log_likelihood",)),
    "kl_div": ("kl_div", ("kl_divergence", "kl_divergence_log_target")),
}
"""ATen's operator, the door that answers for it, and the operators of the suite behind that."""

_AXIS, _REDUCED = frozenset({"axis"}), frozenset({"reduction"})

TAKES: Mapping[str, frozenset[str]] = {
    "softmax": _AXIS,
    "log_softmax": _AXIS,
    "logsumexp": _AXIS,
    "sigmoid": frozenset(),
    "log_sigmoid": frozenset(),
    "logit": frozenset(),
    "sigmoid_cross_entropy": _REDUCED | {"weight", "pos_weight"},
    "binary_cross_entropy": _REDUCED | {"weight"},
    "softmax_cross_entropy": _AXIS | _REDUCED | {"weight", "label_smoothing"},
    "sparse_softmax_cross_entropy": _AXIS | _REDUCED | {"weight", "label_smoothing", "ignore_index"},
    "negative_log_likelihood": _AXIS | _REDUCED | {"weight", "ignore_index"},
    "kl_divergence": _AXIS,
    "kl_divergence_log_target": _AXIS,
}
"""By operator: the attributes that reach the kernel, and the axis that a caller of ``kl_div`` sums over."""


def _own(name: str) -> Callable[..., Tensor]:
    """What ATen itself does: composed of others, with their gradients; or a kernel of its own, without."""
    packet, _, overload = name.partition(".")
    op = getattr(getattr(torch.ops.aten, packet), overload or "default")

    def composed(*args: Any, **kwargs: Any) -> Tensor:
        found: Tensor = op.decompose(*args, **kwargs)
        return found

    def below(*args: Any, **kwargs: Any) -> Tensor:
        with torch._C._AutoDispatchBelowAutograd():
            found: Tensor = op(*args, **kwargs)
        return found

    has = torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), "CompositeImplicitAutograd")
    return composed if has else below


@contextlib.contextmanager
def behind(stage: Stage, kernel: Kernel) -> Iterator[None]:
    """Within, ATen's operators are the kernel's."""
    library = torch.library.Library("aten", "IMPL")
    try:
        with stage.holding(kernel), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that they are overridden is what is wanted
            for name, (door, operators) in SCHEMAS.items():
                if any(o in kernel.answers for o in operators):
                    library.impl(name, functools.partial(_either, stage, name, door), "AutogradCPU")
            yield
    finally:
        library._destroy()


def _either(stage: Stage, name: str, door: str, *args: Any, **kwargs: Any) -> Tensor:
    found: Tensor | None = getattr(Doors(stage), door)(*args, **kwargs)
    return _own(name)(*args, **kwargs) if found is None else found
