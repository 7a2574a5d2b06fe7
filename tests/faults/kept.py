"""Families that no fault needs, and clauses that no case is asked for: each says why."""

from __future__ import annotations

KEPT = {
    "published": "numbers in print, for readers who compare digits: evidence, not power; not in quick",
    "historical": "the inputs of reported defects, as they were reported: evidence, not power; not in quick",
    "refusals": "6.13, which is open: what becomes of arguments that do not fit is recorded, never broken",
}
"""They ask no clause that is theirs alone and that can be broken."""

CHARGED = {
    "1.2": "a loss of relative accuracy, in whatever case it shows",
    "1.3": "a result that was flushed to zero, in whatever case it shows",
    "1.4": "a result of another shape or format, in whatever case it shows",
}
"""A verdict charges them by what the result looks like."""
