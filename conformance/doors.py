"""``python -m conformance.doors`` prints docs/DOORS.md: implementation × operator × mode × format.

Declared, not run: what each door returns is the report's to say.
"""

from __future__ import annotations

from itertools import groupby

from conformance.listing import Door, doors
from conformance.registry import FRAMEWORKS
from reference.formats import FORMATS

HEAD = """# Doors

Every implementation that the suite asks, by framework and operator, printed by `.venv/bin/python -m conformance.doors`. A mode is followed by the profile that adds it where that is not `quick`. All four formats are asked of every door in every mode that does not say otherwise; a framework that lacks one answers *unsupported*, with its reason in the report. `value+` means value and gradients by the framework's own differentiation (`jvp` and `hvp` as well where it has forward mode).
"""


def page() -> str:
    """The page, in Markdown."""
    lines = [HEAD]
    for framework, found in groupby(doors(), key=lambda door: door.framework):
        lines += [f"## {framework}", "", *_variants(framework)]
        lines += ["| implementation | operator | formulation | modes | outputs | attributes | note |"]
        lines += ["|---|---|---|---|---|---|---|", *map(_row, found), ""]
    return "\n".join(lines)


def _variants(framework: str) -> list[str]:
    variants = FRAMEWORKS[framework].variants
    told = [f"`cpu[{name}]` ({v.about}; {v.since})" for name, v in variants.items()]
    return [f"Variants of its devices: {', '.join(told)}.", ""] if told else []


def _row(row: Door) -> str:
    door = row.door
    modes = ", ".join(_mode(row, m, since) for m, since in row.modes.items())
    outputs = "value+" if len(row.outputs) > 1 else "value"
    takes = ", ".join(f"`{name}`" for name in sorted(door.takes))
    cells = (f"`{door.name}`", f"`{door.operator}`", door.formulation, modes, outputs, takes, door.note)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _mode(row: Door, mode: str, since: str) -> str:
    framework = FRAMEWORKS[row.framework]
    formats = [name for name in FORMATS if framework.asks(row.door.name, mode, name)]
    told = mode if since == "quick" else f"{mode} ({since})"
    return told if len(formats) == len(FORMATS) else f"{told}: {' '.join(formats)}"


if __name__ == "__main__":
    print(page(), end="")
