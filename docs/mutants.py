"""``python -m docs.mutants`` prints docs/MUTANTS.md: which changes of a textbook nothing tells from it."""

from __future__ import annotations

from collections import Counter

from tests.support.mutants.asked import survivors
from tests.support.mutants.mutate import mutants

EQUIVALENT = {
    "cross_entropy:8 function min": "a NaN is both the largest and the smallest of its row",
    "sparse_cross_entropy:3 op Div": "a division by one",
    "reduced:3 op Div": "a division by ones",
    "reduced:5 op Div": "a division by ones",
    "sigmoid_of:5 compare Gt": "at 0 both halves are 1/2, exactly",
    "logit:1 compare LtE": "at the seam both formulas have relative accuracy",
}
"""Mutants that are the same function, and why."""


def page() -> str:
    """docs/MUTANTS.md."""
    every, left = mutants(), survivors()
    made, kept = Counter(m.function for m in every), Counter(m.function for m in left)
    lines = [
        "# Mutants: one token of a textbook changed at a time",
        "",
        f"{len(every)} mutants of [a textbook](../tests/support/mutants/textbook.py): an operation, "
        "a comparison, a sign, a constant, a function or the sides of a choice is another. "
        f"`quick` tells {len(every) - len(left)} of them from the textbook; the other {len(left)} are the "
        "same function. Printed by `.venv/bin/python -m docs.mutants`; "
        "`tests/faults/test_mutants.py` compares.",
        "",
        "| function | mutants | caught in `quick` |",
        "|---|---|---|",
        *(f"| `{function}` | {n} | {n - kept[function]} |" for function, n in made.items()),
        "",
        "| not caught | line | why it is the same function |",
        "|---|---|---|",
        *(f"| `{m.name}` | `{m.line}` | {EQUIVALENT.get(m.name, '**not shown to be**')} |" for m in left),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
