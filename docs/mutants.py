"""``python -m docs.mutants`` prints docs/MUTANTS.md: which changes of a textbook nothing tells from it, and
what a diagnosis names the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.support.mutants.asked import survivors
from tests.support.mutants.diagnosed import BROKEN, CLASSES, FAMILIES, named
from tests.support.mutants.mutate import Mutant, mutants
from xent_conformance.reports.text.wording import listed

EQUIVALENT = {
    "cross_entropy:8 function min": "a NaN is both the largest and the smallest of its row",
    "sparse_cross_entropy:3 op Div": "a division by one",
    "reduced:3 op Div": "a division by ones",
    "reduced:5 op Div": "a division by ones",
    "sigmoid_of:5 compare Gt": "at 0 both halves are 1/2, exactly",
    "logit:1 compare LtE": "at the seam both formulas have relative accuracy",
    "by_domain:7 compare GtE": "over a prediction of 0 a positive target gives +∞ either way",
    "moving:4 compare GtE": "at a prediction of 0 the value is infinite, and its derivative open (4.5)",
    "elementwise_divergence:3 compare LtE": "at the seam both formulas have relative accuracy",
    "elementwise_divergence:8 constant 0.25": "from 1/4 to 1/2 both formulas have relative accuracy",
}
"""Mutants that are the same function, and why."""


KINDS = {
    "op": "an operation",
    "constant": "a constant",
    "function": "a function",
    "compare": "a comparison",
    "no minus": "a sign",
    "the other way round": "the sides of a choice",
}
"""What a change replaces, by how its name begins behind the place."""


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
    return "\n".join([*lines, "", *_diagnosed(every)]) + "\n"


def _kind(mutant: Mutant) -> str:
    words = mutant.name.partition(" ")[2]
    return next(told for begins, told in KINDS.items() if words.startswith(begins))


def _diagnosed(every: Sequence[Mutant]) -> list[str]:
    """What they are named: by what is changed, how many are explained; and which, and by what."""
    found: Mapping[str, str] = named(every)
    lines = [
        "## What a diagnosis names them",
        "",
        f"Asked again, until {BROKEN} calls are broken, small batches of an operator that the change is in: "
        f"binary32, at most {CLASSES} classes, of the families {listed([f'`{f}`' for f in FAMILIES])}. "
        f"There {len(found)} mutants break something. {sum(map(bool, found.values()))} are named: a "
        "hypothesis predicts most of the wrong numbers that they return, or a rule says why there is none, "
        "and no right row contradicts it: one that is contradicted is refused. The others are unexplained: "
        "nobody writes most of these by hand, and no hypothesis is made from them.",
        "",
        "| what is another | break something | named | as |",
        "|---|---|---|---|",
    ]
    for kind in KINDS.values():
        mine = [found[m.name] for m in every if _kind(m) == kind and m.name in found]
        names = Counter(name for name in mine if name)
        told = [f"{name} ({n})" for name, n in sorted(names.items(), key=lambda item: (-item[1], item[0]))]
        lines.append(f"| {kind} | {len(mine)} | {names.total()} | {'; '.join(told)} |")
    return lines


if __name__ == "__main__":
    print(page(), end="")
