"""One file a family. Adding one: write the file, add it to ``ALL``, add its test."""

from cases.families.huge_logits import HUGE_LOGITS
from cases.families.multi_label import MULTI_LABEL
from cases.families.ordinary import ORDINARY
from cases.families.published import PUBLISHED
from cases.families.soft_labels import SOFT_LABELS
from cases.families.special_values import SPECIAL_VALUES
from cases.families.two_classes import TWO_CLASSES

ALL = (PUBLISHED, ORDINARY, HUGE_LOGITS, SOFT_LABELS, TWO_CLASSES, MULTI_LABEL, SPECIAL_VALUES)
