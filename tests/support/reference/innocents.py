"""The innocent algorithms of every question, by tier: what a bound must allow (SPEC.md 8.13).

Each table maps ``(operator, output)`` to algorithms by name.
"""

from __future__ import annotations

from tests.support.reference import (
    textbook,
    textbook_attributes,
    textbook_attributes_sigmoid,
    textbook_derivatives,
    textbook_derivatives_sigmoid,
    textbook_reductions,
    textbook_sigmoid,
)

PLAIN = {
    "stable": textbook.STABLE | textbook_sigmoid.STABLE,
    "accurate": textbook.ACCURATE | textbook_sigmoid.ACCURATE,
}
"""Values and gradients."""

MOVING = {
    "stable": textbook_derivatives.STABLE | textbook_derivatives_sigmoid.STABLE,
    "accurate": textbook_derivatives.ACCURATE | textbook_derivatives_sigmoid.ACCURATE,
}
"""``jvp`` and ``hvp``."""

ROWS = {
    "stable": textbook_attributes.STABLE | textbook_attributes_sigmoid.STABLE,
    "accurate": textbook_attributes.ACCURATE | textbook_attributes_sigmoid.ACCURATE,
}
"""Losses with attributes, row by row."""

GROUPS = {"stable": textbook_reductions.STABLE, "accurate": textbook_reductions.ACCURATE}
"""Sums and means of such losses."""
