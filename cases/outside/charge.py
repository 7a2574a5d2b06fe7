"""The clause of a row from a file, by what is in it: the table of docs/CASES.md, in its order.

The families of the corpus know what they made a row for; of anybody's row only its numbers are known. The
clause that speaks of its special values comes before those of its attributes, and 1.1 is left for the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.clauses import Level, clause
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import NEXT_TO_AN_END, Operator


@dataclass(frozen=True)
class Charge:
    """The clause of a row, and those of outputs that have another."""

    clause: str
    clauses: Mapping[str, str] = field(default_factory=dict)


GRADIENTS = ("grad_logits", "grad_labels")
OFF_THE_SIMPLEX = {"grad_logits": "6.2"}
PLAIN = Charge("1.1")


def charge(op: Operator, fmt: Format, logits: Floats, labels: Floats, a: Attributes) -> Charge:
    """The clause of one row, or of a group of examples side by side."""
    if not a.grouped:
        return _special(op, logits, labels, a) or _attributes(op, a) or _labels(op, fmt, labels)
    return _group(op, logits, labels, a)


def _group(op: Operator, logits: Floats, labels: Floats, a: Attributes) -> Charge:
    """One number of several examples: what is special in one of them decides it."""
    m = a.examples or 0
    if m == 0 or (a.reduction == "mean" and _nothing_counts(op, labels, a)):
        return Charge("6.11" if a.reduction == "mean" else "2.7")
    if a.reduction == "mean" and a.weight and op.labels == "dense" and not op.elementwise:
        return Charge("6.12")
    width = 1 if op.labels == "index" else logits.size // m
    found = [
        _special(op, x, y, a) for x, y in zip(logits.reshape(m, -1), labels.reshape(m, width), strict=True)
    ]
    if all(c is not None and c.clause == "6.8" for c in found):
        return Charge("6.8")
    special = [c for c in found if c is not None and c.clause not in ("6.8", "2.4")]
    return min(special, key=_weight, default=Charge("6.10"))


def _weight(found: Charge) -> tuple[bool, bool, str]:
    """What defines nothing comes first, then where an error is right, then NaN, which a sum keeps."""
    rule = clause(found.clause)
    return rule.level is not Level.OPEN, not rule.or_an_error, found.clause


def _nothing_counts(op: Operator, labels: Floats, a: Attributes) -> bool:
    """Whether every example is ignored, or of a class that weighs nothing."""
    if op.labels != "index":
        return False
    kept = [int(y) for y in labels if y != a.ignore_index]
    return not kept or (bool(a.weight) and all(0 <= y < len(a.weight) and a.weight[y] == 0.0 for y in kept))


def _special(op: Operator, x: Floats, y: Floats, a: Attributes) -> Charge | None:
    if op.domain == "nonnegative":
        return _special_pairs(x, y)
    if op.domain == "log_distributions":
        return _special_log_target(x, y)
    if op.domain == "probabilities" and not op.elementwise:
        return _special_shares(op, x, y, a)
    if op.domain == "log_probabilities":
        return _special_index(x, y, a) if op.labels == "index" else _special_target(x, y, a)
    return _special_element(op, x, y, a) if op.elementwise else _special_row(op, x, y, a)


def _special_row(op: Operator, x: Floats, y: Floats, a: Attributes) -> Charge | None:
    """The softmax family."""
    if not x.size:
        return Charge("2.8")
    if op.labels == "index" and a.ignore_index is not None and y[0] == a.ignore_index:
        return Charge("6.8")
    if op.labels == "index" and not 0 <= y[0] < x.size:
        return Charge("6.4")  # before a NaN: an error is right as well
    if np.isnan(x).any():
        return Charge("3.2")
    if np.isnan(y).any():  # the derivative by a label does not depend on it
        return Charge("3.2", OFF_THE_SIMPLEX | {"grad_labels": "1.1"})
    excluded = x == -np.inf
    sum_alone = op.labels == "none" and op.value_shape == "scalar"
    if excluded.all():  # the logarithm of nothing is a value (5.3), its gradient none
        return Charge("5.3", dict.fromkeys(GRADIENTS, "4.4")) if sum_alone else Charge("4.4")
    if (x == np.inf).any():
        return Charge("5.3" if sum_alone else "5.1", dict.fromkeys(GRADIENTS, "5.1"))
    if excluded.any():
        return _masked(op, excluded, y, a)
    return Charge("2.4") if x.size == 1 else None


def _special_index(x: Floats, y: Floats, a: Attributes) -> Charge | None:
    """Given log-probabilities, of which an index picks one: unless labels are smoothed, no other counts."""
    if a.ignore_index is not None and y[0] == a.ignore_index:
        return Charge("6.8")
    if not 0 <= y[0] < x.size:
        return Charge("6.4")
    if np.isnan(x).any():  # of what is picked, or of what is not and changes nothing
        return Charge("3.2")
    seen = x if a.label_smoothing else x[[int(y[0])]]
    if np.isinf(seen).any():
        return Charge("5.1" if (seen == np.inf).any() else "4.3", dict.fromkeys(GRADIENTS, "4.5"))
    return Charge("4.1") if (x == -np.inf).any() else None


def _special_target(x: Floats, y: Floats, a: Attributes) -> Charge | None:
    """Given log-probabilities, and a target that may be zero, unless it is smoothed."""
    if not x.size:
        return Charge("2.8")
    p = (1 - a.label_smoothing) * y + a.label_smoothing / x.size
    if np.isnan(x).any() or np.isnan(p).any():
        return Charge("3.2")
    if (x == np.inf).any() or (p < 0).any():
        return Charge("5.1" if (x == np.inf).any() else "4.5", dict.fromkeys(GRADIENTS, "4.5"))
    gone, by_target = x == -np.inf, {"grad_labels": "4.5"}
    if gone.any():
        return Charge("4.3", dict.fromkeys(GRADIENTS, "4.5")) if p[gone].any() else Charge("4.2", by_target)
    return Charge("4.7", by_target) if (p == 0).any() else None


def _masked(op: Operator, excluded: Floats, y: Floats, a: Attributes) -> Charge:
    """Some classes are excluded."""
    if op.labels == "none":
        return Charge("4.1")
    n = excluded.size
    p = np.asarray(np.arange(n) == y[0], dtype=np.float64) if op.labels == "index" else y
    mass = (1 - a.label_smoothing) * p + a.label_smoothing / n
    mass = np.where(excluded, mass * np.array([a.weight_of(i) for i in range(n)]), 0.0)
    if (mass < 0).any():  # −∞, or ∞ − ∞
        return Charge("4.5")
    if (mass > 0).any():
        return Charge("4.3", dict.fromkeys(GRADIENTS, "4.5"))
    return Charge("4.2", {"grad_labels": "4.5"}) if op.labels == "dense" else Charge("4.1")


def _special_probability(x: Floats, y: Floats, a: Attributes) -> Charge | None:
    """A loss of given probabilities: what is none, then an end of [0, 1], then what is next to one."""
    if ((x < 0) | (x > 1)).any():
        return Charge("5.9", dict.fromkeys(GRADIENTS, "4.5"))
    if np.isnan(x).any() or not ((y >= 0) & (y <= 1)).all():
        return Charge("5.8")
    z = (1 - a.label_smoothing) * y + a.label_smoothing / 2
    weighs = np.array(a.weight or (1.0,)) != 0
    if ((x == 0) | (x == 1)).any():
        wrong = ((x == 0) & (z != 0) | (x == 1) & (z != 1)) & weighs
        return Charge("5.6", dict.fromkeys(GRADIENTS if wrong.any() else GRADIENTS[1:], "4.5"))
    return Charge("5.7") if (np.minimum(x, 1 - x) < NEXT_TO_AN_END).any() else None


def _special_shares(op: Operator, x: Floats, y: Floats, a: Attributes) -> Charge | None:
    """A given distribution: what is none, then a class that has nothing, or next to nothing."""
    index = op.labels == "index"
    if index and a.ignore_index is not None and y[0] == a.ignore_index:
        return Charge("6.8")
    if index and not 0 <= y[0] < x.size:
        return Charge("6.4")
    if not x.size:
        return Charge("2.8")
    if ((x < 0) | (x > 1)).any():
        return Charge("5.9", dict.fromkeys(GRADIENTS, "4.5"))
    if np.isnan(y).any():
        return Charge("5.8", {"grad_logits": "6.16"})
    p = np.asarray(np.arange(x.size) == y[0], dtype=np.float64) if index else y
    mass = ((1 - a.label_smoothing) * p + a.label_smoothing / x.size) * np.array(a.weight or (1.0,))
    if np.isnan(x).any():
        seen = bool(mass[np.isnan(x)].any())
        return Charge("5.8" if seen else "6.16", dict.fromkeys(GRADIENTS, "6.16"))
    if abs(math.fsum(x) - 1.0) > x.size * 2.0**-8:
        return Charge("6.16", dict.fromkeys(GRADIENTS, "6.16"))
    if (x == 0).any():
        return Charge("5.6", dict.fromkeys(GRADIENTS if mass[x == 0].any() else GRADIENTS[1:], "4.5"))
    return Charge("5.7") if (x < NEXT_TO_AN_END).any() else None


def _special_pairs(x: Floats, y: Floats) -> Charge | None:
    """Divergences by elements: what is outside, then a prediction of zero, then a target of zero."""
    if np.isnan(x).any() or np.isnan(y).any():
        return Charge("3.2")
    slopes = dict.fromkeys(GRADIENTS, "4.5")
    if (x == np.inf).any():
        return Charge("5.1", dict.fromkeys(GRADIENTS, "5.1"))
    if ((x < 0) | (y < 0) | ((x == 0) & (y == 0))).any():
        return Charge("5.10", slopes)
    if (x == 0).any():
        return Charge("4.3", slopes)
    return Charge("4.7", {"grad_labels": "4.5"}) if (y == 0).any() else None


def _special_log_target(x: Floats, y: Floats) -> Charge | None:
    """A log-target is finite: an infinite label is refused before."""
    if not x.size:
        return Charge("2.8")
    if np.isnan(x).any() or np.isnan(y).any():
        return Charge("3.2")
    slopes = dict.fromkeys(GRADIENTS, "4.5")
    if (x == np.inf).any():
        return Charge("5.1", slopes)
    return Charge("4.3", slopes) if (x == -np.inf).any() else None


def _special_element(op: Operator, x: Floats, y: Floats, a: Attributes) -> Charge | None:
    """The sigmoid family, and ``logit``: one special element decides the row."""
    if op.domain == "probabilities":
        return _special_probability(x, y, a)
    if np.isnan(x).any():
        return Charge("3.2")
    if np.isnan(y).any():  # the derivative by a label does not depend on it
        return Charge("3.2", {"grad_labels": "1.1"})
    if op.domain == "unit":
        return None if ((x > 0) & (x < 1)).all() else Charge("5.4")
    if np.isinf(x).any():  # no attribute changes which limit it is, but those of its derivative
        return Charge("5.2", {"grad_labels": "4.5"} if a.given else {})
    return None


def _attributes(op: Operator, a: Attributes) -> Charge | None:
    if a.ignore_index is not None:
        return Charge("6.8")
    if a.label_smoothing:
        return Charge("6.7")
    if a.pos_weight:
        return Charge("6.9")
    return Charge("6.6") if a.weight else None


def _labels(op: Operator, fmt: Format, y: Floats) -> Charge:
    """Dense labels that are no probabilities; what rounding each of them takes from their sum is none."""
    if op.labels != "dense" or op.plain_labels:  # no simplex, or one that only logarithms show
        return PLAIN
    if op.elementwise:
        off = bool(((y < 0) | (y > 1)).any())
    else:
        off = bool((y < 0).any()) or abs(math.fsum(y) - 1.0) > y.size * fmt.u
    return Charge("6.1", OFF_THE_SIMPLEX if op.domain == "reals" else {}) if off else PLAIN
