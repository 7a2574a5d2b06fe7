"""``python -m docs.historical`` prints docs/HISTORICAL.md: which case covers which report, what shows it."""

from __future__ import annotations

from collections import Counter

from tests.support.faults.reported import REPORTED
from xent_conformance.cases.families.historical import Entry, entries

HEAD = """# Historical defects: which case covers which report, and which fault shows it

{reports} reports of softmax and cross-entropy defects in real frameworks: {kinds}.

* {covered} are covered: {by_cases} by existing cases, {by_rows} by rows of the family `historical`. \
The defect of each is rebuilt as a fault, and every pattern of cases that is named here catches one: \
`tests/cases/historical/test_shown.py` fails otherwise. {traps} of them are errors of the reporter, \
traps: the fault is what the reporter took for right, and a test shows that what was complained of is \
not flagged.
* {recorded} are recorded, not judged: cases ask the trigger, but the clause is open, or what was printed \
is within the bounds.
* {without} have no case, and say why.

*Shown by* names a fault by its operator, one of [POWER.md](POWER.md) or of the table below; a formula is \
the wrong one on the report's own rows (`tests/support/historical/formulas.py`). The data is \
`cases/data/historical.json`; this page is what `python -m docs.historical` prints.
"""


def page() -> str:
    """docs/HISTORICAL.md: for each report which case covers it and what shows it, or why none can."""
    kinds = Counter(e.kind for e in entries())
    covered = [e for e in entries() if e.patterns]
    head = HEAD.format(
        reports=len(entries()),
        kinds=", ".join(f"{n} {kind}" for kind, n in kinds.items()),
        covered=len(covered),
        by_cases=sum(bool(e.cases) for e in covered),
        by_rows=sum(bool(e.rows) for e in covered),
        traps=sum(e.kind.startswith("reporter-error") for e in covered),
        recorded=sum(bool(e.recorded) and not e.patterns for e in entries()),
        without=sum(bool(e.why_not) for e in entries()),
    )
    rows = [
        f"| [{e.id}]({e.link}) | {e.kind} | {e.summary} | {_covered(e)} | {_shown(e)} |"
        for e in sorted(entries(), key=lambda e: e.id.lower())
    ]
    table = ["| report | kind | what went wrong | covered by | shown by |", "|---|---|---|---|---|", *rows]
    faults = [f"| `{f.name}` | {f.about} |" for f in sorted(REPORTED, key=lambda f: f.name)]
    own = ["## Faults of these reports alone", "", "| fault | what is wrong |", "|---|---|", *faults]
    return "\n".join([head, *table, "", *own]) + "\n"


def _covered(entry: Entry) -> str:
    if entry.why_not:
        return f"none: {entry.why_not}"
    cells = [f"`{pattern}`" for pattern in entry.patterns]
    cells += [f"recorded, not judged: `{pattern}`" for pattern in entry.recorded]
    return "<br>".join([*cells, entry.remark] if entry.remark else cells)


def _shown(entry: Entry) -> str:
    return "<br>".join(map(_named, entry.shown_by))


def _named(fault: str) -> str:
    """A seeded fault by its name; a formula by its operator and output."""
    *variant, operator, name = fault.split(":")
    return f"formula of `{operator}` `{name}`, `{variant[0]}`" if variant else f"`{fault}`"


if __name__ == "__main__":
    print(page(), end="")
