"""Hypotheses about any operator: what is done to the right result, to its parts, or to the format of all."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from xent_conformance.diagnosis.formulas import DENSE, FORMULAS, LOGSUMEXP, SPARSE
from xent_conformance.diagnosis.hypothesis import GRADIENTS, Change, Hypothesis, on, result
from xent_conformance.diagnosis.situation import WIDE, Arithmetic, Array, Situation

EVERY = on({o for o, _ in FORMULAS})
DERIVATIVES = on({o for o, _ in FORMULAS}, (*GRADIENTS, "jvp", "hvp"))
BACKWARD = on({o for o, _ in FORMULAS}, ("grad_logits", "hvp"))


def _flush(z: Situation, a: Array, factor: float = 1.0) -> Array:
    small = np.abs(a) < factor * z.format.smallest_normal
    return np.where(small, z.of(0.0), a) if small.any() else a


def results_flushed(z: Situation, factor: float = 1.0) -> Situation:
    found, sized = z.whole
    small = np.abs(found) < factor * z.format.smallest_normal
    return z.but(whole=(np.where(small, z.of(0.0), found), sized))


def parts_flushed(z: Situation, factor: float) -> Situation:
    """Whatever is subnormal on the way, and at the end; ``factor``: an exponential that is made of two."""
    parts = z.but(e=_flush(z, z.e), tail=_flush(z, z.tail), q=_flush(z, z.q) if z.indexed else z.q)
    parts = parts.but(
        s=_flush(z, parts.s, factor), sigma=_flush(z, parts.sigma), mirror=_flush(z, parts.mirror)
    )
    return results_flushed(parts)


def inputs_flushed(z: Situation) -> Situation:
    labels = z.p if z.indexed else _flush(z, z.p)
    return z.but(arrived=_flush(z, z.arrived), cotangent=_flush(z, z.cotangent), p=labels)


def in_format(z: Situation, name: str) -> Situation | None:
    """All of it in a narrower format, and cast back."""
    narrow = np.dtype(getattr(ml_dtypes, name, None) or name)
    if narrow.itemsize >= z.format.dtype.itemsize:
        return None
    return z.in_arithmetic(Arithmetic(name, narrow, narrow))


def through_format(z: Situation, name: str) -> Situation | None:
    """The value passes through a narrower format, and so does the cotangent on its way back."""
    narrow = np.dtype(getattr(ml_dtypes, name, None) or name)
    if narrow.itemsize >= z.format.dtype.itemsize:
        return None
    if z.output != "value":
        return z.but(cotangent=z.cotangent.astype(narrow).astype(z.a.working))
    found, sized = z.whole
    return z.but(whole=(found.astype(narrow).astype(z.a.working), sized))


def gradient_in_format(z: Situation, name: str) -> Situation | None:
    """A gradient is rounded to the format for which code was written: it is a number of that, and no other.

    What the steps before were rounded by is far below half of its ulp, and no excuse for another number. Of
    one that vanishes nothing is said: a zero has many causes, and is near to whatever is small.
    """
    narrow = np.dtype(getattr(ml_dtypes, name, None) or name)
    if narrow.itemsize >= z.format.dtype.itemsize:
        return None
    found, sized = z.whole
    kept = found.astype(narrow).astype(z.a.working)
    return z.but(whole=(np.where(kept == 0, found, kept), np.zeros_like(sized)))


def other_row(step: int) -> Change:
    def change(z: Situation) -> Situation | None:
        found, sized = z.whole
        if len(found) < 2:
            return None
        return z.but(
            whole=(np.roll(found, step, axis=0), np.roll(np.broadcast_to(sized, found.shape), step, axis=0))
        )

    return change


def rows_beyond(z: Situation, chunk: int) -> Situation | None:
    """Rows beyond the first chunk are those of its end."""
    found, _ = z.whole
    if len(found) <= chunk:
        return None
    return z.but(whole=(found[np.minimum(np.arange(len(found)), chunk - 1)], 0.0))


def logits_themselves(z: Situation) -> Situation:
    return z.but(rows=(np.broadcast_to(z.x, np.broadcast_shapes(z.x.shape, z.rows[0].shape)), 0.0))


def last_block_left_out(z: Situation, block: int) -> Situation | None:
    """What is left behind the last whole block of classes is not there."""
    if z.n <= block:
        return None
    whole = z.n // block * block
    return z.but(x=np.where(np.arange(z.n) < whole, z.x, z.of(-np.inf)))


def not_rescaled(z: Situation, block: int) -> Situation | None:
    """Block by block, of which an earlier sum is not rescaled where the maximum moves."""
    if z.n <= block:
        return None
    top, total = np.full_like(z.m, -np.inf), np.zeros_like(z.m)
    for i in range(0, z.n, block):
        part = z.x[:, i : i + block]
        top = np.maximum(top, part.max(axis=1, keepdims=True))
        total = total + np.exp(part - top).sum(axis=1, keepdims=True)
    return z.but(S=total, L=np.log(total), s=np.asarray(z.e / total))


def masked_block(z: Situation, block: int) -> Situation | None:
    """A block that is masked whole is −∞ less −∞."""
    if z.n <= block:
        return None
    gone = [(z.x[:, i : i + block] == -np.inf).all(axis=1, keepdims=True) for i in range(0, z.n, block)]
    found, sized = z.rows
    return z.but(rows=(np.where(np.any(gone, axis=0), z.of(np.nan), found), sized))


BLOCKS = (16, 32, 64, 128, 256, 512)

ANYWHERE = (
    Hypothesis(
        "subnormal numbers are flushed",
        "a result below the smallest normal number becomes zero",
        "SPEC.md 1.3",
        EVERY,
        results_flushed,
        rank=1,
        parameters=(1, 2),
        variant="results",
    ),
    Hypothesis(
        "subnormal numbers are flushed",
        "whatever is subnormal on the way becomes zero: an exponential, a probability, a product",
        "SPEC.md 1.3",
        EVERY,
        parts_flushed,
        rank=2,
        parameters=(1, 2),
        variant="parts",
    ),
    Hypothesis(
        "subnormal numbers are flushed",
        "an input below the smallest normal number is read as zero",
        "SPEC.md 1.3 and 5.4",
        EVERY,
        inputs_flushed,
        rank=2,
        variant="inputs",
    ),
    Hypothesis(
        "zero",
        "the result is zero, whatever is asked: detached, dropped, or freed",
        "a gradient that is detached",
        DERIVATIVES,
        lambda z: result(lambda z, g: np.zeros_like(g))(z),
        rank=2,
    ),
    Hypothesis(
        "the logits themselves",
        "the logits stand where the result should be",
        "an operator that is not there",
        EVERY,
        logits_themselves,
        rank=4,
    ),
    Hypothesis(
        "the cotangent itself",
        "the cotangent is handed on: the derivative is taken for one",
        "a straight-through gradient",
        DERIVATIVES,
        lambda z: z.but(rows=(np.broadcast_to(z.c, z.x.shape), 0.0)) if z.output != "jvp" else None,
        rank=4,
    ),
    Hypothesis(
        "the other sign",
        "the result is negative where it is positive",
        "labels less probabilities",
        DERIVATIVES,
        lambda z: result(lambda z, g: -g)(z),
        rank=2,
    ),
    Hypothesis(
        "in fewer bits",
        "numbers are computed in a narrower format, and cast back",
        "tf.compat.v1.losses",
        EVERY,
        in_format,
        parameters=("float32", "float16", "bfloat16"),
        variant="computed",
    ),
    Hypothesis(
        "in fewer bits",
        "the value passes through a narrower format, and the cotangent on its way back",
        "tf.compat.v1.losses; mixed precision",
        EVERY,
        through_format,
        parameters=("float32", "float16", "bfloat16"),
        variant="rounded",
    ),
    Hypothesis(
        "in fewer bits",
        "a gradient is rounded to the format for which the code was written, whatever the logits are",
        "Megatron-LM's fused cross-entropy",
        on({o for o, _ in FORMULAS}, GRADIENTS),
        gradient_in_format,
        parameters=("float32", "float16", "bfloat16"),
        variant="a gradient",
    ),
    Hypothesis(
        "every step in the format",
        "the right formula, whose steps are rounded to the format: one overflows, or underflows, on the way",
        "SPEC.md 2.1; composed code of 16 bits",
        EVERY,
        lambda z: z if z.a is not WIDE and z.a.sums.itemsize > 2 else None,
        rank=3,
        steps=True,
        plain=True,
    ),
    Hypothesis(
        "a sum in 16 bits",
        "the right formula, whose terms and sums are rounded to the format",
        "SPEC.md §0 and 2.6",
        EVERY,
        lambda z: z if z.a.sums.itemsize == 2 else None,
        rank=2,
        variant="of rounded terms",
        steps=True,
        plain=True,
    ),
    Hypothesis(
        "divided by the classes",
        "the mean over the classes, where the sum is asked",
        "SPEC.md §0",
        on((DENSE, SPARSE, LOGSUMEXP), "value"),
        lambda z: result(lambda z, v: v / z.number(z.n))(z),
    ),
    Hypothesis(
        "the mean over a row",
        "the mean of a row's elements stands in every place",
        "SPEC.md §0",
        on({o for o, _ in FORMULAS}, "value"),
        lambda z: result(lambda z, v: np.broadcast_to(z.total(v) / z.number(v.shape[1]), v.shape))(z),
        rank=4,
    ),
    Hypothesis(
        "the row above",
        "the result of a row is that of the one above it",
        "SPEC.md 7.4",
        EVERY,
        other_row(1),
        rank=4,
    ),
    Hypothesis(
        "rows beyond a chunk",
        "rows beyond the first chunk are those of its end",
        "SPEC.md 7.4",
        EVERY,
        rows_beyond,
        rank=4,
        parameters=BLOCKS,
    ),
    Hypothesis(
        "the last block is left out",
        "classes behind the last whole block are not in the sum",
        "SPEC.md 2.6",
        on(("softmax", "log_softmax", LOGSUMEXP, DENSE, SPARSE)),
        last_block_left_out,
        rank=4,
        parameters=BLOCKS,
    ),
    Hypothesis(
        "an earlier block is not rescaled",
        "the sum of the blocks before is left as it was where a later one has a larger logit",
        "SPEC.md 8.1, a running maximum",
        on(("softmax", "log_softmax", LOGSUMEXP, DENSE, SPARSE)),
        not_rescaled,
        rank=4,
        parameters=BLOCKS,
    ),
    Hypothesis(
        "a masked block is NaN",
        "a block of classes that is excluded whole is −∞ less −∞",
        "SPEC.md 4.1",
        on(("softmax", "log_softmax", LOGSUMEXP, DENSE, SPARSE)),
        masked_block,
        rank=3,
        parameters=BLOCKS,
    ),
)
