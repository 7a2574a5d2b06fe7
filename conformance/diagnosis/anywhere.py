"""Hypotheses about any operator: made from the exact result, and not from a formula."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.hypothesis import Hypothesis, Model, plain
from xent_conformance.diagnosis.situation import Array, Situation
from xent_conformance.reference.operators import OPERATORS

Pair = tuple[Array, Array | float]


def _exact(z: Situation, output: str) -> Array:
    """What is right, rounded once to the tested format."""
    return z.truth.enclosure(output).round_to(z.inputs.format)


def _flushed(output: str) -> Model:
    def model(z: Situation) -> Pair:
        right = _exact(z, output)
        return plain(np.where(np.abs(right) < z.inputs.format.smallest_normal, 0.0, right))

    return model


def _zero(output: str) -> Model:
    return lambda z: plain(np.zeros_like(_exact(z, output)))


def _narrow(output: str) -> Model:
    def model(z: Situation) -> Pair:
        right = _exact(z, output)
        with np.errstate(over="ignore"):
            narrow = right.astype(np.float32).astype(np.float64)
        return narrow, np.abs(narrow) * 2.0**29  # an ulp of binary32, in ulps of binary64

    return model


def _every(make: object) -> dict[tuple[str, str], Model]:
    outputs = [(o.name, output) for o in OPERATORS.values() for output in o.outputs]
    return {(name, output): make(output) for name, output in outputs}  # type: ignore[operator]


ANYWHERE = (
    Hypothesis(
        "results are flushed",
        "a result below the smallest normal number becomes zero",
        "SPEC.md 1.3",
        _every(_flushed),
        exact=True,
    ),
    Hypothesis(
        "zero",
        "the result is zero, whatever is asked",
        "a gradient that is detached",
        _every(_zero),
        rank=4,
        exact=True,
    ),
    Hypothesis(
        "computed in binary32",
        "numbers of binary64 are computed in binary32, and cast back",
        "tf.compat.v1.losses",
        _every(_narrow),
        rank=3,
        exact=True,
    ),
)
