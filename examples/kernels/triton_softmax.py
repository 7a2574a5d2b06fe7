"""A softmax in Triton, five lines, and what the suite says of it.

On a GPU it is compiled; without one, ``TRITON_INTERPRET=1 python triton_softmax.py`` runs the same program in
Triton's interpreter. Needs ``pip install triton torch``.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


@triton.jit
def rows_of_softmax(x, out, n, WIDTH: tl.constexpr):
    at, i = tl.program_id(0) * n, tl.arange(0, WIDTH)
    z = tl.load(x + at + i, mask=i < n, other=float("-inf"))
    e = tl.exp(z - tl.max(z, 0))
    tl.store(out + at + i, e / tl.sum(e, 0), mask=i < n)


def softmax(x: torch.Tensor) -> torch.Tensor:
    """Of logits ``(rows, N)``, a program a row."""
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    rows_of_softmax[(len(x),)](x.contiguous(), out, x.shape[1], triton.next_power_of_2(x.shape[1]))
    return out


if __name__ == "__main__":
    from xent_conformance import check

    checked = check(
        softmax,
        operator="softmax",
        framework="torch",
        device="cuda" if torch.cuda.is_available() else "cpu",
        dtypes=["float32"],
        differentiable=False,
        exclude=["tiles", "vocabularies", "state"],  # what an interpreter is slow at; it has no threads
    )
    print(checked)
    checked.raise_on_divergence()
