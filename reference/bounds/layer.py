"""Bounds of a linear layer and the loss of its logits: SPEC.md 8.22.

A logit of the layer has an error of its own, which is nothing where no product and no partial sum is rounded,
in whatever order; the loss of logits that have such errors is 8.14's, its reduction 8.12's. The gradients
are sums over the classes, or over the examples, of what each element of the gradient by the logits is off by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from xent_conformance.reference.bounds.before import Before
from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.reductions import of_examples, reduced
from xent_conformance.reference.bounds.sizes import SATURATED, Sizes
from xent_conformance.reference.bounds.softmax import SOFTMAX
from xent_conformance.reference.exact.enclosure import Bools
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs, step_of

LOSS = "sparse_softmax_cross_entropy"

OF_THE_LOSS = ("s", "L", "rest", "f", "by")
"""Sizes that the loss of the logits has."""


@dataclass(frozen=True)
class Layer:
    """Hidden states ``(groups, M, H)``, weights ``(groups, N, H)`` and bias ``(groups, N)`` of a batch."""

    inputs: Inputs

    @cached_property
    def hidden(self) -> Floats:
        return self._part(0).reshape(len(self.inputs), -1, self.inputs.attributes.features)

    @cached_property
    def weight(self) -> Floats:
        return self._part(1).reshape(len(self.inputs), -1, self.inputs.attributes.features)

    @cached_property
    def bias(self) -> Floats:
        """Zeros where there is none."""
        given = self._part(2)
        return given if given.size else np.zeros((len(self.inputs), self.inputs.n))

    def _part(self, which: int) -> Floats:
        return self.inputs.logits[:, self.inputs.attributes.parts(self.inputs.logits.shape[1])[which]]

    @cached_property
    def sizes(self) -> Floats:
        """``Σ_j |h_mj W_ij| + |b_i|``, ``(groups, M, N)``."""
        products = np.einsum("gmh,gnh->gmn", np.abs(self.hidden), np.abs(self.weight))
        return np.asarray(products + np.abs(self.bias)[:, None, :], dtype=np.float64)

    @cached_property
    def exact(self) -> Bools:
        """Where every product and every partial sum of a logit is a number of the format (6.15)."""
        features, fmt = self.inputs.attributes.features, self.inputs.format
        of_hidden, of_weight = (step_of(a.reshape(-1, features)) for a in (self.hidden, self.weight))
        groups, n = len(self.inputs), self.inputs.n
        step = of_hidden.reshape(groups, -1, 1) * of_weight.reshape(groups, 1, n)
        of_bias = step_of(self.bias.reshape(-1, 1)).reshape(groups, 1, n)
        step = np.where(self.bias[:, None, :] == 0, step, np.minimum(step, of_bias))
        within = (self.sizes < 2.0**fmt.precision * step) & (step >= fmt.smallest_subnormal)
        return np.asarray(within, dtype=np.bool_)

    def errors(self, logits: Floats) -> Floats:
        """``e`` of each logit, in units of u: its sum in the accumulator, and what is stored of it."""
        a, fmt = self.inputs.attributes, self.inputs.format
        summed = sum_of(self.inputs, a.features + a.affine) * self.sizes / fmt.u
        stored = np.zeros_like(logits)
        if fmt.u_accumulate < fmt.u:  # the product, and the sum with a bias, each rounded to the format
            product = np.abs(logits - self.bias[:, None, :])
            stored = product + (np.abs(logits) if a.affine else 0.0) + 2 * fmt.u * summed
        underflow = (a.features + 1) * fmt.smallest_subnormal / fmt.u
        return np.where(self.exact, 0.0, summed + stored + underflow)


def sum_of(inputs: Inputs, terms: int) -> float:
    """Relative error of so many products and their sum in any order, in an accumulator (8.1)."""
    return float(min(terms * inputs.format.u_accumulate, SATURATED))


@dataclass(frozen=True)
class Behind(Sizes):
    """Sizes of a loss whose logits ``y`` a layer makes, with errors of their ``own``, or with none."""

    y: Floats
    own: Floats | None

    @cached_property
    def x(self) -> Floats:
        return self.y

    @cached_property
    def before(self) -> Before:
        return Before(self.inputs, self.y, self.reference_sizes, self.own)


def of_a_layer(
    inputs: Inputs, output: str, values: Mapping[str, Floats], sizes: Mapping[str, Floats]
) -> Bound:
    """The bound of one output of a batch of layers."""
    layer, loss = Layer(inputs), _Loss(inputs, sizes)
    if output == "value":
        return loss.value(layer, values)
    g, n = loss.gradient(layer), inputs.n
    textbook = loss.apart
    if output == "grad_hidden":
        return _chained(inputs, "gmn,gnh->gmh", g, sizes["g"], textbook, layer.weight, n)
    examples = inputs.attributes.examples or 0
    if output == "grad_weight":
        return _chained(inputs, "gmn,gmh->gnh", g, sizes["g"], textbook, layer.hidden, examples)
    one = np.ones((len(inputs), examples, 1))
    return _chained(inputs, "gmn,gmh->gnh", g, sizes["g"], textbook, one, examples)


@dataclass(frozen=True)
class _Loss:
    """The loss behind the layer, as a batch of its own."""

    inputs: Inputs
    sizes: Mapping[str, Floats]

    @cached_property
    def logits(self) -> Floats:
        """``(groups, M, N)``."""
        return self.sizes["x"].reshape(len(self.inputs), -1, self.inputs.n)

    @cached_property
    def of_logits(self) -> Inputs:
        """What the loss is asked, with the logits as the format has them; bounds are taken where they are."""
        a, op = self.inputs.attributes, self.inputs
        reduction = "sum" if a.reduction == "none" else a.reduction
        plain = replace(a, features=0, affine=False, reduction=reduction)
        nearest = op.format.nearest(self.logits.reshape(len(op), -1))
        return Inputs(LOSS, op.format, nearest, op.labels, op.cotangent, plain)

    @cached_property
    def of_the_loss(self) -> Mapping[str, Floats]:
        return {name: self.sizes[name] for name in OF_THE_LOSS}

    @cached_property
    def apart(self) -> Floats:
        """``|c| (s_i + [i = y])``: the terms of each element of the gradient, added up apart."""
        shape = self.logits.shape
        labels = self.inputs.labels.reshape(shape[0], shape[1], 1)
        kept = labels != self.inputs.attributes.ignore_index
        terms = self.sizes["s"].reshape(shape) + (labels == np.arange(shape[2]))
        factor = np.abs(self.inputs.cotangent / self.sizes["by"])[:, :, None]
        return np.asarray(np.where(kept, factor * terms, 0.0), dtype=np.float64)

    def of_row(self, layer: Layer, output: str) -> Callable[[Sizes], Bound]:
        """The loss's own bound; of an example whose logits are exact, that of given logits."""
        y = self.logits.reshape(-1, self.inputs.n)
        own = layer.errors(self.logits).reshape(y.shape)
        moving = (own > 0).any(axis=1, keepdims=True)

        def bound(z: Sizes) -> Bound:
            given, made = (
                SOFTMAX[LOSS, output](Behind(z.inputs, z.values, z.reference_sizes, y, e))
                for e in (None, own)
            )
            return Bound(
                np.where(moving, made.accurate, given.accurate),
                np.where(moving, made.stable, given.stable),
                np.where(moving, made.flush, given.flush),
            )

        return bound

    def value(self, layer: Layer, values: Mapping[str, Floats]) -> Bound:
        of_row = self.of_row(layer, "value")
        if self.inputs.attributes.reduction != "none":
            inner = of_row(of_examples(self.of_logits, self.of_the_loss))
            whole = reduced(self.of_logits, values["value"], self.of_the_loss, inner, scalar=True)
            return replace(whole, stable=np.maximum(whole.accurate, whole.stable))
        each = values["value"].reshape(-1, 1)
        apart = {name: self.sizes[name].reshape(len(each), -1) for name in ("s", "L", "rest")}
        found = of_row(Sizes(self.of_logits.apart, {"value": each}, apart))
        shape = values["value"].shape
        return Bound(*(a.reshape(shape) for a in (found.accurate, found.stable, found.flush)))

    def gradient(self, layer: Layer) -> Bound:
        """Of the gradient by the logits, ``(groups, M, N)``."""
        inner = self.of_row(layer, "grad_logits")(of_examples(self.of_logits, self.of_the_loss))
        found = reduced(self.of_logits, self.sizes["g"], self.of_the_loss, inner, scalar=False)
        shape = self.logits.shape
        return Bound(*(a.reshape(shape) for a in (found.accurate, found.stable, found.flush)))


def _chained(
    inputs: Inputs, over: str, g: Bound, exact: Floats, textbook: Floats, by: Floats, terms: int
) -> Bound:
    """Of ``Σ g · by``: what each ``g`` is off by; products, their sum in any order, and what comes after it.

    Stable adds up ``c s_i`` and ``−c [i = y]`` apart, which is how losses that never hold all logits do it.
    """
    fmt, size = inputs.format, np.abs(by)
    more = sum_of(inputs, terms + 1) + (4 if fmt.u_accumulate < fmt.u else 2) * fmt.u
    underflow = (terms + 3) * (1 + np.abs(inputs.cotangent))

    def summed(a: Floats) -> Floats:
        return np.asarray(np.einsum(over, a, size), dtype=np.float64).reshape(len(inputs), -1)

    elements = np.abs(exact).reshape(textbook.shape)
    tiny, least = fmt.smallest_normal * underflow, fmt.smallest_subnormal * underflow
    accurate = (1 + more) * summed(g.accurate) + more * summed(elements) + least
    stable = (1 + more) * summed(g.stable) + more * summed(np.maximum(textbook, elements)) + least
    return Bound(accurate, np.maximum(accurate, stable), summed(g.flush) + tiny)
