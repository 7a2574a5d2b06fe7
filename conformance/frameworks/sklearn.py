"""scikit-learn's losses: what ``LogisticRegression`` and boosted trees minimise, with their own gradients.

``sklearn._loss`` is private: nobody calls it by this name, and everybody who fits a classifier does. A
gradient is pulled back as its users do it, by sample weights.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered

MULTINOMIAL = "sklearn._loss.HalfMultinomialLoss"
BINOMIAL = "sklearn._loss.HalfBinomialLoss"


@dataclass(frozen=True)
class _Loss:
    """A loss, and its derivative by the raw predictions times the cotangent; ``pull`` is None of a link."""

    value: Any
    pull: Any = None


def _multinomial(loss: Any, x: Array, y: Array) -> _Loss:
    half, target = loss.HalfMultinomialLoss(n_classes=x.shape[1]), y.astype(x.dtype)
    return _Loss(
        half.loss(target, x, n_threads=1),
        lambda c: half.gradient(target, x, sample_weight=np.ascontiguousarray(c), n_threads=1),
    )


def _binomial(loss: Any, x: Array, z: Array) -> _Loss:
    """Its predictions have one axis."""
    half, flat, target = loss.HalfBinomialLoss(), x.ravel(), z.ravel()
    return _Loss(
        half.loss(target, flat, n_threads=1).reshape(x.shape),
        lambda c: half.gradient(target, flat, sample_weight=c.ravel(), n_threads=1).reshape(x.shape),
    )


def _probabilities(loss: Any, x: Array) -> _Loss:
    return _Loss(loss.HalfMultinomialLoss(n_classes=x.shape[1]).predict_proba(x))


def _probability(loss: Any, x: Array) -> _Loss:
    return _Loss(loss.HalfBinomialLoss().predict_proba(x.ravel())[:, 1].reshape(x.shape))


class SkLearn:
    """Needs ``scikit-learn``; one thread."""

    name = "sklearn"
    distribution = "scikit-learn"
    imports: ClassVar[Sequence[str]] = ("sklearn",)
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    layouts: ClassVar = frozenset({"transposed", "strided", "sliced", "reversed", "broadcast"})
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between", "threads"})}
    implementations = (
        Implementation(
            f"{MULTINOMIAL}.loss_gradient", "sparse_softmax_cross_entropy", "fused", _multinomial,
            note="private; what LogisticRegression minimises",
        ),
        Implementation(
            f"{BINOMIAL}.loss_gradient", "sigmoid_cross_entropy", "fused", _binomial,
            note="private; what LogisticRegression minimises for two classes",
        ),
        Implementation(f"{MULTINOMIAL}.predict_proba", "softmax", "fused", _probabilities),
        Implementation(f"{BINOMIAL}.predict_proba", "sigmoid", "fused", _probability),
    )  # fmt: skip
    not_offered = (
        NotOffered(
            "its kernels are of binary32 and binary64 (floating_in of sklearn/_loss/_loss.pyx.tp): "
            '"No matching signature found", or "Function call with ambiguous argument types"',
            dtypes=("bfloat16", "float16"),
        ),
        NotOffered(
            "predict_proba is a prediction: a loss has the derivatives "
            "(https://github.com/scikit-learn/scikit-learn/blob/main/sklearn/_loss/loss.py)",
            implementations=("*.predict_proba",),
            outputs=("grad_logits",),
        ),
        NotOffered(
            "no derivative by the labels, which are data "
            "(https://github.com/scikit-learn/scikit-learn/blob/main/sklearn/_loss/loss.py)",
            outputs=("grad_labels",),
        ),
    )

    def __init__(self) -> None:
        import sklearn
        import sklearn._loss.loss

        self._loss, self._version = sklearn._loss.loss, sklearn.__version__

    def version(self) -> str:
        return str(self._version)

    def environment(self) -> Mapping[str, str]:
        return {"threads": "1", "machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        with np.errstate(all="ignore"):
            found = call.implementation.call(self._loss, *call.arguments, **call.keywords)
            given = {"value": lambda: found.value, "grad_logits": lambda: found.pull(call.cotangent)}
            return {output: np.asarray(given[output]()) for output in call.outputs}
