"""``python -m docs.historical`` prints docs/HISTORICAL.md: which case covers which report."""

from __future__ import annotations

from collections import Counter

from xent_conformance.cases.families.historical import Entry, entries


def page() -> str:
    """docs/HISTORICAL.md: for each report which case covers it, or why none can."""
    kinds = Counter(e.kind for e in entries())
    ways = {"existing cases": 0, "rows of the family `historical`": 0, "no case": 0}
    for entry in entries():
        ways["no case" if entry.why_not else "existing cases" if entry.cases else [*ways][1]] += 1
    lines = [
        "# Historical defects: which case covers which report",
        "",
        f"{len(entries())} reports of softmax and cross-entropy defects in real frameworks: "
        f"{', '.join(f'{n} {kind}' for kind, n in kinds.items())}. "
        f"Covered by {', by '.join(f'{how} {n}' for how, n in ways.items())}. "
        "The data is `cases/data/historical.json`; this page is what `python -m docs.historical` prints. "
        "A reporter's error is a trap: a test shows that the suite does not flag what was complained of.",
        "",
        "| report | kind | what went wrong | covered by |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| [{e.id}]({e.link}) | {e.kind} | {e.summary} | {_covered(e)} |"
        for e in sorted(entries(), key=lambda e: e.id.lower())
    ]
    return "\n".join(lines) + "\n"


def _covered(entry: Entry) -> str:
    if entry.why_not:
        return f"none: {entry.why_not}"
    cells = [f"`{pattern}`" for pattern in entry.patterns]
    return "<br>".join([*cells, entry.remark] if entry.remark else cells)


if __name__ == "__main__":
    print(page(), end="")
