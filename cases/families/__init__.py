"""One file a family. Adding one: write the file, add it to ``ALL``, add its test."""

from cases.families.attributes import ATTRIBUTES
from cases.families.cotangents import COTANGENTS
from cases.families.derivatives import DERIVATIVES
from cases.families.element_weights import ELEMENT_WEIGHTS
from cases.families.every_half import EVERY_HALF
from cases.families.historical import HISTORICAL
from cases.families.huge_logits import HUGE_LOGITS
from cases.families.index_labels import INDEX_LABELS
from cases.families.index_range import INDEX_RANGE
from cases.families.invariance import INVARIANCE
from cases.families.label_types import LABEL_TYPES
from cases.families.layouts import LAYOUTS
from cases.families.long_sums import LONG_SUMS
from cases.families.multi_label import MULTI_LABEL
from cases.families.near_ties import NEAR_TIES
from cases.families.offsets import OFFSETS
from cases.families.ordinary import ORDINARY
from cases.families.positions import POSITIONS
from cases.families.published import PUBLISHED
from cases.families.refusals import REFUSALS
from cases.families.saturating_sums import SATURATING_SUMS
from cases.families.shapes import SHAPES
from cases.families.soft_labels import SOFT_LABELS
from cases.families.special_values import SPECIAL_VALUES
from cases.families.two_classes import TWO_CLASSES
from cases.families.vocabularies import VOCABULARIES
from cases.families.widths import WIDTHS

ALL = (
    PUBLISHED,
    ORDINARY,
    WIDTHS,
    VOCABULARIES,
    HUGE_LOGITS,
    OFFSETS,
    NEAR_TIES,
    LONG_SUMS,
    SATURATING_SUMS,
    SOFT_LABELS,
    INDEX_LABELS,
    INDEX_RANGE,
    LABEL_TYPES,
    TWO_CLASSES,
    MULTI_LABEL,
    ATTRIBUTES,
    ELEMENT_WEIGHTS,
    EVERY_HALF,
    SPECIAL_VALUES,
    POSITIONS,
    COTANGENTS,
    DERIVATIVES,
    SHAPES,
    LAYOUTS,
    INVARIANCE,
    REFUSALS,
    HISTORICAL,
)
