"""What the crossing crosses: axes and rules as data, and the clause that a row is judged by."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from xent_conformance.cases.families import crossing_divergences as divergences
from xent_conformance.cases.family import EVERY_LATER
from xent_conformance.cases.form import Form, Layout
from xent_conformance.cases.pairwise import Axes, Row, Rule, covering
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS, Operator

FIRST, WIDTHS, THREES = 4, ("4", "17"), 18
"""The row length that ``quick`` asks, those of ``standard``, and that of the triples in ``full``."""

DOMAINS = EVERY_LATER
CROSSED = tuple(o for o in OPERATORS.values() if o.domain in DOMAINS)
"""Of which arguments the crossing is asked, and from which profile on."""

BARE: Row = {
    "weight": "even",
    "pos_weight": "all_one",
    "smoothing": "plain",
    "ignored": "kept",
    "reduction": "none",
    "layout": "contiguous",
}
"""Of an implementation that takes logits and labels and nothing else."""

USUAL = frozenset({*BARE.values(), "ordinary", "none", "inside", "hard", "few", "rows", "gradients", "once"})
"""Values that a name does not tell."""

PLACES = (
    ("weight", "reduction", "shape"),
    ("smoothing", "reduction", "shape"),
    ("ignored", "reduction", "shape"),
    ("pos_weight", "reduction", "shape"),
)
"""Of which ``quick`` asks all three together: attributes of tensors of any rank, reduced or not."""

TRIPLES = (
    ("content", "ignored", "reduction"),
    ("weight", "smoothing", "reduction"),
    ("content", "labels", "smoothing"),
    ("content", "shape", "layout"),
)
"""Where pairs have worked and triples failed; asked in ``full``."""


@functools.cache
def axes_of(operator: Operator) -> Axes:
    """The axes of an operator, each with its values; the first is what nobody would think of."""
    labelled, index, elementwise = operator.labels != "none", operator.labels == "index", operator.elementwise
    binary = elementwise and labelled
    plain = operator.plain_labels  # a divergence of which no attribute is defined
    given = plain or operator.domain == "log_probabilities"
    shares = operator.domain == "probabilities" and not elementwise  # of one: no class is changed alone
    content = ["ordinary", "nan"] if given or shares else ["ordinary", "confident", "nan"]
    if operator.domain == "reals":
        content += ["infinite"]
    if not elementwise and not shares:
        content += ["excluded", "finite_mask", *([] if given else ["offset"])]
        content += ["excluded_label"] if labelled else []
    labels = {
        "none": ["none"],
        "index": ["inside", "out_of_range"],
        "dense": ["hard", "soft", "off_simplex", "nan_label"],
    }[operator.labels]
    if plain:
        content = list(divergences.CONTENT[operator.domain])
        labels = list(divergences.LABELS[operator.domain])
    reduced = labelled and not (plain and elementwise)
    inner = [] if elementwise else ["classes_first", "image", "square"]
    return {
        "content": content,
        "labels": labels,
        "weight": ["even", "weighted", "some_zero"] if labelled and (index or not given) else ["even"],
        "pos_weight": ["all_one", "positive"] if binary and operator.domain == "reals" else ["all_one"],
        "smoothing": ["plain", "smoothed"]
        if labelled and not given and not (shares and index)
        else ["plain"],
        "ignored": ["kept", "ignore_outside", "ignore_class"] if index else ["kept"],
        "reduction": ["none", "mean", "sum"] if reduced else ["none"],
        "rows": ["few", "many"] if reduced else ["few"],
        "shape": ["rows", "vector", *inner, "three_axes"],
        "layout": ["contiguous", "transposed", "strided", "sliced", *([] if elementwise else ["class_last"])],
        "asked": ["gradients", "moving", *([] if labelled else ["out"])],
        "again": ["once", "twice"],
    }


_EXCLUDED = ("excluded", "excluded_label")
_WITH_EXCLUDED = ("none", "inside", "hard")
_FINITE = ("ordinary", "confident", "finite_mask", "offset")
_UNDEFINED = ("out_of_range", "nan_label")

RULES = (
    # rows that are many for their own sake are another family's; here they are many in a reduction
    Rule(("rows", "reduction"), lambda rows, reduction: rows == "few" or reduction != "none"),
    Rule(("rows", "shape"), lambda rows, shape: rows == "few" or shape == "rows"),
    # a row that is a vector has no memory but its own, and channels are last where there are some
    Rule(("shape", "layout"), lambda shape, layout: shape != "vector" or layout in ("contiguous", "strided")),
    Rule(("shape", "layout"), lambda shape, layout: shape == "image" or layout != "class_last"),
    # two reasons to be NaN hide each other
    Rule(("content", "labels"), lambda content, labels: content in _FINITE or labels not in _UNDEFINED),
    # each shape of a derivative is compiled for itself
    Rule(("asked", "shape"), lambda asked, shape: asked != "moving" or shape in ("rows", "vector", "image")),
    # on a label of the sigmoid family no second derivative depends, unless by rounding
    Rule(("labels", "asked"), lambda labels, asked: labels != "nan_label" or asked == "gradients"),
    Rule(("asked", "again"), lambda asked, again: asked == "gradients" or again == "once"),
)

# label mass on a class that is not there is a content of its own
_MASS = Rule(
    ("content", "labels"), lambda content, labels: labels in _WITH_EXCLUDED or content not in _EXCLUDED
)
# what the mean of dense losses is under weights is open (6.12), and hides all
_JUDGED = Rule(("weight", "reduction"), lambda weight, of: weight == "even" or of != "mean")


def rules_of(operator: Operator) -> Sequence[Rule]:
    """The rules, and what else holds of excluded classes and of dense losses."""
    if operator.plain_labels:
        return (*RULES, *divergences.RULES)
    if operator.labels != "dense" or operator.elementwise or operator.domain == "log_probabilities":
        return (*RULES, _MASS)
    return (*RULES, _MASS, _JUDGED)


@functools.cache
def quick_of(operator: Operator) -> Sequence[Row]:
    """What is asked in ``quick``, in its one format and width: all pairs of what can be asked there meet.

    First among implementations that take no attribute and no layout.
    """
    axes, rules = axes_of(operator), rules_of(operator)
    bare = covering({a: [BARE[a]] if a in BARE else values for a, values in axes.items()}, rules)
    quick = covering(axes, rules, first=bare, also=PLACES)
    return [{**row, "format": "float32", "width": str(FIRST)} for row in quick]


@functools.cache
def rows_of(operator: Operator) -> Sequence[Row]:
    """What is asked in ``quick`` and ``standard``, which adds formats and widths."""
    whole = {**axes_of(operator), "format": tuple(FORMATS), "width": WIDTHS}
    return covering(whole, rules_of(operator), first=quick_of(operator))


@functools.cache
def triples_of(operator: Operator) -> Sequence[Row]:
    """What ``full`` asks beside: rows in which triples meet, as far as the others have not met."""
    axes = axes_of(operator)
    before = [{a: row[a] for a in axes} for row in rows_of(operator)]
    found = covering(axes, rules_of(operator), first=before, also=(*PLACES, *TRIPLES))
    return [{**row, "format": "float32", "width": str(THREES)} for row in found[len(before) :]]


def asked_in(operator: Operator, fmt: str, n: int) -> Sequence[Row]:
    """The rows of one format and width.

    To those of ``quick`` nothing is added: what meets there without another format or width has met.
    """
    if (fmt, n) == ("float32", FIRST):
        return quick_of(operator)
    every = triples_of(operator) if n == THREES else rows_of(operator)
    return [row for row in every if row["format"] == fmt and int(row["width"]) == n]


def asked_by(profile: str, operator: Operator) -> Sequence[Row]:
    """All rows of a profile."""
    if operator not in CROSSED or not DOMAINS[operator.domain] <= profile:
        return []
    if profile == "quick":
        return asked_in(operator, "float32", FIRST)
    return [*rows_of(operator), *(triples_of(operator) if profile == "full" else ())]


def name_of(row: Row) -> str:
    """The values that are not the first of their axes: ``excluded+weighted+mean+image``."""
    told = [v for axis, v in row.items() if axis not in ("format", "width") and v not in USUAL]
    return "+".join(told) or "plain"


def form_of(row: Row, n: int) -> Form:
    """Shape, place of the classes, memory and repetition.

    A square (the first width: a cube) has no axis of another length, so that a wrong one has the right one.
    """
    shape, axis = {
        "rows": (None, -1),
        "vector": ((), -1),
        "classes_first": ((12,), 0),
        "image": ((2, 3, 2), 1),
        "square": ((n, n), -2) if n == FIRST else ((n,), -2),
        "three_axes": ((3, 4), -1),
    }[row["shape"]]
    layout: Layout = row["layout"]  # type: ignore[assignment]
    each = shape == () and row["reduction"] == "none"
    return Form(shape, axis, layout, each, "twice" if row["again"] == "twice" else "", row["asked"] == "out")


def clauses_of(row: Row, operator: Operator) -> tuple[str, dict[str, str]]:
    """The clause of the special row, and other clauses of some outputs: what is heaviest decides.

    What is open before what is undefined, NaN before infinities, numbers before attributes, and what is only
    said of a form last. The derivative of a divergence by a target of zero is open, whatever else there is.
    """
    clause, clauses = _clauses(row, operator)
    zeros = operator.domain == "log_probabilities" and row["labels"] in ("hard", "nan_label")
    return clause, clauses | ({"grad_labels": "4.5"} if zeros else {})


def _clauses(row: Row, operator: Operator) -> tuple[str, dict[str, str]]:
    if operator.plain_labels:
        of_divergences = divergences.clauses_of(row, operator)
        if of_divergences:
            return of_divergences[0], dict(of_divergences[1])
    gradients = ("grad_logits", "grad_labels", "jvp", "hvp")
    moves = row["asked"] == "moving"
    content, labels, dense = row["content"], row["labels"], operator.labels == "dense"
    if operator.domain == "probabilities" and not operator.elementwise:
        shares = {"nan": ("6.16", {}), "nan_label": ("5.8", {"grad_logits": "6.16"})}
        found = shares.get(content) or shares.get(labels)
        if found:
            return found
        if labels == "off_simplex":
            return "1.6" if moves else "6.1", {}
    elif operator.domain == "probabilities" and (content == "nan" or labels in ("nan_label", "off_simplex")):
        return "5.8", {}
    open_ = dict.fromkeys(gradients, "4.5")
    if labels == "out_of_range":
        mean = row["reduction"] == "mean"  # of which the gradient has a divisor that nothing defines
        return "6.4", dict.fromkeys(("grad_logits", "hvp"), "6.11") if mean else {}
    if labels == "nan_label":
        assumed = {} if operator.elementwise else {"grad_logits": "6.2"}  # by whoever takes Σp for one
        return "3.2", {"grad_labels": "3.1"} | assumed
    if content == "nan":
        return "3.2", {}
    if content == "infinite":
        if operator.elementwise:
            return "5.2", {"grad_labels": "4.5"}
        return ("5.3" if operator.name == "logsumexp" else "5.1"), dict.fromkeys(gradients, "5.1")
    if content == "excluded_label" or (content == "excluded" and row["smoothing"] == "smoothed"):
        return "4.3", open_  # a share of smoothing is mass as well
    if content == "excluded":
        open_ = {"grad_labels": "4.5"} if dense else {}
        return "4.2" if dense else "4.1", open_ | ({"jvp": "4.5"} if operator.name == "log_softmax" else {})
    if labels == "off_simplex":
        return ("1.6", {"hvp": "6.2"}) if moves else ("6.1", {"grad_logits": "6.2"})
    special = {"finite_mask": "2.3", "offset": "7.1"}.get(content)
    return special or _usual(row), {}


def beside(row: Row, operator: Operator) -> Row:
    """What stands beside the special content: ordinary logits, and labels that name a class."""
    labels = {"out_of_range": "inside", "nan_label": "soft" if operator.plain_labels else "hard"}
    return {**row, "content": "ordinary", "labels": labels.get(row["labels"], row["labels"])}


def _usual(row: Row) -> str:
    """The heaviest of the attributes that are given, or the form."""
    given = {
        "6.10": row["reduction"] != "none",
        "6.8": row["ignored"] != "kept",
        "6.7": row["smoothing"] != "plain",
        "6.9": row["pos_weight"] != "all_one",
        "6.6": row["weight"] != "even",
        "1.6": row["asked"] == "moving",
        "1.4": row["shape"] == "vector",
        "7.6": row["shape"] != "rows" or row["layout"] != "contiguous" or row["asked"] == "out",
        "7.3": row["again"] != "once",
    }
    return next((clause for clause, is_given in given.items() if is_given), "1.1")
