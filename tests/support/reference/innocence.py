"""Runs innocent algorithms over batches and arithmetics, and says how near each came to its bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from tests.support.reference.arithmetic import ORDERS, Arithmetic, Array
from tests.support.reference.measure import Ruler, answer
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Truth

SLOPS = ("none", "up", "down", "mixed")

Found = dict[str, tuple[float, int, str]]
"""For each algorithm: the largest error / bound, how many elements were judged, and where it was."""

Runs = Iterable[tuple[Truth, Arithmetic]]


def orders(operator: str, tier: str) -> tuple[str, ...]:
    """Orders of summation an algorithm of that tier must stand: ``accurate`` is promised to trees."""
    return ORDERS if tier == "stable" and not OPERATORS[operator].elementwise else ("tree",)


Trials = list[tuple[Truth, Arithmetic]]
"""Kept for all the questions of an operator: an arithmetic remembers what they have in common."""


def trials(truths: Iterable[Truth]) -> Trials:
    """Every batch in every order of summation, with NumPy's functions and with the worst that are allowed."""
    return [
        (truth, Arithmetic(truth.inputs.format, order, slop))
        for truth in truths
        for order in ORDERS
        for slop in SLOPS
    ]


def in_orders(every: Trials, orders: Collection[str]) -> Trials:
    """Those in these orders of summation."""
    return [(truth, a) for truth, a in every if a.order in orders]


def worst(
    runs: Runs,
    table: Mapping[str, Callable[..., Array]],
    output: str,
    tier: str,
    skip: Callable[[str, Truth], bool] = lambda name, truth: False,
) -> Found:
    found: Found = {}
    last: Truth | None = None
    for truth, a in runs:
        if truth is not last:
            last, ruler = truth, Ruler(truth, output)
        for name, algorithm in table.items():
            if skip(name, truth):
                continue
            measured = ruler.ratio(answer(algorithm, a, truth), tier)
            ratio, count, where = found.get(name, (0.0, 0, ""))
            top = float(measured.max(initial=0.0))
            if top > ratio:
                where = f"{a.fmt.name} n{truth.inputs.n} {a.order} {a.slop} {truth.inputs.digest[:6]}"
            found[name] = max(ratio, top), count + measured.size, where
    return found


def accused(found: Found) -> Found:
    """The algorithms beyond their bound."""
    return {name: entry for name, entry in found.items() if not entry[0] <= 1.0}
