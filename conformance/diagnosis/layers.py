"""Hypotheses about a linear layer and its loss: how examples are cut, counted and added up. SPEC.md 6.18."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from xent_conformance.diagnosis.hypothesis import Hypothesis, Where
from xent_conformance.diagnosis.layer import Layered
from xent_conformance.diagnosis.situation import Array, Situation

LAYER = "linear_cross_entropy"
SUMMED = ("value", "grad_weight", "grad_bias")
GRADIENTS = ("grad_hidden", "grad_weight", "grad_bias")

CHUNKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""So many examples real code takes at a time."""


def of(*outputs: str) -> Where:
    return frozenset((LAYER, output) for output in outputs)


def _parts(z: Layered, chunk: int) -> list[slice]:
    return [slice(i, i + chunk) for i in range(0, z.examples, chunk)]


def added_up_in_the_format(z: Layered, chunk: int) -> Situation | None:
    """The sum of each chunk is right; they are added up in 16 bits, one after the other."""
    if z.format.precision > 11 or (z.by == "value" and not z.reduced):
        return None
    parts = [z.terms[:, part].sum(axis=1, keepdims=True) for part in _parts(z, chunk)]
    dtype = z.format.dtype
    summed = np.add.accumulate(np.concatenate(parts, axis=1).astype(dtype), axis=1, dtype=dtype)[:, -1]
    return z.but(over_examples=summed.astype(z.a.working))


def last_chunk_dropped(z: Layered, chunk: int) -> Situation | None:
    """The examples behind the last whole chunk are not looked at."""
    whole = z.examples // chunk * chunk
    if whole == z.examples or (z.by == "value" and not z.reduced):
        return None
    kept = np.arange(z.examples) < whole
    if z.by == "value":
        return z.but(terms=np.where(kept[:, None], z.terms, z.of(0.0)))
    return z.but(g=np.where(kept[:, None], z.g, z.of(0.0)))


def last_chunk_alone(z: Layered, chunk: int) -> Situation | None:
    if z.examples <= chunk:
        return None
    return z.but(over_examples=z.terms[:, _parts(z, chunk)[-1]].sum(axis=1))


def divided_by_its_own(z: Layered, chunk: int) -> Situation | None:
    """A mean whose gradient divides by what the chunk keeps, and not by what all do."""
    if z.given.reduction != "mean":
        return None
    kept = z.counted.reshape(len(z.inputs), z.examples)
    own = np.concatenate(
        [np.broadcast_to(kept[:, p].sum(axis=1, keepdims=True), kept[:, p].shape) for p in _parts(z, chunk)],
        axis=1,
    )
    times = kept.sum(axis=1, keepdims=True) / np.maximum(own, z.one)
    return z.but(g=z.g * times[:, :, None])


def operands_in(z: Layered, name: str) -> Situation:
    return z.but(hidden=_cut(z.hidden, name), layer=_cut(z.layer, name))


def _cut(a: Array, name: str) -> Array:
    if name == "truncated":
        bits = a.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        return np.asarray(bits.view(np.float32).astype(a.dtype))
    return np.asarray(a.astype(np.dtype(getattr(ml_dtypes, name, None) or name)).astype(a.dtype))


LAYERS: tuple[Hypothesis, ...] = (
    Hypothesis(
        "a sum in 16 bits",
        "examples are added up in 16 bits, one after the other or chunk by chunk: the sum stops",
        "SPEC.md 6.18; torch.nn.functional.linear_cross_entropy",
        of(*SUMMED),
        added_up_in_the_format,
        parameters=CHUNKS,
        variant="over the examples",
    ),
    Hypothesis(
        "the last chunk is dropped",
        "examples behind the last whole chunk are not looked at",
        "SPEC.md 6.18",
        of("value", *GRADIENTS),
        last_chunk_dropped,
        parameters=CHUNKS[1:],
    ),
    Hypothesis(
        "the last chunk alone",
        "the gradient of the weights is that of the last chunk: it is written, and not added",
        "SPEC.md 6.18",
        of("grad_weight", "grad_bias"),
        last_chunk_alone,
        parameters=CHUNKS,
    ),
    Hypothesis(
        "a chunk is divided by its own count",
        "the gradient of a mean divides by the examples that the chunk keeps",
        "SPEC.md 6.18 and 6.10",
        of(*GRADIENTS),
        divided_by_its_own,
        parameters=CHUNKS,
    ),
    Hypothesis(
        "the bias is forgotten",
        "the logits are W h",
        "SPEC.md 6.18",
        of("value", *GRADIENTS),
        lambda z: z.but(offset=np.zeros_like(z.offset)) if z.given.affine else None,
    ),
    Hypothesis(
        "a product in fewer bits",
        "hidden states and weights are rounded before they are multiplied",
        "SPEC.md 6.18; matrix units",
        of("value", *GRADIENTS),
        operands_in,
        parameters=("bfloat16", "float16", "truncated"),
        variant="of a layer",
    ),
)
