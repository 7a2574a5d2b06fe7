"""Faults of long rows, many rows, zeros, subnormal numbers, and cotangents that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.correct import logit
from tests.support.faults.fault import BINARY, DENSE, SPARSE, Beyond, delivery, output, part, plain, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call

BLOCK = 256


def blocks(a: Array) -> list[Array]:
    return [a[:, i : i + BLOCK] for i in range(0, a.shape[1], BLOCK)]


# --- more than one block of classes ----------------------------------------------------------------


@part("softmax", "e", "of a long row what is left behind the last whole block is left out")
def tail_left_out(a: Ask) -> Array:
    whole = a.n // BLOCK * BLOCK or a.n
    return np.where(np.arange(a.n) < whole, np.exp(-a.d), 0.0)


@output("logsumexp", "value", "the sum is not rescaled where a later block has a larger logit")
def sum_not_rescaled(a: Ask) -> Array:
    top = np.full_like(a.m, -np.inf)
    total = np.zeros_like(a.m)
    for block in blocks(a.x):
        top = np.maximum(top, block.max(axis=1, keepdims=True))
        total = total + np.exp(block - top).sum(axis=1, keepdims=True)
    return np.where(a.n > BLOCK, a.m + np.log(total), right(a, "value"))


@output("log_softmax", "value", "a block that is masked whole is −∞ less −∞")
def masked_block_is_nan(a: Ask) -> Array:
    masked = [(block == -np.inf).all(axis=1, keepdims=True) for block in blocks(a.x)]
    return np.where(len(masked) > 1 and np.any(masked, axis=0), np.nan, right(a, "value"))


# --- more rows than threads ------------------------------------------------------------------------


@output("log_softmax", "value", "rows beyond the first 256 are those of the first chunk's end")
def rows_beyond_a_chunk(a: Ask) -> Array:
    found = right(a, "value")
    return found[np.minimum(np.arange(len(found)), BLOCK - 1)]


# --- numbers ---------------------------------------------------------------------------------------


@part(DENSE, "p", "labels that sum to one within a per cent are normalised")
def nearly_normal_labels(a: Ask) -> Array:
    mass = a.total(a.labels)
    return np.where(abs(mass - 1) < 0.01, a.labels / mass, a.labels)


@output("log_sigmoid", "value", "the branch is chosen by the sign bit, and by x < 0: −0 is in none")
def negative_zero_in_no_branch(a: Ask) -> Array:
    return np.where(np.signbit(a.x) & (a.x == 0), 0.0, right(a, "value"))


@part(BINARY, "p", "a NaN label is taken for no label: zero")
def nan_label_is_zero(a: Ask) -> Array:
    return np.nan_to_num(a.labels)


@output("logit", "value", "subnormal probabilities are read as zero")
def subnormal_input_is_zero(a: Ask) -> Array:
    smallest = {"float16": -14, "float64": -1022}.get(a.dtype.name, -126)
    return logit(plain(a, x=np.where(np.abs(a.x) < 2.0**smallest, 0.0, a.x)))


@output("logsumexp", "value", "nothing but −∞ gives NaN: the maximum is subtracted")
def logarithm_of_nothing(a: Ask) -> Array:
    return np.where(a.m == -np.inf, np.nan, right(a, "value"))


@delivery(BINARY, "labels_of", "labels in a wider format than the logits pass through 16 bits")
def labels_through_16_bits(self: Kernel, call: Call) -> Array:
    labels: Array = Kernel.labels_of(self, call)
    wider = call.labels is not None and call.labels.dtype == np.float64 and call.logits.dtype != np.float64
    return labels.astype(np.float16).astype(labels.dtype) if wider else labels


# --- cotangents ------------------------------------------------------------------------------------


@output("softmax", "grad_logits", "a cotangent that is NaN is taken for zero")
def nan_cotangent_hidden(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.where(np.isnan(a.cotangent), 0.0, a.cotangent))


@output("softmax", "grad_logits", "centred on the mean of the cotangents, whose sum overflows the format")
def sum_of_cotangents(a: Ask) -> Array:
    with np.errstate(over="ignore"):
        mean = a.rounded(a.total(a.c)) / a.n
    return a.s * (a.c - mean - a.total(a.s * (a.c - mean)))


# --- memory ----------------------------------------------------------------------------------------


@delivery(DENSE, "rows_of", "logits that are one row for all make the labels one row for all")
def labels_of_the_one_row(self: Kernel, call: Call) -> Any:
    a = Kernel.rows_of(self, call)
    one = call.logits.ndim > 1 and len(call.logits) > 1 and call.logits.strides[0] == 0
    return plain(a, labels=np.broadcast_to(a.labels[:1], a.labels.shape)) if one else a


@delivery(
    SPARSE,
    "labels_of",
    "an index is held in binary32, which counts to 2^24",
    beyond=Beyond("saturating_sums", "full", "float32", "it takes more than 2^24 classes"),
)
def index_in_binary32(self: Kernel, call: Call) -> Array:
    return Kernel.labels_of(self, call).astype(np.float32).astype(np.int64)
