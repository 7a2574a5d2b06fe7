"""Defects of reports (docs/HISTORICAL.md) that :mod:`seeded` does not have, made like those it has.

They are not asked all of ``quick``: each is held against the cases that claim its report, and those alone.
"""

from __future__ import annotations

from tests.support.faults import reported_delivery, reported_losses, reported_refusals, reported_softmax
from tests.support.faults.fault import SEEDED

_IDEAS = (reported_softmax, reported_losses, reported_delivery, reported_refusals)

REPORTED = tuple(fault for idea in _IDEAS for fault in SEEDED if fault.idea == idea.__name__)
