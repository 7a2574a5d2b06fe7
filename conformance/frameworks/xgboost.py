"""XGBoost's link functions, of a booster without a tree whose margin is the logits. Values only."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered


def _matrix(xgboost: Any, margin: Array) -> Any:
    """Rows of one feature that is zero, whose raw prediction is the margin."""
    matrix = xgboost.DMatrix(np.zeros((len(margin), 1), np.float32), nthread=1)
    matrix.set_base_margin(margin)
    return matrix


def _predicted(xgboost: Any, margin: Array, **objective: Any) -> Any:
    matrix = _matrix(xgboost, margin)
    return xgboost.Booster({"nthread": 1, **objective}, [matrix]).predict(matrix)


def _softprob(xgboost: Any, x: Array) -> Any:
    found = _predicted(xgboost, x, objective="multi:softprob", num_class=x.shape[1])
    return found.reshape(x.shape)


def _logistic(xgboost: Any, x: Array) -> Any:
    return _predicted(xgboost, x.ravel(), objective="binary:logistic").reshape(x.shape)


class XGBoost:
    """Needs ``xgboost``; one thread."""

    name = "xgboost"
    distribution = "xgboost"
    imports: ClassVar[Sequence[str]] = ("xgboost",)
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    implementations = (
        Implementation("xgboost:multi:softprob", "softmax", "fused", _softprob),
        Implementation("xgboost:binary:logistic", "sigmoid", "fused", _logistic),
    )
    not_offered = (
        NotOffered(
            "margins are binary32 (https://xgboost.readthedocs.io/en/stable/python/python_api.html): another "
            "format is converted, without a word",
            dtypes=("bfloat16", "float16", "float64"),
        ),
    )

    def __init__(self) -> None:
        import xgboost

        self._xgboost = xgboost

    def version(self) -> str:
        return str(self._xgboost.__version__)

    def environment(self) -> Mapping[str, str]:
        return {"threads": "1", "machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        value: Any = call.implementation.call(self._xgboost, *call.arguments, **call.keywords)
        return {"value": np.asarray(value)}
