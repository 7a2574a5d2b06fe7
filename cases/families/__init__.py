"""One file a family. Adding one: write the file, add it to ``ALL``, add its test."""

from xent_conformance.cases.families.attributes import ATTRIBUTES
from xent_conformance.cases.families.composites import COMPOSITES
from xent_conformance.cases.families.cotangents import COTANGENTS
from xent_conformance.cases.families.crossing import CROSSING
from xent_conformance.cases.families.derivatives import DERIVATIVES
from xent_conformance.cases.families.divergences import DIVERGENCES
from xent_conformance.cases.families.eight_bits import EIGHT_BITS
from xent_conformance.cases.families.element_weights import ELEMENT_WEIGHTS
from xent_conformance.cases.families.every_half import EVERY_HALF
from xent_conformance.cases.families.forms import FORMS
from xent_conformance.cases.families.historical import HISTORICAL
from xent_conformance.cases.families.huge_logits import HUGE_LOGITS
from xent_conformance.cases.families.index_labels import INDEX_LABELS
from xent_conformance.cases.families.index_range import INDEX_RANGE
from xent_conformance.cases.families.inexact_differences import INEXACT_DIFFERENCES
from xent_conformance.cases.families.invariance import INVARIANCE
from xent_conformance.cases.families.label_types import LABEL_TYPES
from xent_conformance.cases.families.layers import LAYERS
from xent_conformance.cases.families.layouts import LAYOUTS
from xent_conformance.cases.families.long_sums import LONG_SUMS
from xent_conformance.cases.families.many_rows import MANY_ROWS
from xent_conformance.cases.families.masks import MASKS
from xent_conformance.cases.families.multi_label import MULTI_LABEL
from xent_conformance.cases.families.near_ties import NEAR_TIES
from xent_conformance.cases.families.offsets import OFFSETS
from xent_conformance.cases.families.ordinary import ORDINARY
from xent_conformance.cases.families.positions import POSITIONS
from xent_conformance.cases.families.published import PUBLISHED
from xent_conformance.cases.families.refusals import REFUSALS
from xent_conformance.cases.families.saturating_sums import SATURATING_SUMS
from xent_conformance.cases.families.shapes import SHAPES
from xent_conformance.cases.families.soft_labels import SOFT_LABELS
from xent_conformance.cases.families.special_values import SPECIAL_VALUES
from xent_conformance.cases.families.state import STATE
from xent_conformance.cases.families.tiles import TILES
from xent_conformance.cases.families.two_classes import TWO_CLASSES
from xent_conformance.cases.families.values import VALUES
from xent_conformance.cases.families.vocabularies import VOCABULARIES
from xent_conformance.cases.families.widths import WIDTHS

ALL = (
    PUBLISHED,
    ORDINARY,
    WIDTHS,
    EIGHT_BITS,
    VOCABULARIES,
    TILES,
    MANY_ROWS,
    VALUES,
    HUGE_LOGITS,
    OFFSETS,
    NEAR_TIES,
    INEXACT_DIFFERENCES,
    LONG_SUMS,
    SATURATING_SUMS,
    SOFT_LABELS,
    DIVERGENCES,
    INDEX_LABELS,
    INDEX_RANGE,
    LABEL_TYPES,
    TWO_CLASSES,
    MULTI_LABEL,
    ATTRIBUTES,
    ELEMENT_WEIGHTS,
    FORMS,
    COMPOSITES,
    LAYERS,
    MASKS,
    EVERY_HALF,
    SPECIAL_VALUES,
    POSITIONS,
    COTANGENTS,
    DERIVATIVES,
    SHAPES,
    LAYOUTS,
    INVARIANCE,
    STATE,
    CROSSING,
    REFUSALS,
    HISTORICAL,
)
