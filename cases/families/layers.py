"""``layers``: a linear layer and its loss as one function, as language models end (6.18).

Few examples, for what goes wrong is how they are cut: chunks that do not divide them, one of which nothing is
kept, a sum over so many examples that sixteen bits do not hold it. Offsets are asked where every product and
every partial sum is a number of the format, so that nothing of them is granted (7.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import LAYER, Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

SMALL, FEW, THREE, MORE = 5, 2, 3, 33
"""Classes: of a small layer, of one feature and many examples or thousands, of one that no tile divides."""

FEATURES = {SMALL: 3, FEW: 1, THREE: 1, MORE: 16}
EXAMPLES = {SMALL: 7, FEW: 602, THREE: 2401, MORE: 21}
"""None is a multiple of four: sums over examples saturate one by one, and then chunk by chunk."""

CHUNK = 4
"""What implementations that take a size are asked with: the second chunk of seven is three."""

IGNORED = -100


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (SMALL, FEW) if profile == "quick" else (SMALL, FEW, THREE, MORE)


def _attributes(n: int, **given: object) -> Attributes:
    whole = {"ignore_index": IGNORED, "features": FEATURES[n], "examples": EXAMPLES[n]}
    return Attributes(**{**whole, **given})  # type: ignore[arg-type]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if n in (FEW, THREE):
        yield from _many_examples(fmt, n, words)
        return
    with_bias = _attributes(n, reduction="mean", affine=True)
    yield from _ordinary(fmt, n, words, with_bias, "mean")
    yield _asked("offset", _offset(fmt, n, words, with_bias), "7.1", _labels(n, words), with_bias)
    if n == MORE:
        yield from _ordinary(fmt, n, words, _attributes(n, affine=True), "apart")
        inside = _attributes(n, reduction="mean", ignore_index=3)
        yield from _ordinary(fmt, n, words, inside, "ignored_class")
        return
    yield from _ignored(fmt, n, words, with_bias)
    if fmt.precision == 24:  # each reduction is compiled anew
        yield from _summed(fmt, n, words, _attributes(n, reduction="sum"))


def _ordinary(fmt: Format, n: int, words: Words, a: Attributes, name: str) -> Iterator[Ask]:
    for spread in (1.0, 4.0):
        layer = _layer(fmt, n, words, a, spread)
        yield _asked(name, layer, "6.18", _labels(n, words), a)


def _ignored(fmt: Format, n: int, words: Words, a: Attributes) -> Iterator[Ask]:
    """A chunk of which nothing is kept, the first and the last; one row that is kept, and none."""
    every = np.arange(EXAMPLES[n])
    for name, gone, clause in (
        ("first_chunk_ignored", every < CHUNK, "6.8"),
        ("last_chunk_ignored", every >= CHUNK, "6.8"),
        ("one_row_kept", every != CHUNK, "6.8"),
        ("no_row_kept", every >= 0, "6.11"),
    ):
        labels = np.where(gone, float(IGNORED), _labels(n, words))
        yield _asked(name, _layer(fmt, n, words, a, 2.0), clause, labels, a)


def _summed(fmt: Format, n: int, words: Words, a: Attributes) -> Iterator[Ask]:
    """Without a bias; a feature that all classes weigh alike is an offset; a label that names no class."""
    yield _asked("sum", _layer(fmt, n, words, a, 2.0), "6.18", _labels(n, words), a)
    yield _asked("offset_of_a_feature", _offset(fmt, n, words, a), "7.1", _labels(n, words), a)
    nothing = np.full(EXAMPLES[n], float(IGNORED))
    yield _asked("no_row_kept_in_a_sum", _layer(fmt, n, words, a, 2.0), "6.8", nothing, a)
    beyond = _labels(n, words)
    beyond[-1] = n
    yield _asked("label_beyond", _layer(fmt, n, words, a, 2.0), "6.4", beyond, a)


def _many_examples(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """One feature, and gradients of one size and sign: sixteen bits stop to count them."""
    a, examples = _attributes(n, reduction="sum"), EXAMPLES[n]
    weights = np.array([0.25, -0.25, 0.125][:n])
    for hidden in (np.ones(examples), fmt.nearest(0.5 + 0.5 * words.fractions(examples, bits=6))):
        yield _asked("many_examples", np.concatenate([hidden, weights]), "6.18", np.zeros(examples), a)


def _layer(fmt: Format, n: int, words: Words, a: Attributes, spread: float) -> Floats:
    """Hidden states, weights so large that the logits spread as far, and a bias."""
    features = a.features
    hidden = words.bell(fmt, 1.0, EXAMPLES[n] * features)
    weight = words.bell(fmt, spread / features**0.5, n * features)
    return np.concatenate([hidden, weight, words.bell(fmt, 1.0, n if a.affine else 0)])


def _offset(fmt: Format, n: int, words: Words, a: Attributes) -> Floats:
    """Whole numbers of at most two, beside an offset of as many digits as the format leaves them.

    It is in the bias; without one in a feature, which the classes weigh alike.
    """
    features, examples = a.features, EXAMPLES[n]
    most = 1 if features > FEATURES[SMALL] else 2
    hidden = (words.below(2 * most + 1, examples * features) - most).reshape(examples, features)
    weight = (words.below(2 * most + 1, n * features) - most).reshape(n, features)
    bias = words.below(5, n if a.affine else 0) - 2.0
    offset = 2.0 ** (fmt.precision - 1)
    if a.affine:
        bias = bias + offset
    else:
        hidden[:, 0], weight[:, 0] = offset, 1
    return np.concatenate([hidden.ravel(), weight.ravel(), bias]).astype(np.float64)


def _labels(n: int, words: Words) -> Floats:
    return np.asarray(words.below(n, EXAMPLES[n]), dtype=np.float64)


def _asked(name: str, layer: Floats, clause: str, labels: Floats, a: Attributes) -> Ask:
    return Ask(name, layer, clause, labels, attributes=a)


LAYERS = Family(
    "layers",
    "a linear layer and its loss: chunks of examples, ignored ones, offsets, one feature, a bias or none",
    _lengths,
    _rows,
    formats_at={
        ("quick", SMALL): ("float32", "bfloat16"),
        ("quick", FEW): ("bfloat16",),
        ("standard", FEW): ("bfloat16", "float16"),
        ("standard", THREE): ("bfloat16",),
    },
    domains=LAYER,
)
