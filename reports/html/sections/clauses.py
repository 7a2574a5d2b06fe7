"""The clauses of the specification that the run was judged by, and how many causes break each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.marks import LEVEL, Mark, clause_anchor
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, NAIVE
from xent_conformance.reports.text.wording import plural


@dataclass(frozen=True)
class Clause:
    """One numbered rule, with its level; ``causes``: how many break it, in words, empty for none.

    ``named``: the page has them, and its filter leads there.
    """

    id: str
    number: str
    mark: Mark
    title: str
    text: str
    note: str
    causes: str
    named: bool


def view(material: Material) -> tuple[Clause, ...]:
    """Every clause, in the order of the specification."""
    run = material.run
    causes, findings = _causes(run), _findings(material)
    return tuple(
        Clause(
            id=clause_anchor(number),
            number=number,
            mark=LEVEL[c["level"]],
            title=c["title"],
            text=c["text"],
            note=run.clause(number)["note"],
            causes=_broken(causes.get(number, 0), findings.get(number, 0)),
            named=number in causes,
        )
        for number, c in run.header["clauses"].items()
    )


def _causes(run: Run) -> Mapping[str, int]:
    """Causes by the clause that they break; those of what users call, as the page has them."""
    broken = run.verdicts.filter(
        pl.col("status").is_in(FAULTS), pl.col("formulation") != NAIVE, pl.col("cause") != ""
    )
    return dict(broken.group_by("clause").agg(pl.col("cause").n_unique()).rows())


def _findings(material: Material) -> Mapping[str, int]:
    return dict(material.called["clause"].value_counts().rows())


def _broken(causes: int, findings: int) -> str:
    if not causes:
        return plural(findings, "finding") if findings else ""
    return f"{plural(causes, 'cause')}, {plural(findings, 'finding')}"


def _about(view: tuple[Clause, ...]) -> str:
    broken = sum(bool(clause.causes) for clause in view)
    return f"{plural(len(view), 'clause')}, in full; {broken} of them broken"


SECTION = Section("clauses", "Specification", "clauses.html", view, folded=True, about=_about)
