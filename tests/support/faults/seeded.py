"""All seeded faults: a correct implementation with one realistic defect each.

Each is a mistake that real code made. ``about`` says which; nothing else of the implementation changes.
"""

from __future__ import annotations

from tests.support.faults import (
    seeded_around,
    seeded_attributes,
    seeded_cross_entropy,
    seeded_delivery,
    seeded_derivatives,
    seeded_divergences,
    seeded_eight_bits,
    seeded_forms,
    seeded_given,
    seeded_given_binary,
    seeded_given_categorical,
    seeded_layers,
    seeded_once_unseen,
    seeded_sigmoid,
    seeded_sizes,
    seeded_softmax,
    seeded_state,
    seeded_unmet,
)
from tests.support.faults.fault import SEEDED

_IDEAS = (
    seeded_softmax,
    seeded_cross_entropy,
    seeded_sigmoid,
    seeded_attributes,
    seeded_around,
    seeded_forms,
    seeded_given,
    seeded_given_binary,
    seeded_given_categorical,
    seeded_divergences,
    seeded_layers,
    seeded_derivatives,
    seeded_delivery,
    seeded_state,
    seeded_sizes,
    seeded_eight_bits,
    seeded_unmet,
    seeded_once_unseen,
)

FAULTS = tuple(fault for idea in _IDEAS for fault in SEEDED if fault.idea == idea.__name__)
