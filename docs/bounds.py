"""How much of each bound its correct algorithms use: error divided by bound, at worst.

``python -m docs.bounds`` prints the tables as Markdown (docs/BOUNDS.md is its output).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.support.reference import innocents
from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.innocence import worst
from tests.support.reference.rows import strained
from tests.support.reference.rows_moving import moving
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.operators import MOVING, OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth

LONGEST = 64

ORDERS = {"stable": ("sequential", "tree"), "accurate": ("tree",)}

RIGHT, WORST = ("nearest",), ("up", "down", "mixed")
"""Libraries: exp, log and division rounded once, and as far off as SPEC.md 8.1 allows."""

HEAD = """# Bounds: how much of each is used

The largest error of any correct algorithm, as a share of its bound: 1 would be the whole of it, and 0.25 \
is a bound four times as large as any of them needs. Printed by `.venv/bin/python -m docs.bounds`; \
`tests/reference/test_bounds_page.py` compares.

The algorithms are those that the tests hold to the bounds (SPEC.md 8.13), the rows those that strain them, \
up to {longest} classes, added in order and in a tree. *Right*: with exp, log and division rounded once, \
which is what most kernels have. *Worst*: with functions as far off as SPEC.md 8.1 allows, up, down or both \
ways. Then which algorithm was at its worst, and where: classes, order, library.
"""


@dataclass(frozen=True)
class Share:
    """Of one bound in one format: the largest shares, and who had the larger of them, where."""

    right: float
    worst: float
    algorithm: str
    where: str


@functools.cache
def truths(operator: str, fmt: Format, *, moves: bool) -> Sequence[Truth]:
    """The rows that strain an operator, with a tangent or without."""
    rows = moving(operator, fmt) if moves else strained(operator, fmt)
    return [Oracle().truth(inputs) for inputs in rows if inputs.n <= LONGEST]


def share(operator: str, output: str, tier: str, fmt: Format) -> Share:
    """How much of a bound is used."""
    moves = output in MOVING
    table = (innocents.MOVING if moves else innocents.PLAIN)[tier][operator, output]
    (right, *right_by), (off, *off_by) = (
        _largest(truths(operator, fmt, moves=moves), table, output, tier, slops) for slops in (RIGHT, WORST)
    )
    algorithm, where = right_by if right > off else off_by
    return Share(right, off, algorithm, where)


def _largest(
    of: Sequence[Truth],
    table: Mapping[str, Callable[..., Array]],
    output: str,
    tier: str,
    slops: Sequence[str],
) -> tuple[float, str, str]:
    """The largest share of any algorithm, its name, and the place."""
    orders = ORDERS["accurate" if of[0].inputs.definition.elementwise else tier]
    runs = ((t, Arithmetic(t.inputs.format, order, slop)) for t in of for order in orders for slop in slops)
    found = worst(runs, table, output, tier)
    name = max(found, key=lambda n: found[n][0])
    ratio, _, where = found[name]
    return ratio, name, ", ".join(where.split()[1:4])


# --- Markdown --------------------------------------------------------------------------------------


def page() -> str:
    """All of docs/BOUNDS.md."""
    return "\n".join([HEAD.format(longest=LONGEST), *map(_section, OF_ROWS)])


def _section(operator: str) -> str:
    head = ("output", "tier", "format", "right", "worst", "algorithm", "where")
    outputs = (*OPERATORS[operator].outputs, *MOVING)
    rows = [
        _row(output, tier, fmt, share(operator, output, tier, fmt))
        for output in outputs
        for tier in ("accurate", "stable")
        for fmt in FORMATS.values()
    ]
    lines = [head, ["---"] * len(head), *rows]
    return f"## {operator}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(output: str, tier: str, fmt: Format, s: Share) -> Sequence[str]:
    return output, tier, fmt.name, f"{s.right:.2f}", f"{s.worst:.2f}", f"`{s.algorithm}`", s.where


if __name__ == "__main__":
    print(page(), end="")
