"""Batches that put a bound under strain, with their truths, and the order its tiers keep there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tests.support.reference.innocence import Trials, trials
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle, Truth

Rows = Callable[[str, Format], Iterator[Inputs]]
"""Batches of an operator in a format."""


@functools.cache
def strain(rows: Rows, operator: str) -> list[Truth]:
    """These batches of an operator in every format."""
    oracle = Oracle(default_cache())  # its tests may lie in several processes
    return [oracle.truth(inputs) for fmt in FORMATS.values() for inputs in rows(operator, fmt)]


@functools.lru_cache(maxsize=2)
def tried(rows: Rows, operator: str) -> Trials:
    """The same, in every order of summation; two operators at most are kept, for they are large."""
    return trials(strain(rows, operator))


def assert_tiers_in_order(truth: Truth, outputs: Iterable[str]) -> None:
    """``accurate`` is never looser than ``stable``, and neither is negative, NaN, or of another shape."""
    for output in outputs:
        b, exact = truth.bound(output), truth.enclosure(output)
        assert b.accurate.shape == b.stable.shape == b.flush.shape == exact.hi.shape
        judged = np.isfinite(exact.round_to(truth.inputs.format))
        assert judged.any()
        assert (b.accurate[judged] >= 0).all()
        assert (b.accurate[judged] <= b.stable[judged]).all()
        assert (b.flush[judged] >= 0).all()
