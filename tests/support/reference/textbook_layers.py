"""Textbook forms of a linear layer and its loss, step by step in the arithmetic of SPEC.md 8.1.

Whole logits, or chunks of examples; logits kept in the accumulator, or in the format; the gradient as one
sum of products, or the probabilities first and the label taken away.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from xent_conformance.reference.bounds.layer import Layer
from xent_conformance.reference.formats import BINARY32
from xent_conformance.reference.inputs import Inputs

CHUNK = 4


def _product(a: Arithmetic, left: Array, right: Array) -> Array:
    """``(n, k) × (k, m)``, each term and each partial sum rounded to the accumulator, in this order."""
    terms = left.astype(a.wide)[:, None, :] * right.astype(a.wide).T[None, :, :]
    if a.order in ("tree", "pairwise", "blocked"):
        while terms.shape[2] > 1:
            half = terms.shape[2] // 2
            rest = terms[:, :, 2 * half :]
            terms = np.concatenate([terms[:, :, :half] + terms[:, :, half : 2 * half], rest], axis=2)
        return np.asarray(terms[:, :, 0])
    total = terms[:, :, 0]
    for k in range(1, terms.shape[2]):
        total = total + terms[:, :, k]
    return np.asarray(total)


def logits(a: Arithmetic, hidden: Array, weight: Array, bias: Array | None, *, kept_wide: bool) -> Array:
    """As :func:`torch.nn.functional.linear` has them, or as a fused kernel has."""
    product = _product(a, hidden, weight.T)
    if kept_wide:
        return product if bias is None else product + bias.astype(a.wide)
    stored = product.astype(a.fmt.dtype)
    return stored if bias is None else stored + bias


def outputs(a: Arithmetic, inputs: Inputs, row: int, form: str) -> Mapping[str, Array]:
    """All outputs of one group, as the form computes them."""
    layer, given = Layer(inputs), inputs.attributes
    hidden, weight = a.of(layer.hidden[row]), a.of(layer.weight[row])
    bias = a.of(layer.bias[row]) if given.affine else None
    labels, c = inputs.labels[row].astype(int), a.of(inputs.cotangent[row])
    kept = labels != given.ignore_index
    count = a.of(kept.sum() if given.reduction == "mean" else 1)
    y, n = np.where(kept, labels, 0), inputs.n
    x = logits(a, hidden, weight, bias, kept_wide=form == "fused")
    working = a if x.dtype == a.fmt.dtype else Arithmetic(BINARY32, a.order, a.slop)
    m, e, total = working.exponentials(x)
    ell = (x - m) - working.log(total)
    loss = np.where(kept, -np.take_along_axis(ell, y[:, None], 1)[:, 0], 0).astype(a.wide)
    s = working.divide(e, total)
    factor = np.where(kept, working.divide(c, count)[0], 0).astype(s.dtype)[:, None]
    one_hot = (y[:, None] == np.arange(n)).astype(s.dtype)
    if form == "apart":  # Σ c s W first, and the label's row taken away from what was stored
        p, q = (factor * s).astype(a.fmt.dtype), (factor * one_hot).astype(a.fmt.dtype)
        by_hidden = _product(a, p, weight).astype(a.fmt.dtype) - _product(a, q, weight).astype(a.fmt.dtype)
        by_weight = _product(a, p.T, hidden).astype(a.fmt.dtype) - _product(a, q.T, hidden).astype(
            a.fmt.dtype
        )
        by_bias = p.astype(a.wide).sum(axis=0) - q.astype(a.wide).sum(axis=0)
    else:
        g = (factor * (s - one_hot)).astype(a.wide if form == "fused" else a.fmt.dtype)
        by_hidden, by_weight = _product(a, g, weight), _product(a, g.T, hidden)
        by_bias = g.astype(a.wide).sum(axis=0)
    value = loss.astype(a.fmt.dtype) if given.reduction == "none" else _total(a, loss, count)
    found = {"value": value, "grad_hidden": by_hidden.ravel(), "grad_weight": by_weight.ravel()}
    found |= {"grad_bias": by_bias} if given.affine else {}
    return {name: np.asarray(of).astype(a.fmt.dtype).astype(np.float64) for name, of in found.items()}


def _total(a: Arithmetic, losses: Array, count: Array) -> Array:
    whole = losses[:1]
    for one in losses[1:]:
        whole = whole + one
    return np.asarray((whole / count.astype(a.wide)).astype(a.fmt.dtype))
