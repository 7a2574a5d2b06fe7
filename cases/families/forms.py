"""``forms``: what doors document beside logits and labels, each in a few rows (1.4, 6.6 to 6.10, 6.14, 7.6).

The clamp of ``logit``, weights inside ``logsumexp``, weights of rows, negative weights, smoothing and an
ignored class where the classes are not last, a format that is asked for, labels and weights in another one,
classes on several axes at once, axes that stay, tensors without axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary, target
from xent_conformance.cases.family import GIVEN, Family, in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import EIGHT_BITS, FORMATS, JUDGED, Floats, Format
from xent_conformance.reference.operators import Operator

CLASSES = (3, 4)
"""Two axes of classes, twelve in all."""
ROWS, EXAMPLES = 4, 4
CLAMPED = 33
"""Elements of a clamped row: a vector register and what is left of it, for registers of any width."""
CROSSED = 17 / 32
"""Above one half: the bounds of the clamp are the wrong way round."""
WIDER = {"float16": "float32", "bfloat16": "float32", "float32": "float64"}
MIXED = 5
"""Classes of rows whose weights are in another format: a wider one, and binary32 beside binary64."""
NARROWER = {"float32": ("float16", "bfloat16", *EIGHT_BITS), "float64": ("float32",)}
"""In which logits may come where the format is asked for; of eight bits by who is said to take them so."""

LENGTHS: dict[str, tuple[int, ...]] = {
    "softmax": (12,),
    "log_softmax": (12,),
    "logsumexp": (MIXED, 12),
    "softmax_cross_entropy": (3, MIXED),
    "sparse_softmax_cross_entropy": (MIXED, 6),
    "sigmoid": (1,),
    "log_sigmoid": (1,),
    "logit": (1, CLAMPED),
    "sigmoid_cross_entropy": (1, MIXED, 8),
    "binary_cross_entropy": (1, 8),
    "categorical_cross_entropy": (6,),
    "sparse_categorical_cross_entropy": (6,),
    "kl_divergence": (3,),
    "negative_log_likelihood": (6,),
}


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return LENGTHS.get(operator.name, ())


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if n == 1:
        for _ in range(2):
            x = ordinary(operator, fmt, n, words)
            yield Ask("no_axis", x, "1.4", form=Form(shape=(), each=True, class_shape=()))
    elif operator.name == "logit":
        yield from _clamped(fmt, n, words)
    elif n == MIXED:
        yield from _weights_in_another_format(operator, fmt, n, words)
    elif operator.elementwise:
        yield from _negative_elements(operator, fmt, n, words)
        yield from _row_weights(operator, fmt, n, words)
    elif operator.labels == "none":
        yield from _axes(operator, fmt, n, words)
        for narrow in NARROWER.get(fmt.name, ()):
            for scale in (1.0, 4.0, 16.0):
                x = words.bell(JUDGED[narrow], scale, n)
                yield Ask(f"dtype_of_{narrow}", x, "1.4", form=Form(logits_dtype=narrow))
        if operator.name == "logsumexp":
            yield from _weights_inside(fmt, n, words)
    elif operator.name == "kl_divergence":
        yield from _divergences(operator, fmt, n, words)
    else:
        if operator.name != "categorical_cross_entropy":
            yield from _second_axis(operator, fmt, n, words)
        yield from _negative_classes(operator, fmt, n, words)
        yield from _row_weights(operator, fmt, n, words)
        if operator.labels == "dense" and operator.domain == "reals":
            yield from _wide_labels(fmt, n, words)
        yield from _more_axes(operator, fmt, n, words)


# --- the clamp of logit ----------------------------------------------------------------------------


def _clamped(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for name, eps in (("eighth", 0.125), ("small", 2.0**-7), ("zero", 0.0)):
        for _ in range(2):
            x = fmt.nearest(words.fractions(n, bits=7))
            x[[3, 17]] = 2.0**-10, fmt.nearest(np.array(1 - 2.0**-10))
            yield Ask(f"clamped_{name}", x, "6.14", attributes=Attributes(eps=eps))
        outside = fmt.nearest(words.fractions(n, bits=7))
        outside[[0, 5, 11, 32]] = -1.0, 2.0, np.nan, -0.5
        yield Ask(f"clamped_{name}", outside, "6.14", attributes=Attributes(eps=eps))
    for name, form in (
        ("", Form()),
        ("_sliced", Form(layout="sliced")),
        ("_transposed", Form(layout="transposed")),
    ):
        for at in (0.3, 0.7, None):  # below both bounds, above both, and anywhere
            drawn = words.fractions(n, bits=7) if at is None else np.full(n, at)
            crossed = Attributes(eps=CROSSED)
            yield Ask(f"crossed{name}", fmt.nearest(drawn), "6.14", attributes=crossed, form=form)


# --- axes ------------------------------------------------------------------------------------------


def _axes(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    forms = {
        "two_axes": (ROWS, "7.6", Form(shape=(2, 2), class_shape=CLASSES)),
        "all_axes": (2, "7.6", Form(shape=(), each=True, class_shape=CLASSES)),
    }
    if operator.value_shape == "scalar":
        forms |= {
            "keepdims": (ROWS, "1.4", Form(shape=(2, 2), axis=1, keepdims=True)),
            "two_axes_keepdims": (ROWS, "1.4", Form(shape=(2, 2), class_shape=CLASSES, keepdims=True)),
        }
    for name, (rows, clause, form) in forms.items():
        for _ in range(rows):
            yield Ask(name, words.bell(fmt, 4.0, n), clause, form=form)


def _more_axes(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """For whoever takes no attribute: given ones on an inner axis, and indices with their classes last.

    Each class is named once: a number of classes that is read off another axis leaves some out.
    """
    index, axes = operator.labels == "index", dict[str, int]()
    if operator.domain != "reals":  # of logits that is asked with other shapes
        axes["second_axis"] = 1
    if index:
        axes["three_axes"] = -1
    for name, axis in axes.items():
        for y in (5.0, 0.0, 3.0, 1.0, 4.0, 2.0):
            x = ordinary(operator, fmt, n, words, 2.0)
            label = np.array([y]) if index else _labels(operator, fmt, n, 1, words)
            yield Ask(name, x, "7.6", label, form=Form(shape=(2, 3), axis=axis))


def _second_axis(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """An attribute that counts classes, or picks rows, where the last axis is another."""
    if operator.labels == "dense":
        smoothed, block = Attributes(label_smoothing=0.1), Form(shape=(1, 2), axis=1)
        for hot, high in ((0, (2.0, 0.1, 0.1)), (1, (0.1, 2.0, 0.1))):
            label = np.asarray(np.arange(n) == hot, dtype=np.float64)
            logits = fmt.nearest(np.array(high))
            yield Ask("smoothed_second_axis", logits, "6.7", label, attributes=smoothed, form=block)
        return
    ignored, image = Attributes(ignore_index=2), Form(shape=(2, 3), axis=1)
    for y in (2, 0, 5, 2, 1, 3):
        x = ordinary(operator, fmt, n, words, 2.0)
        yield Ask("ignored_second_axis", x, "6.8", np.array([float(y)]), attributes=ignored, form=image)


def _divergences(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """On an inner axis, and reduced: the mean divides by the rows, and not by their elements."""
    for _ in range(6):
        x = ordinary(operator, fmt, n, words, 2.0)
        yield Ask("divergence_second_axis", x, "7.6", target(n, words), form=Form(shape=(2, 3), axis=1))
    reductions: tuple[Reduction, ...] = ("mean", "sum")
    for reduction in reductions:
        a = Attributes(reduction=reduction, examples=EXAMPLES)
        for _ in range(2):
            labels = np.concatenate([target(n, words) for _ in range(EXAMPLES)])
            x = ordinary(operator, fmt, EXAMPLES * n, words, 2.0)
            yield Ask(f"divergence+{reduction}", x, "6.10", labels, attributes=a)


def _wide_labels(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Labels in a wider format that are no numbers of the logits'."""
    wide = WIDER.get(fmt.name, "")
    if wide:
        for turn in range(2):
            thirds = FORMATS[wide].nearest(np.roll([1 / 3, 2 / 3, 0.0], turn))
            x = words.bell(fmt, 2.0, n)
            yield Ask(f"labels_{wide}", x, "6.5", thirds, {"grad_logits": "6.5"}, form=Form(label_dtype=wide))


# --- weights ---------------------------------------------------------------------------------------


def _weights_inside(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    def ask(variant: str, weight: Floats, x: Floats, **clauses: str) -> Ask:
        return Ask(variant, x, "6.6", clauses=clauses, attributes=Attributes(weight=tuple(weight.tolist())))

    eighths = np.asarray((1.0 + words.integers(4, n)) / 8.0, dtype=np.float64)
    for scale in (1.0, 4.0, 16.0):
        yield ask("weights_inside", eighths, words.bell(fmt, scale, n))
    absent: Floats = eighths.copy()
    absent[[0, 5]] = 0.0
    for height in (4.0, 200.0):  # what weighs nothing must not be what is shifted by
        x = words.bell(fmt, 2.0, n)
        x[5] = height
        yield ask("weights_inside_zero", absent, x)
    yield ask("weights_inside_huge", 1024.0 * eighths, words.bell(fmt, 4.0, n))
    signed: Floats = eighths.copy()
    signed[[1, 7]] = -0.125
    x = words.bell(fmt, 1.0, n)
    x[[1, 7]] = -2.0
    yield ask("weights_inside_negative", signed, x)
    yield ask("weights_inside_below_nothing", -eighths, words.bell(fmt, 1.0, n), grad_logits="4.5")
    yield ask("weights_inside_nothing", np.zeros(n), words.bell(fmt, 1.0, n), grad_logits="4.5")


def _negative_classes(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    weight = (1.0 + words.integers(4, n)) / 8.0
    weight[1] *= -1.0
    reductions: tuple[tuple[Reduction, str], ...] = (("none", "6.6"), ("sum", "6.10"))
    for reduction, clause in reductions:
        m = 1 if reduction == "none" else EXAMPLES
        a = Attributes(tuple(weight.tolist()), (), 0.0, None, reduction, None if m == 1 else m)
        for _ in range(2):
            x, labels = ordinary(operator, fmt, m * n, words, 2.0, m), _labels(operator, fmt, n, m, words)
            yield Ask(f"negative_weights+{reduction}", x, clause, labels, attributes=a)


def _negative_elements(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    weight, positive = (1.0 + words.integers(4, n)) / 8.0, (1.0 + words.integers(4, n)) / 8.0
    weight[::3] *= -1.0
    positive[::2] *= -1.0
    attributes = {
        "negative_weights": Attributes(weight=tuple(weight.tolist())),
        "negative_positive_weights": Attributes(pos_weight=tuple(positive.tolist())),
    }
    for name, a in attributes.items():
        if a.pos_weight and operator.domain != "reals":
            continue  # nobody takes them there
        for _ in range(2):
            labels = words.integers(4, n) / 16.0
            x = ordinary(operator, fmt, n, words, 2.0)
            yield Ask(name, x, "6.9" if a.pos_weight else "6.6", labels, attributes=a)


def _row_weights(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Weights of rows under every reduction; beside an ignored class where there are indices.

    The weighted mean of elements is not asked: each of a row's elements may count, or the row once.
    """
    v = (0.25, 2.0, 0.0, 1.5)
    reductions: tuple[Reduction, ...] = ("sum", "mean", "weighted_mean")
    for reduction in reductions[:2] if operator.elementwise else reductions:
        for ignored in (None, 2) if operator.labels == "index" else (None,):
            a = Attributes((), (), 0.0, ignored, reduction, EXAMPLES, v)
            name = f"row_weights+{reduction}" + ("+ignored" if ignored is not None else "")
            for _ in range(2):
                x = ordinary(operator, fmt, EXAMPLES * n, words, 2.0, EXAMPLES)
                labels = _labels(operator, fmt, n, EXAMPLES, words)
                if ignored is not None:
                    labels[:2] = 1.0, ignored
                yield Ask(name, x, "6.10", labels, attributes=a)


def _weights_in_another_format(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Weights that the logits' format has not: thirds, and one beyond its largest number where there is one.

    That of the confident class, so that the loss and its gradient are numbers of the format again.
    """
    other = FORMATS[WIDER.get(fmt.name, "float32")]
    beyond = 1.5 * 2.0 ** (fmt.emax + 1 if other.emax > fmt.emax else 16)
    weight = tuple(other.nearest(np.array([1 / 3, beyond, 2 / 3, 0.7, 1 / 7])).tolist())
    given = {f"weights_{other.name}": Attributes(weight=weight, weight_dtype=other.name)}
    if operator.elementwise:
        given[f"positive_weights_{other.name}"] = Attributes(pos_weight=weight, weight_dtype=other.name)
    labels = {
        "none": (None,),
        "index": ((0.0,), (1.0,), (3.0,)),
        "dense": ((0.125, 1.0 if operator.elementwise else 0.5, 0.25, 0.125, 0.0),) * 2,
    }
    for name, a in given.items():
        for label in labels[operator.labels]:
            x = words.bell(fmt, 0.5, n)
            x[1] = 3.0
            hot = None if label is None else np.array(label)
            yield Ask(name, x, "6.5", hot, cotangent=np.full(1, 0.125), attributes=a)


def _labels(operator: Operator, fmt: Format, n: int, m: int, words: Words) -> Floats:
    if operator.labels == "index":
        return words.below(n, m).astype(np.float64)
    weights = 1.0 + words.integers(3, m, n)
    total = 8.0 if operator.elementwise else weights.sum(axis=1, keepdims=True)
    return fmt.nearest(weights / total).reshape(-1)


FORMS = Family(
    "forms",
    "what doors document beside: clamps, row weights, weights inside a sum, dtype=, axes, keepdims",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
    formats_at={("quick", MIXED): ("float16", "bfloat16")},
    domains=GIVEN,
    compiled=in_single,
)
