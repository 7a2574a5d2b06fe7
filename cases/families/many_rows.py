"""``many_rows``: more rows in a call than a kernel has threads, blocks or chunks (3.1, 7.4).

Few rows are repeated in turn; their number divides no power of two, so that no chunk begins where another
did. What a copy returns is compared with the row that it repeats. A loss of as many examples is reduced to
one number too (6.10): what a chunk has of it is not the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, sparingly_in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

DISTINCT = 7
ROWS = {3: 257, 5: 4_097, 6: 65, 9: 65_537}
"""By the length of a row, which says the profile."""

REDUCED, EXAMPLES = 4, 257
"""The length of a row, and how many examples are reduced: a prime number, so that no chunk divides it."""

IGNORED = -100


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    reduced = operator.labels != "none" and not operator.plain_labels
    return *{"quick": (3,), "standard": (3, 5), "full": tuple(ROWS)}[profile], *((REDUCED,) * reduced)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if n == REDUCED:
        yield from _reduced(operator, fmt, n, words)
        return
    form = Form(filled=ROWS[n])
    for _ in range(DISTINCT):
        yield Ask(f"rows_{ROWS[n]}", ordinary(operator, fmt, n, words), "7.4", form=form)


def _reduced(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Alone, and where a chunk has another share of what counts than the next one."""
    index = operator.labels == "index"
    reductions: tuple[Reduction, ...] = ("mean", "sum")
    for reduction in reductions:
        yield _group(operator, fmt, n, words, f"{reduction}_of_{EXAMPLES}", Attributes(reduction=reduction))
    if index:
        ignoring = Attributes(ignore_index=IGNORED, reduction="mean")
        yield _group(operator, fmt, n, words, f"mean_of_{EXAMPLES}+ignored", ignoring)
        weight = tuple(((1.0 + words.integers(4, n)) / 8.0).tolist())
        weighted = Attributes(weight, reduction="mean")
        yield _group(operator, fmt, n, words, f"mean_of_{EXAMPLES}+weighted", weighted)


def _group(operator: Operator, fmt: Format, n: int, words: Words, name: str, a: Attributes) -> Ask:
    m = EXAMPLES
    x = ordinary(operator, fmt, m * n, words, 2.0, m)
    labels = np.concatenate([label_on(operator, n, y) for y in words.below(n, m).tolist()])
    if a.ignore_index is not None:
        labels[words.below(2, m) == 0] = IGNORED
        labels[: m // 4] = IGNORED  # a chunk of which nothing counts
    return Ask(name, x, "6.10", labels, attributes=Attributes(**{**a.given, "examples": m}))


def _compiled(operator: Operator, fmt: Format, n: int) -> bool:
    return n != REDUCED and sparingly_in_single(operator, fmt, n)


MANY_ROWS = Family(
    "many_rows",
    "65, 257, 4 097 and 65 537 rows in a call; as many examples in a reduction",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32", "bfloat16")},
    domains=GIVEN_LATER,
    compiled=_compiled,
)
