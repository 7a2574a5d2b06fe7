"""A fused cross-entropy in Triton, and what the suite says of it.

On a GPU it is compiled; without one, ``TRITON_INTERPRET=1 python triton_cross_entropy.py`` runs the same
program in Triton's interpreter: its algorithm and its host code are judged, the last bits of a GPU's ``exp``
and ``log`` are not. Needs ``pip install triton torch``.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

BLOCK = 128


@triton.jit
def _forward(x, y, loss, log_sum, stride, column, n, WIDE: tl.constexpr, BLOCK: tl.constexpr):
    """A row a program: its maximum and its sum in one pass, blocks of classes at a time."""
    kind = tl.float64 if WIDE else tl.float32
    row = tl.program_id(0)
    start = x + row.to(tl.int64) * stride
    top = tl.full((1,), float("-inf"), kind)
    total = tl.zeros((1,), kind)
    for first in range(0, n, BLOCK):
        at = first + tl.arange(0, BLOCK)
        z = tl.load(start + at.to(tl.int64) * column, mask=at < n, other=float("-inf")).to(kind)
        above = tl.maximum(top, tl.max(z, 0))
        safe = tl.where(above == float("-inf"), 0.0, above)  # a block of classes that are all masked
        total = total * tl.exp(top - safe) + tl.sum(tl.exp(z - safe), 0)
        top = above
    label = tl.load(y + row)
    inside = (label >= 0) & (label < n)
    mine = tl.load(start + label * column, mask=inside, other=float("nan")).to(kind)
    # the differences first: a common offset of all logits leaves the loss as it is
    tl.store(loss + row + tl.arange(0, 1), tl.log(total) - (mine - top))
    tl.store(log_sum + 2 * row + tl.arange(0, 1), top)
    tl.store(log_sum + 2 * row + 1 + tl.arange(0, 1), tl.log(total))


@triton.jit
def _backward(x, y, log_sum, cotangent, gradient, stride, column, n, WIDE: tl.constexpr, BLOCK: tl.constexpr):
    """``(softmax − one_hot) · cotangent``; NaN where the label is no class."""
    kind = tl.float64 if WIDE else tl.float32
    row = tl.program_id(0)
    top, rest = tl.load(log_sum + 2 * row), tl.load(log_sum + 2 * row + 1)
    label, c = tl.load(y + row), tl.load(cotangent + row).to(kind)
    c = tl.where((label >= 0) & (label < n), c, float("nan"))
    for first in range(0, n, BLOCK):
        at = first + tl.arange(0, BLOCK)
        start = x + row.to(tl.int64) * stride
        z = tl.load(start + at.to(tl.int64) * column, mask=at < n, other=float("-inf")).to(kind)
        share = tl.exp((z - top) - rest)
        tl.store(gradient + row.to(tl.int64) * n + at, (share - (at == label)) * c, mask=at < n)


class CrossEntropy(torch.autograd.Function):
    """``CrossEntropy.apply(logits, labels)``: logits ``(rows, N)``, labels ``(rows,)``, a loss a row."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        rows, n = x.shape
        y = y.contiguous()  # the kernels step over labels one by one: the suite has found this
        kind = torch.float64 if x.dtype == torch.float64 else torch.float32
        loss = torch.empty(rows, dtype=kind, device=x.device)
        log_sum = torch.empty(rows, 2, dtype=kind, device=x.device)
        if rows:
            _forward[(rows,)](x, y, loss, log_sum, *x.stride(), n, kind == torch.float64, BLOCK)
        ctx.save_for_backward(x, y, log_sum)
        return loss.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor, None]:
        x, y, log_sum = ctx.saved_tensors
        rows, n = x.shape
        gradient = torch.empty(rows, n, dtype=log_sum.dtype, device=x.device)
        if rows:
            wide = log_sum.dtype == torch.float64
            c = cotangent.contiguous()
            _backward[(rows,)](x, y, log_sum, c, gradient, *x.stride(), n, wide, BLOCK)
        return gradient.to(x.dtype), None


if __name__ == "__main__":
    from xent_conformance import check

    checked = check(
        CrossEntropy.apply,
        operator="sparse_softmax_cross_entropy",
        framework="torch",
        device="cuda" if torch.cuda.is_available() else "cpu",
        dtypes=["float32", "float16", "float64"],
        differentiable="once",  # a backward, and none of it
        exclude=["tiles", "vocabularies"],  # an interpreter takes minutes for them; a GPU does not
    )
    print(checked)
    checked.raise_on_divergence()
