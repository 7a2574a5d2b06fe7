"""The innocent algorithms of every question, by tier: what a bound must allow (SPEC.md 8.13).

Each table maps ``(operator, output)`` to algorithms by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.reference import (
    textbook,
    textbook_attributes,
    textbook_attributes_sigmoid,
    textbook_derivatives,
    textbook_derivatives_sigmoid,
    textbook_divergences,
    textbook_given,
    textbook_given_binary,
    textbook_given_categorical,
    textbook_reductions,
    textbook_sigmoid,
)
from tests.support.reference.arithmetic import Array

Tables = Mapping[str, Mapping[tuple[str, str], Mapping[str, Callable[..., Array]]]]
"""By tier, by operator and output, by name."""

PLAIN: Tables = {
    "stable": {
        **textbook.STABLE,
        **textbook_sigmoid.STABLE,
        **textbook_given.STABLE,
        **textbook_divergences.STABLE,
        **textbook_given_binary.STABLE,
        **textbook_given_categorical.STABLE,
    },
    "accurate": {
        **textbook.ACCURATE,
        **textbook_sigmoid.ACCURATE,
        **textbook_given.ACCURATE,
        **textbook_divergences.ACCURATE,
        **textbook_given_binary.ACCURATE,
        **textbook_given_categorical.ACCURATE,
    },
}
"""Values and gradients."""

MOVING: Tables = {
    "stable": {
        **textbook_derivatives.STABLE,
        **textbook_derivatives_sigmoid.STABLE,
        **textbook_given.MOVING_STABLE,
        **textbook_divergences.MOVING_STABLE,
        **textbook_given_binary.MOVING_STABLE,
        **textbook_given_categorical.MOVING_STABLE,
    },
    "accurate": {
        **textbook_derivatives.ACCURATE,
        **textbook_derivatives_sigmoid.ACCURATE,
        **textbook_given.MOVING_ACCURATE,
        **textbook_divergences.MOVING_ACCURATE,
        **textbook_given_binary.MOVING_ACCURATE,
        **textbook_given_categorical.MOVING_ACCURATE,
    },
}
"""``jvp`` and ``hvp``."""

ROWS = {
    "stable": {
        **textbook_attributes.STABLE,
        **textbook_attributes_sigmoid.STABLE,
        **textbook_given.ROWS_STABLE,
        **textbook_given_binary.ROWS_STABLE,
        **textbook_given_categorical.ROWS_STABLE,
    },
    "accurate": {
        **textbook_attributes.ACCURATE,
        **textbook_attributes_sigmoid.ACCURATE,
        **textbook_given.ROWS_ACCURATE,
        **textbook_given_binary.ROWS_ACCURATE,
        **textbook_given_categorical.ROWS_ACCURATE,
    },
}
"""Losses with attributes, row by row."""

GROUPS = {"stable": textbook_reductions.STABLE, "accurate": textbook_reductions.ACCURATE}
"""Sums and means of such losses."""
