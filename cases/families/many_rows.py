"""``many_rows``: more rows in a call than a kernel has threads, blocks or chunks (3.1, 7.4).

Few rows are repeated in turn; their number divides no power of two, so that no chunk begins where another
did. What a copy returns is compared with the row that it repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, sparingly_in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

DISTINCT = 7
ROWS = {3: 257, 5: 4_097, 6: 65, 9: 65_537}
"""By the length of a row, which says the profile."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return {"quick": (3,), "standard": (3, 5), "full": tuple(ROWS)}[profile]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    form = Form(filled=ROWS[n])
    for _ in range(DISTINCT):
        yield Ask(f"rows_{ROWS[n]}", ordinary(operator, fmt, n, words), "7.4", form=form)


MANY_ROWS = Family(
    "many_rows",
    "65, 257, 4 097 and 65 537 rows in a call",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32", "bfloat16")},
    domains=GIVEN_LATER,
    compiled=sparingly_in_single,
)
