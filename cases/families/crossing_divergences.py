"""What the crossing asks of divergences by elements and of log-targets: their contents, labels and clauses.

A class is excluded on either side by −∞ where both are logarithms, and an element by 0 where none is. Labels
are ``hard`` where most of the target is nothing, which is a clause of its own in both (4.7, 4.8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xent_conformance.cases.families.common import log_target, ordinary
from xent_conformance.cases.pairwise import Row, Rule
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Domain, Operator

CONTENT: Mapping[Domain, Sequence[str]] = {
    "log_distributions": ("ordinary", "nan", "excluded", "finite_mask", "excluded_label"),
    "nonnegative": ("ordinary", "nan", "excluded", "excluded_label", "outside", "far"),
}
"""``far``: a quotient that is no number of the format. ``outside``: a prediction below zero."""

LABELS: Mapping[Domain, Sequence[str]] = {
    "log_distributions": ("soft", "hard", "off_simplex", "nan_label"),
    "nonnegative": ("soft", "hard", "nan_label"),
}

RULES = (
    # what neither side has is excluded; what the target has is a content of its own, beside no other zero
    Rule(("content", "labels"), lambda content, labels: content != "excluded" or labels == "hard"),
    Rule(("content", "labels"), lambda content, labels: content != "excluded_label" or labels != "hard"),
    # two reasons to be NaN hide each other, and a zero of the target is one to whoever forgets it
    Rule(("content", "labels"), lambda content, labels: content not in ("nan", "far") or labels != "hard"),
    Rule(("content", "labels"), lambda content, labels: content != "outside" or labels != "nan_label"),
)

FAR = 1024.0
"""The target whose quotient by four times the smallest normal number overflows in every format.

So does an eighth of it, the least cotangent and the least tangent.
"""

_OPEN = dict.fromkeys(("grad_logits", "grad_labels", "jvp", "hvp"), "4.5")
_BEYOND = dict.fromkeys(("grad_logits", "jvp", "hvp"), "2.2")
_BY_TARGET = {"grad_labels": "4.5"}


def special(operator: Operator, content: str, fmt: Format) -> float:
    """The number that a content puts into its place."""
    nothing = 0.0 if operator.elementwise else -np.inf
    return {"outside": -1.0, "far": 4 * fmt.smallest_normal}.get(content, nothing)


def dense(kind: str, operator: Operator, fmt: Format, n: int, m: int, words: Words, labelled: int) -> Floats:
    """``(m, n)`` targets: all in ``labelled`` (by elements, there and in some others), or positive."""
    if operator.elementwise:
        if kind != "hard":
            return np.stack([ordinary(operator, fmt, n, words) for _ in range(m)])
        some = words.below(2, m, n).astype(np.float64)
        some[0] = np.arange(n) == labelled
        return some
    if kind == "hard":
        hard = np.where(words.below(n, m, 1) == np.arange(n), 0.0, -np.inf)
        hard[0] = np.where(np.arange(n) == labelled, 0.0, -np.inf)
        return hard
    if kind == "off_simplex":
        return np.stack([fmt.nearest(words.fractions(n)) for _ in range(m)])
    return np.stack([log_target(fmt, n, words) for _ in range(m)])


def clauses_of(row: Row, operator: Operator) -> tuple[str, Mapping[str, str]] | None:
    """The clause of the special row, and those of some outputs; None where nothing of it is special.

    NaN before infinities, and a target of zero before numbers: whoever forgets it has NaN there.
    """
    content, labels = row["content"], row["labels"]
    if "nan" in (content, labels.removesuffix("_label")):
        return "3.2", {}
    if content == "excluded_label":
        return "4.3", _OPEN
    if operator.elementwise:
        if content in ("excluded", "outside"):
            return "5.10", _OPEN
        if content == "far":
            return "2.1", _BEYOND
        return ("4.7", _BY_TARGET) if labels == "hard" else None
    if labels == "hard":
        return "4.8", _BY_TARGET if content == "excluded" else {}
    if labels == "off_simplex":
        return "1.6" if row["asked"] == "moving" else "6.1", {}
    return None
