"""A fused cross-entropy in Pallas, JAX's kernels, with a gradient of its own, and what the suite says of it.

On a CPU ``pallas_call(..., interpret=True)`` runs the same program. Needs ``pip install jax``.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

ROWS = 8
"""Rows of a block."""


def _wide(x: Any) -> Any:
    """Sums and exponentials in binary32 at least."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _shifted(x: Any) -> tuple[Any, Any]:
    """The logits below their maximum, and the logarithm of the sum of their exponentials."""
    z = _wide(x)
    z = z - jnp.max(z, axis=-1, keepdims=True)
    return z, jnp.log(jnp.sum(jnp.exp(z), axis=-1, keepdims=True))


def _chosen(y: Any, n: int) -> Any:
    """One where the class is the label; NaN in all of a row whose label is no class."""
    classes = jax.lax.broadcasted_iota(y.dtype, (y.shape[0], n), 1)
    inside = (y >= 0) & (y < n)
    return jnp.where(inside, (classes == y).astype(jnp.float32), jnp.nan)


def _forward_kernel(x: Any, y: Any, loss: Any) -> None:
    z, log_sum = _shifted(x[...])
    chosen = _chosen(y[...], z.shape[-1])
    # by where and not by a product: zero times a masked class, which is −∞, would be NaN
    mine = jnp.sum(jnp.where(chosen == 0, 0, z * chosen), axis=-1, keepdims=True)
    loss[...] = (log_sum - mine).astype(loss.dtype)


def _backward_kernel(x: Any, y: Any, c: Any, gradient: Any) -> None:
    z, log_sum = _shifted(x[...])
    share = jnp.exp(z - log_sum)
    gradient[...] = ((share - _chosen(y[...], z.shape[-1])) * _wide(c[...])).astype(gradient.dtype)


def _call(kernel: Any, width: int, x: Any, *columns: Any) -> Any:
    """The kernel on blocks of rows; the last block is filled up."""
    rows = len(x)
    if not rows:  # a grid has a program at least
        return jnp.zeros((0, width), x.dtype)
    blocks = -(-rows // ROWS)
    filled = [jnp.pad(a, ((0, blocks * ROWS - rows), (0, 0))) for a in (x, *columns)]
    found = pl.pallas_call(
        kernel,
        grid=(blocks,),
        in_specs=[pl.BlockSpec((ROWS, a.shape[1]), lambda i: (i, 0)) for a in filled],
        out_specs=pl.BlockSpec((ROWS, width), lambda i: (i, 0)),
        out_shape=jax.ShapeDtypeStruct((blocks * ROWS, width), x.dtype),
        interpret=jax.default_backend() == "cpu",
    )(*filled)
    return found[:rows]


@jax.custom_vjp
def cross_entropy(x: Any, y: Any) -> Any:
    """Logits ``(rows, N)``, labels ``(rows,)``: a loss a row."""
    return _call(_forward_kernel, 1, x, _column(y))[:, 0]


def _column(y: Any) -> Any:
    """Labels of 8 bits are compared with classes that need more: the suite has found this."""
    return y.astype(jnp.int64 if y.dtype.itemsize == 8 else jnp.int32)[:, None]


def _forward(x: Any, y: Any) -> Any:
    return cross_entropy(x, y), (x, y)


def _backward(saved: Any, c: Any) -> Any:
    x, y = saved
    return _call(_backward_kernel, x.shape[1], x, _column(y), c[:, None]), None


cross_entropy.defvjp(_forward, _backward)

if __name__ == "__main__":
    from xent_conformance import check

    checked = check(
        cross_entropy,
        operator="sparse_softmax_cross_entropy",
        framework="jax",
        mode="jit",
        differentiable="once",  # custom_vjp is for reverse mode alone
    )
    print(checked)
    checked.raise_on_divergence()
