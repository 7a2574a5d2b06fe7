"""What a diagnosis names each seeded fault, and whether that is right.

``python -m docs.diagnosis`` prints the tables as Markdown (docs/DIAGNOSIS.md is its output).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence

from tests.support.faults.diagnosed import causes_of, named_first, verdicts_in_quick
from tests.support.faults.right_causes import RIGHT
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from xent_conformance.diagnosis.hypothesis import Hypothesis
from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.rules import FORM_RULES, RULES, Rule
from xent_conformance.diagnosis.weigh import SAMPLE
from xent_conformance.reports.views.causes import Cause

NOTHING = "unexplained"

HEAD = """# Diagnosis: what a broken verdict is named

`conformance causes RUN.parquet` says which formula gives the numbers that were returned. {hypotheses} \
hypotheses, in {forms} forms, and {rules} rules are held against the broken rows, and of the same calls \
against up to {sample} conforming ones, spread over the call; one of those that a hypothesis gets plainly \
wrong refuses it. A fault is named by what explains most of its broken verdicts in `quick`; it is \
unexplained where most of them are. Which name is right is declared by what the defect is, in \
`tests/support/faults/right_causes.py`. Printed by `.venv/bin/python -m docs.diagnosis`; \
`tests/conformance/diagnosis/test_faults.py` compares.

{right} of the {faults} faults that `quick` catches are named right.
"""


@functools.cache
def causes() -> Mapping[str, Sequence[Cause]]:
    """Of every fault and every correct implementation."""
    return causes_of(verdicts_in_quick())


def named() -> Mapping[str, str]:
    """What each fault is named first."""
    return {f.name: named_first(causes().get(f.name, ())) for f in FAULTS if not f.beyond}


def table() -> str:
    """All of docs/DIAGNOSIS.md."""
    first = named()
    right = sum(name in RIGHT.get(fault, ()) for fault, name in first.items())
    head = HEAD.format(
        hypotheses=len({h.name for h in HYPOTHESES}),
        forms=len(HYPOTHESES),
        rules=len({r.name for r in (*RULES, *FORM_RULES)}),
        sample=SAMPLE,
        right=right,
        faults=len(first),
    )
    return "\n".join([head, _faults(first), _variants(), _hypotheses()])


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _faults(first: Mapping[str, str]) -> str:
    def row(fault: str, about: str) -> Sequence[str]:
        name, right = first[fault], RIGHT.get(fault, ())
        meant = "" if name in right else " or ".join(right) or "no hypothesis describes it"
        share = sum(c.verdicts for c in causes()[fault] if c.hypothesis == name)
        of = sum(c.verdicts for c in causes()[fault])
        told = f"{name or NOTHING} ({share} of {of})"
        return f"`{fault}`<br>{about}", told, "yes" if name in right else "no", meant

    head = ("fault", "named first (broken verdicts)", "right", "what would be right")
    faults = [row(f.name, f.about) for f in FAULTS if not f.beyond]
    return f"## Seeded faults\n\n{_rows(head, faults)}"


def _variants() -> str:
    def row(name: str) -> Sequence[str]:
        found = sorted(causes().get(name, ()), key=lambda c: (-c.verdicts, c.id))
        told = [f"{c.hypothesis or f'{NOTHING}: {c.id}'} ({c.level}, {c.verdicts})" for c in found]
        return f"`{name}`", "; ".join(told) or "nothing is broken"

    rows = [row(v.name) for v in VARIANTS]
    return f"## Correct implementations\n\n{_rows(('name', 'causes'), rows)}"


def _hypotheses() -> str:
    said: tuple[Hypothesis | Rule, ...] = (*FORM_RULES, *RULES, *reversed(HYPOTHESES))
    found = {s.name: s for s in said}
    rows = [(name, found[name].sentence, found[name].source) for name in reversed(found)]
    return f"## Hypotheses and rules\n\n{_rows(('name', 'what it supposes', 'known from'), rows)}"


if __name__ == "__main__":
    print(table(), end="")
