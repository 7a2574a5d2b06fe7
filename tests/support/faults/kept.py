"""Families that no fault needs: each says why."""

from __future__ import annotations

KEPT = {
    "published": "numbers in print, for readers who compare digits: evidence, not power; not in quick",
    "historical": "the inputs of reported defects, as they were reported: evidence, not power; not in quick",
    "multi_label": "many labels at once, few of them positive, as users have them; `crossing` has four",
    "refusals": "6.13, which is open: what becomes of arguments that do not fit is recorded, never broken",
}
"""They ask no clause that is theirs alone and that can be broken."""
