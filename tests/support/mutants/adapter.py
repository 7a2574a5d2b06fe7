"""The textbook, right or mutated, as an adapter: tensors of any rank, computed in a wider format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from tests.support.mutants import textbook
from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered

NAME = "textbook"

_ALL = frozenset({"axis", "weight", "label_smoothing", "ignore_index", "reduction"})
DOORS: Mapping[str, tuple[str, frozenset[str]]] = {
    "softmax": ("softmax", frozenset({"axis"})),
    "log_softmax": ("log_softmax", frozenset({"axis"})),
    "logsumexp": ("logsumexp", frozenset({"axis"})),
    "softmax_cross_entropy": ("cross_entropy", _ALL - {"ignore_index"}),
    "sparse_softmax_cross_entropy": ("sparse_cross_entropy", _ALL),
    "sigmoid": ("sigmoid", frozenset()),
    "log_sigmoid": ("log_sigmoid", frozenset()),
    "logit": ("logit", frozenset()),
    "sigmoid_cross_entropy": (
        "binary_cross_entropy",
        frozenset({"weight", "pos_weight", "label_smoothing", "reduction"}),
    ),
    "binary_cross_entropy": (
        "given_binary_cross_entropy",
        frozenset({"weight", "label_smoothing", "reduction"}),
    ),
    "categorical_cross_entropy": ("given_cross_entropy", _ALL - {"ignore_index"}),
    "sparse_categorical_cross_entropy": ("given_sparse_cross_entropy", _ALL - {"label_smoothing"}),
    "kl_divergence": ("divergence", frozenset({"axis", "reduction"})),
    "kl_divergence_log_target": ("log_target_divergence", frozenset({"axis", "reduction"})),
    "relative_entropy": ("relative_entropy", frozenset()),
    "elementwise_kl_divergence": ("elementwise_divergence", frozenset()),
    "negative_log_likelihood": ("likelihood", _ALL - {"label_smoothing"}),
}

"""By operator: the function of the textbook, and the keyword arguments that it takes."""

_WORDS = {"label_smoothing": "smoothing", "ignore_index": "ignore", "pos_weight": "positive"}
"""Attributes as the textbook calls them."""


def _wide(a: Array) -> Array:
    return a.astype(np.longdouble if a.dtype == np.float64 else np.float64)


def answer(module: ModuleType, function: str, call: Call) -> dict[str, Any]:
    """One call: classes moved to the end, computed, moved back, rounded once."""
    if not call.logits.ndim:
        labels = None if call.labels is None else call.labels[None]
        row = replace(call, logits=call.logits[None], cotangent=call.cotangent[None], labels=labels)
        return {name: a[0] for name, a in answer(module, function, row).items()}
    given = dict(call.keywords)
    axis, dtype = int(given.pop("axis", -1)), call.logits.dtype

    def last(a: Array) -> Array:
        return np.moveaxis(a, axis, -1) if a.shape == call.logits.shape else a

    def number(a: Any) -> Any:
        return _wide(np.array(a, dtype)) if isinstance(a, tuple) else a

    labels = []
    if call.labels is not None:
        dense = call.labels.shape == call.logits.shape
        labels = [last(_wide(call.labels) if dense else call.labels.astype(np.int64))]
    keywords = {_WORDS.get(name, name): number(value) for name, value in given.items()}
    with np.errstate(all="ignore"):
        compute: Callable[..., Mapping[str, Array]] = getattr(module, function)
        found = compute(last(_wide(call.logits)), *labels, last(_wide(call.cotangent)), **keywords)
        moved = {o: np.asarray(found[o]) for o in call.outputs}
        whole = last(call.logits).shape
        back = {o: np.moveaxis(a, -1, axis) if a.shape == whole else a for o, a in moved.items()}
        return {o: a.astype(dtype) for o, a in back.items()}


class Textbook:
    """``module`` is what answers: the textbook, or a mutant of it."""

    name = distribution = NAME
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    module: ClassVar[ModuleType] = textbook
    implementations = tuple(
        Implementation(NAME, operator, "composed", operator, takes=takes)  # type: ignore[arg-type]
        for operator, (_, takes) in DOORS.items()
    )
    not_offered = (NotOffered("the textbook takes arguments that fit", manners=("misfit",)),)

    def version(self) -> str:
        return "0"

    def environment(self) -> Mapping[str, str]:
        return {}

    def devices(self) -> list[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Any]:
        return answer(type(self).module, DOORS[call.implementation.operator][0], call)
