"""``published``: the worked numeric examples of widely read explanations (``data/published.json``).

A reader who computes one of these by any framework compares with digits in print. The entry on
probabilities is asked twice: with the logits whose softmax they are, and with the probabilities
themselves given as logits, the commonest mistake of all (a right implementation then gives
something else than the printed loss, and the suite knows what).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

import numpy as np
from flint import arb, ctx

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import OPERATORS, Operator


@functools.cache
def entries() -> list[dict[str, Any]]:
    """The entries of ``data/published.json``."""
    text = (
        resources.files("xent_conformance.cases").joinpath("data/published.json").read_text(encoding="utf-8")
    )
    return list(json.loads(text)["examples"])


def _matrix(entry: dict[str, Any], key: str) -> Floats:
    return np.asarray(entry[key], dtype=np.float64)


def _examples(operator: Operator) -> Iterator[tuple[str, Floats, Floats | None]]:
    """(variant, logits, labels) of all entries that ask ``operator``, before rounding to a format."""
    for entry in entries():
        name = entry["operator"]
        if name == "cross_entropy_of_probabilities" and "softmax_cross_entropy" in operator.name:
            probabilities, chosen = _matrix(entry, "probabilities"), _matrix(entry, "labels")
            yield entry["id"], _log(probabilities), chosen
            yield "probabilities-as-logits", probabilities, chosen
        elif name == operator.name or (
            name == "softmax_cross_entropy" and operator.name == "sparse_softmax_cross_entropy"
        ):
            yield (
                entry["id"],
                _matrix(entry, "logits"),
                _matrix(entry, "labels") if "labels" in entry else None,
            )


def _log(p: Floats) -> Floats:
    """Logarithms through ball arithmetic: the same bits on every machine, as a libm's are not."""
    before, ctx.prec = ctx.prec, 128
    try:
        return np.array([float(arb(v).log()) for v in p.ravel().tolist()]).reshape(p.shape)
    finally:
        ctx.prec = before


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if profile == "quick":
        return ()  # their four row lengths would be compiled for little: no clause is theirs alone
    return sorted({logits.shape[1] for _, logits, _ in _examples(operator)})


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for variant, logits, labels in _examples(operator):
        if logits.shape[1] != n:
            continue
        for i, row in enumerate(logits):
            label = None if labels is None else labels[i]
            if label is not None and OPERATORS[operator.name].labels == "index":
                label = np.array([float(np.argmax(label))])
            yield Ask(variant, fmt.nearest(row), "1.1", label)


PUBLISHED = Family("published", "worked examples in print, to their printed digits", _lengths, _rows)
