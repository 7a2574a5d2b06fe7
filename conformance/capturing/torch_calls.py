"""How calls of PyTorch are read: each reader has the parameters of the function that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from xent_conformance.capturing.recorded import Array, Inexpressible, Reader, Recorded, given, per_class

IGNORED = -100
"""What ``cross_entropy`` ignores if nothing else is said."""


def _array(torch: Any, x: Any) -> Array:
    """The numbers of a tensor; those of a function that is being compiled or mapped are not there."""
    if not isinstance(x, torch.Tensor):
        raise Inexpressible(f"a {type(x).__name__} stands where a tensor is taken")
    try:
        host = x.detach().cpu().contiguous()
        if host.dtype == torch.bfloat16:
            return np.array(host.view(torch.int16).numpy()).view(ml_dtypes.bfloat16)
        return np.array(host.numpy())
    except (RuntimeError, TypeError) as error:
        raise Inexpressible(
            f"its tensors hold no numbers there ({str(error).splitlines()[0][:120]}): call it outside of "
            "torch.compile and torch.func"
        ) from None


def _maybe(torch: Any, x: Any) -> Array | None:
    return None if x is None else _array(torch, x)


def _cross_entropy(
    torch: Any,
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = IGNORED,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Recorded:
    _no_old_names(size_average, reduce)
    x, y = _array(torch, input), _array(torch, target)
    more = given(weight=_maybe(torch, weight), reduction=reduction, label_smoothing=label_smoothing or None)
    axis = min(1, x.ndim - 1)
    if y.dtype.kind not in "iu":
        return Recorded("softmax_cross_entropy", x, y, axis, more)
    if ignore_index != IGNORED or (y == ignore_index).any():
        more["ignore_index"] = int(ignore_index)
    return Recorded("sparse_softmax_cross_entropy", x, y, axis, more)


def _binary_cross_entropy_with_logits(
    torch: Any,
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Recorded:
    _no_old_names(size_average, reduce)
    x = _array(torch, input)
    more = given(
        weight=per_class(_maybe(torch, weight), x, "weight"),
        pos_weight=per_class(_maybe(torch, pos_weight), x, "pos_weight"),
        reduction=reduction,
    )
    return Recorded("sigmoid_cross_entropy", x, _array(torch, target), attributes=more)


def _no_old_names(size_average: Any, reduce: Any) -> None:
    if size_average is not None or reduce is not None:
        raise Inexpressible("size_average and reduce are old names: say reduction")


def _along(torch: Any, operator: str, x: Any, dim: Any, dtype: Any) -> Recorded:
    if not isinstance(dim, int):
        raise Inexpressible(f"dim is {dim!r}: say which axis has the classes")
    return Recorded(operator, _array(torch, x if dtype is None else x.to(dtype)), axis=dim)


def _softmax(torch: Any, input: Any, dim: Any = None, dtype: Any = None, out: Any = None) -> Recorded:
    return _along(torch, "softmax", input, dim, dtype)


def _log_softmax(torch: Any, input: Any, dim: Any = None, dtype: Any = None, out: Any = None) -> Recorded:
    return _along(torch, "log_softmax", input, dim, dtype)


def _functional_softmax(
    torch: Any,
    input: Any,
    dim: Any = None,
    _stacklevel: int = 3,
    dtype: Any = None,
) -> Recorded:
    return _along(torch, "softmax", input, dim, dtype)


def _functional_log_softmax(
    torch: Any,
    input: Any,
    dim: Any = None,
    _stacklevel: int = 3,
    dtype: Any = None,
) -> Recorded:
    return _along(torch, "log_softmax", input, dim, dtype)


def _logsumexp(torch: Any, input: Any, dim: Any, keepdim: bool = False, out: Any = None) -> Recorded:
    return _along(torch, "logsumexp", input, dim, None)


def _sigmoid(torch: Any, input: Any, out: Any = None) -> Recorded:
    return Recorded("sigmoid", _array(torch, input))


def _log_sigmoid(torch: Any, input: Any) -> Recorded:
    return Recorded("log_sigmoid", _array(torch, input))


class TorchCalls:
    """Needs ``torch``. Modules, ``CrossEntropyLoss`` and others, call these functions: they are seen too."""

    doors: Mapping[str, Mapping[str, Reader]] = {
        "torch.nn.functional": {
            "cross_entropy": _cross_entropy,
            "binary_cross_entropy_with_logits": _binary_cross_entropy_with_logits,
            "softmax": _functional_softmax,
            "log_softmax": _functional_log_softmax,
            "logsigmoid": _log_sigmoid,
        },
        "torch": {
            "softmax": _softmax,
            "log_softmax": _log_softmax,
            "logsumexp": _logsumexp,
            "sigmoid": _sigmoid,
        },
    }

    def __init__(self) -> None:
        import torch

        self.library = torch

    @property
    def version(self) -> str:
        return f"torch {self.library.__version__}"

    def finite(self, result: Any) -> bool:
        torch = self.library
        return not isinstance(result, torch.Tensor) or bool(torch.isfinite(result.detach()).all())
