"""Hypotheses about labels, dense and by index: another label than the one that was given. SPEC.md §6."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from xent_conformance.diagnosis.formulas import (
    BINARY,
    DENSE,
    GIVEN_BINARY,
    GIVEN_DENSE,
    GIVEN_SPARSE,
    LIKELIHOOD,
    LOGSUMEXP,
    SPARSE,
)
from xent_conformance.diagnosis.hypothesis import Change, Hypothesis, Of, on, rows
from xent_conformance.diagnosis.situation import Array, Situation

VALUE_AND_GRADIENT = ("value", "grad_logits", "jvp", "hvp")
LABELLED = on((DENSE, BINARY, GIVEN_DENSE, GIVEN_BINARY), VALUE_AND_GRADIENT)
OF_DENSE = on(DENSE, VALUE_AND_GRADIENT)
INDEXED = on((SPARSE, LIKELIHOOD, GIVEN_SPARSE))


def labels(changed: Of) -> Change:
    """``changed(z)`` in the place of dense labels."""

    def change(z: Situation) -> Situation:
        new = changed(z)
        return z.but(p=np.asarray(new).astype(z.a.working))

    return change


def _nearly_normal(z: Situation) -> Array:
    mass = z.total(z.p)
    return np.where(np.abs(mass - z.one) < 0.01, z.p / mass, z.p)


def _largest(z: Situation) -> Array:
    hot = np.argmax(z.p, axis=1)[:, None] == np.arange(z.n)
    return np.where(np.isnan(z.p), z.of(np.nan), z.of(hot))


def taken_for_one(z: Situation) -> Situation:
    """The labels' sum is not looked at."""
    if z.output == "grad_logits":
        found = z.c * (z.s - z.q)
        return z.but(rows=(found, np.abs(z.c) * np.maximum(np.abs(z.s), np.abs(z.q))))
    if z.output == "jvp":
        mean, own = z.total(z.s * z.v), z.total(z.q * z.v)
        return z.but(rows=(mean - own, z.total(np.abs(z.s * z.v)) + z.total(np.abs(z.q * z.v))))
    sized = np.maximum(np.abs(z.v), np.abs(z.total(z.s * z.v)))
    return z.but(rows=(z.c * z.s * z.along(z.v), np.abs(z.c) * z.s * sized))


def precisely_for_one(z: Situation) -> Situation:
    """``c (s (1 − q) − q (1 − s))``: the same, in which a hard label does not cancel, and NaN is not lost."""
    up, down = z.s * (z.one - z.q), z.q * z.rest
    found = np.where(np.isnan(z.total(z.q)), z.of(np.nan), z.c * (up - down))
    return z.but(rows=(found, np.abs(z.c) * np.maximum(np.abs(up), np.abs(down))))


def softmax_twice(z: Situation) -> Situation:
    return z.but(x=z.s)


def narrow_labels(z: Situation, name: str) -> Situation:
    dtype = np.dtype(getattr(ml_dtypes, name, None) or name)
    return z.but(p=z.p.astype(dtype).astype(z.a.working))


# --- indices -----------------------------------------------------------------------------------------


def index(changed: Of, *, strangers: bool = True) -> Change:
    """``changed(z)`` in the place of the indices; where ``strangers``, of those that name no class too."""

    def change(z: Situation) -> Situation:
        new = np.asarray(changed(z)).astype(np.int64)
        kept = z.ignored if strangers else z.ignored | z.outside
        return z.but(index=np.where(kept, z.index, new), ignored=z.ignored)

    return change


def _through_format(z: Situation) -> Array:
    y = np.clip(z.index, -(2**62), 2**62).astype(np.float64).astype(z.format.dtype).astype(np.float64)
    return np.minimum(np.where(np.isfinite(y), y, 0), z.n - 1)


def _two_at_a_time(z: Situation) -> Array:
    """Of 32 bits, read as 64: two at a time, and zeros behind the end."""
    flat = z.index.reshape(-1).astype(np.int32)
    buffer = flat.tobytes() + bytes(4 * flat.size)
    return np.frombuffer(buffer, np.int64).reshape(z.index.shape)


def from_the_end(z: Situation) -> Situation:
    """As NumPy has it: −1 is the last class."""
    wrapped = np.where((z.index < 0) & ~z.ignored, z.index + z.n, z.index)
    return z.but(index=wrapped, ignored=z.ignored)


def clamped(z: Situation) -> Situation:
    return z.but(outside=np.zeros_like(z.outside))


def no_class(z: Situation) -> Situation:
    """The probabilities alone, or nothing, where an index names no class."""
    return z.but(p=np.where(z.outside, z.of(0.0), z.p), outside=np.zeros_like(z.outside))


def silent(z: Situation) -> Situation:
    found, sized = z.rows
    return z.but(rows=(np.where(z.outside, z.of(0.0), found), sized), counted=z.counted)


def logsumexp_alone(z: Situation) -> Situation:
    """What is taken away is nothing where an index names no class: the derivative of logsumexp is left."""
    found, sized = z.rows
    alone, by = z.right[LOGSUMEXP, z.output](z)
    return z.but(rows=(np.where(z.outside, alone, found), np.where(z.outside, by, sized)))


LABELS = (
    Hypothesis(
        "labels taken to sum to one",
        "the gradient is softmax − labels, which is the derivative only where the labels sum to one",
        "SPEC.md 6.2; TensorFlow's documentation of SoftmaxCrossEntropyWithLogits",
        on(DENSE, ("grad_logits", "jvp", "hvp")),
        taken_for_one,
        rank=2,
        steps=True,
    ),
    Hypothesis(
        "labels taken to sum to one",
        "the same, from complements that do not cancel where the label is hard",
        "SPEC.md 6.2",
        on(DENSE, "grad_logits"),
        precisely_for_one,
        rank=2,
        variant="precisely",
    ),
    Hypothesis(
        "labels are normalised",
        "labels are divided by their sum before anything is computed",
        "SPEC.md 6.1",
        OF_DENSE,
        labels(lambda z: z.p / z.total(np.abs(z.p))),
    ),
    Hypothesis(
        "labels that nearly sum to one are normalised",
        "a sum within a per cent of one is taken for a rounding error of the labels",
        "SPEC.md 6.1",
        OF_DENSE,
        labels(_nearly_normal),
        rank=4,
    ),
    Hypothesis(
        "the label is the largest entry",
        "dense labels are taken for one class, that of their largest entry",
        "SPEC.md 6.1",
        OF_DENSE,
        labels(_largest),
    ),
    Hypothesis(
        "negative labels are cut",
        "a label below zero is taken for zero",
        "SPEC.md 6.1",
        LABELLED,
        labels(lambda z: np.where(z.p < 0, z.of(0.0), z.p)),
        rank=2,
    ),
    Hypothesis(
        "labels are clamped",
        "a label outside of [0, 1] is taken for the nearer end",
        "SPEC.md 6.1",
        LABELLED,
        labels(lambda z: np.clip(z.p, z.of(0.0), z.one)),
    ),
    Hypothesis(
        "a NaN label is zero",
        "a NaN among the labels is taken for no label",
        "SPEC.md 3.2",
        LABELLED,
        labels(lambda z: np.where(np.isnan(z.p), z.of(0.0), z.p)),
        rank=1,
    ),
    Hypothesis(
        "outside of the domain is NaN",
        "a divergence less an entropy: the logarithm of a label, which is NaN where that is negative",
        "SPEC.md 6.1; torch.nn.KLDivLoss, by xlogy",
        on(DENSE, "value"),
        rows(lambda z: (np.where((z.p < 0).any(axis=1, keepdims=True), z.of(np.nan), z.rows[0]), z.rows[1])),
        rank=4,
        variant="of a label",
    ),
    Hypothesis(
        "labels are truncated",
        "labels are cast to whole numbers: what is below one is zero",
        "SPEC.md 6.5",
        LABELLED,
        labels(lambda z: np.trunc(z.p)),
    ),
    Hypothesis(
        "labels are rounded to whole numbers",
        "a soft label is taken for the nearer of 0 and 1",
        "SPEC.md 6.1",
        LABELLED,
        labels(lambda z: np.rint(z.p)),
    ),
    Hypothesis(
        "labels are cast to fewer bits",
        "labels are rounded to a format of 16 bits on their way",
        "SPEC.md 6.5",
        LABELLED,
        narrow_labels,
        parameters=("float16", "bfloat16"),
    ),
    Hypothesis(
        "softmax applied twice",
        "the loss takes probabilities for logits",
        "SPEC.md §0; the most common mistake of users",
        on((DENSE, SPARSE), "value"),
        softmax_twice,
    ),
    Hypothesis(
        "only positive labels count",
        "−z log σ(x): the term of the negative labels is left out",
        "SPEC.md §0",
        on(BINARY, "value"),
        rows(lambda z: (z.product(z.positive, z.softplus_minus), z.softplus_minus)),
    ),
    Hypothesis(
        "softmax for sigmoid",
        "elements compete: a probability is one of a softmax, and its complement",
        "SPEC.md §0",
        on(BINARY, "value"),
        rows(lambda z: (-z.product(z.positive, z.ell) - z.product(z.negative, np.log1p(-z.s)), 1.0)),
    ),
    # --- indices
    Hypothesis(
        "a negative index counts from the end",
        "the index is looked up as an array's is: −1 is the last class",
        "SPEC.md 6.4; NumPy's and JAX's indexing",
        INDEXED,
        from_the_end,
        rank=2,
    ),
    Hypothesis(
        "an index is clamped",
        "an index beyond the classes is taken for the nearest class",
        "SPEC.md 6.4; XLA's gather",
        INDEXED,
        clamped,
        rank=2,
    ),
    Hypothesis(
        "a negative index counts from the end",
        "the index is looked up as an array's is, and one beyond the end is the nearest class",
        "SPEC.md 6.4; JAX's indexing",
        INDEXED,
        lambda z: clamped(from_the_end(z)),
        variant="another is clamped",
    ),
    Hypothesis(
        "a negative index counts from the end",
        "the index is looked up as an array's is, and one beyond the end has no share",
        "SPEC.md 6.4; JAX's indexing",
        INDEXED,
        lambda z: no_class(from_the_end(z)),
        variant="another is dropped",
    ),
    Hypothesis(
        "a negative index counts from the end",
        "the index is looked up as an array's is, and of one beyond the end logsumexp alone is derived",
        "SPEC.md 6.4; JAX's indexing",
        on(SPARSE, ("grad_logits", "jvp", "hvp")),
        lambda z: logsumexp_alone(from_the_end(z)),
        variant="of another logsumexp is left",
    ),
    Hypothesis(
        "no class to subtract",
        "an index that names no class has no share: nothing is labelled, and nothing is NaN",
        "SPEC.md 6.4; XLA's scatter drops what is outside",
        INDEXED,
        no_class,
        rank=2,
    ),
    Hypothesis(
        "an index outside is no loss",
        "a row whose index names no class is left out in silence",
        "SPEC.md 6.4",
        INDEXED,
        silent,
        rank=2,
    ),
    Hypothesis(
        "an index counts from one",
        "the class before the one that the index names",
        "SPEC.md 6.3",
        INDEXED,
        index(lambda z: np.maximum(z.index - 1, 0), strangers=False),
    ),
    Hypothesis(
        "an index is cast to the logits' format",
        "16 bits cannot count beyond 256 or 2048: the index is rounded to another class",
        "SPEC.md 6.3",
        INDEXED,
        index(_through_format, strangers=False),
    ),
    Hypothesis(
        "an index is cut to fewer bits",
        "the index passes through a shorter whole number, where another class has the same bits",
        "SPEC.md 6.4 and 6.5",
        INDEXED,
        lambda z, name: index(lambda z: z.index.astype(name).astype(np.int64))(z),
        parameters=("int32", "int16", "int8", "uint8"),
    ),
    Hypothesis(
        "indices of 32 bits are read as 64",
        "two indices at a time are read as one",
        "SPEC.md 6.5",
        INDEXED,
        lambda z: z.but(index=_two_at_a_time(z)),
    ),
    Hypothesis(
        "the next class at the end of a tile",
        "the last class of a tile of 128 is read from the next tile",
        "SPEC.md 6.3; tiled kernels",
        INDEXED,
        index(lambda z: np.minimum(z.index + (z.index % 128 == 127), z.n - 1), strangers=False),
        rank=4,
    ),
)
