"""What meets what: of every two axes of the crossing, how many pairs of values each profile asks.

``python -m docs.coverage`` prints the tables as Markdown (docs/COVERAGE.md is its output).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence

from xent_conformance.cases.families.crossing_axes import (
    CROSSED,
    FIRST,
    PLACES,
    THREES,
    TRIPLES,
    WIDTHS,
    asked_by,
    axes_of,
    rules_of,
)
from xent_conformance.cases.family import FOUNDATIONS
from xent_conformance.cases.pairwise import Axes, meetings, met, possible
from xent_conformance.cases.profile import Profile
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS, Operator

HEAD = """# Coverage: what is asked together

The family `crossing` asks any two values of its axes in one call. Printed by \
`.venv/bin/python -m docs.coverage`; `tests/cases/test_crossing.py` compares.

`quick` asks binary32 and {first} classes, and there all pairs of the other axes and the first {places} \
triples; `standard` all pairs, with every format and {widths} classes; `full` all of the triples below, \
of {threes} classes. Rows of implementations that take no attribute and no layout come first: all pairs of \
the axes that are left meet among those alone. Every row is asked in every mode that the profile has, so \
modes cross with everything; of `quick` alone, those that compile every shape anew are asked \
{foundations}, and the other operators in `standard`. Of given probabilities and log-probabilities \
`standard` asks what `quick` asks of logits, and `quick` nothing. So \
it does of divergences by elements and of log-targets, which know no attribute of their labels, \
by elements no reduction, and have zeros and a domain of their own: what those are alone is in `divergences`.
"""


@functools.cache
def whole(operator: Operator) -> Axes:
    """All axes of an operator, format and width among them."""
    return {**axes_of(operator), "format": tuple(FORMATS), "width": WIDTHS}


@functools.cache
def can_meet(group: tuple[str, ...], profile: str = Profile.FULL) -> int:
    """How many values of a group of axes can stand in a row, over all operators that a profile asks."""
    return sum(
        possible(whole(o), rules_of(o), meeting)
        for o in CROSSED
        if asked_by(profile, o)
        for meeting in meetings(whole(o), [group])
    )


def do_meet(profile: str, group: tuple[str, ...]) -> int:
    """How many of them stand in a row of the profile (the width of the triples is none of the axis)."""
    axes = {o: {a: set(values) for a, values in whole(o).items()} for o in CROSSED}
    return sum(
        all(value in axes[o][a] for a, value in meeting)
        for o in CROSSED
        for meeting in met(asked_by(profile, o), group)
    )


def names() -> Sequence[str]:
    """The axes, in their order."""
    return tuple(whole(OPERATORS["softmax"]))


def pairs() -> Mapping[tuple[str, str], tuple[int, ...]]:
    """For every two axes: possible, and met in each profile."""
    return {
        pair: (can_meet(pair), *(do_meet(profile, pair) for profile in Profile))
        for pair in itertools.combinations(names(), 2)
    }


# --- Markdown --------------------------------------------------------------------------------------


def table() -> str:
    """All of docs/COVERAGE.md."""
    head = HEAD.format(
        first=FIRST,
        widths=" and ".join(WIDTHS),
        threes=THREES,
        places=len(PLACES),
        foundations=", ".join(f"`{name}`" for name in FOUNDATIONS),
    )
    return "\n".join([head, _axes(), _rows_asked(), _pairs(), _triples()])


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ["---"] * len(head), *rows])


def _axes() -> str:
    def values(axis: str) -> str:
        found = dict.fromkeys(v for o in CROSSED for v in whole(o)[axis])
        return ", ".join(f"`{v}`" for v in found)

    return f"## Axes\n\n{_lines(('axis', 'values'), [(a, values(a)) for a in names()])}"


def _rows_asked() -> str:
    rows = [(f"`{o.name}`", *(str(len(asked_by(p, o))) for p in Profile)) for o in CROSSED]
    return f"## Rows\n\n{_lines(('operator', *Profile), rows)}"


def _pairs() -> str:
    rows = [(f"{a} × {b}", *map(str, counts)) for (a, b), counts in pairs().items()]
    return f"## Pairs\n\n{_lines(('axes', 'possible', *Profile), rows)}"


def _triples() -> str:
    rows = [
        (" × ".join(group), str(can_meet(group)), *(str(do_meet(p, group)) for p in Profile))
        for group in (*PLACES, *TRIPLES)
    ]
    title = "## Triples, where pairs have worked and triples failed"
    return f"{title}\n\n{_lines(('axes', 'possible', *Profile), rows)}"


if __name__ == "__main__":
    print(table(), end="")
