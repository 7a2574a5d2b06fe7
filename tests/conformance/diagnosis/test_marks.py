"""Marks are sets of places."""

from __future__ import annotations

import numpy as np
import pytest

from xent_conformance.diagnosis.marks import marks, places


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1000])
def test_the_places_that_are_marked_come_back(size: int) -> None:
    there = np.random.default_rng(size).random(size) < 0.3
    assert marks(there).bit_count() == there.sum()
    np.testing.assert_array_equal(places(marks(there)), np.flatnonzero(there))


def test_they_are_sets() -> None:
    a, b = np.array([1, 1, 0, 0, 1], np.bool_), np.array([0, 1, 1, 0], np.bool_)
    assert places(marks(a) & marks(b)).tolist() == [1]
    assert places(marks(a) & ~marks(b)).tolist() == [0, 4]
    assert places(marks(a) | marks(b) << 5).tolist() == [0, 1, 4, 6, 7]
