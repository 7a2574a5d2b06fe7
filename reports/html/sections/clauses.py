"""The clauses of the specification that the run was judged by."""

from __future__ import annotations

from dataclasses import dataclass

from xent_conformance.reports.html.marks import LEVEL, Mark, clause_anchor
from xent_conformance.reports.html.section import Material, Section


@dataclass(frozen=True)
class Clause:
    """One numbered rule, with its level."""

    id: str
    number: str
    mark: Mark
    title: str
    text: str


def view(material: Material) -> tuple[Clause, ...]:
    """Every clause, in the order of the specification."""
    return tuple(
        Clause(clause_anchor(number), number, LEVEL[c["level"]], c["title"], c["text"])
        for number, c in material.run.header["clauses"].items()
    )


SECTION = Section("clauses", "Clauses", "clauses.html", view, folded=True)
