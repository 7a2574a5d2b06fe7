"""All seeded faults: a correct implementation with one realistic defect each.

Each is a mistake that real code made. ``about`` says which; nothing else of the implementation changes.
"""

from __future__ import annotations

import seeded_attributes
import seeded_cross_entropy
import seeded_delivery
import seeded_derivatives
import seeded_once_unseen
import seeded_sigmoid
import seeded_softmax
from fault import SEEDED

_IDEAS = (
    seeded_softmax,
    seeded_cross_entropy,
    seeded_sigmoid,
    seeded_attributes,
    seeded_derivatives,
    seeded_delivery,
    seeded_once_unseen,
)

FAULTS = tuple(fault for idea in _IDEAS for fault in SEEDED if fault.idea == idea.__name__)
