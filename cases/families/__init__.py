"""One file a family. Adding one: write the file, add it to ``ALL``, add its test."""

from cases.families.every_half import EVERY_HALF
from cases.families.huge_logits import HUGE_LOGITS
from cases.families.index_labels import INDEX_LABELS
from cases.families.multi_label import MULTI_LABEL
from cases.families.near_ties import NEAR_TIES
from cases.families.offsets import OFFSETS
from cases.families.ordinary import ORDINARY
from cases.families.published import PUBLISHED
from cases.families.soft_labels import SOFT_LABELS
from cases.families.special_values import SPECIAL_VALUES
from cases.families.two_classes import TWO_CLASSES

ALL = (
    PUBLISHED,
    ORDINARY,
    HUGE_LOGITS,
    OFFSETS,
    NEAR_TIES,
    SOFT_LABELS,
    INDEX_LABELS,
    TWO_CLASSES,
    MULTI_LABEL,
    EVERY_HALF,
    SPECIAL_VALUES,
)
