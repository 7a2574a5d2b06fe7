"""The HTML report: one self-contained page, a pure function of a run and its findings.

Nothing is fetched and no script is needed to read it; the links of waivers alone leave the page. Text from
frameworks is foreign and is always escaped; style classes and ids are made here, never from their names.
"""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.html import page
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Extras, Material
from xent_conformance.reports.html.sections import SECTIONS, overview
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.causes import named
from xent_conformance.reports.views.gate import Gate


def render(
    run: Run,
    findings: pl.DataFrame,
    gate: Gate | None = None,
    extras: Extras | None = None,
    *,
    limit: int = page.LIMIT,
) -> str:
    """The page for ``run``; ``findings`` are its verdicts grouped by likely cause, worst first.

    ``gate`` is a decision on the run; without one the page speaks of none. ``extras`` are what one takes away
    of each cause. Of more than ``limit`` bytes only where it says so: the causes at the end of the list then
    show less. The same inputs give the same text. Raises ValueError for a status that no counter holds.
    """
    material = Material(named(run), findings, Naming.of(run), gate, extras or Extras())
    views = ((section, section.view(material)) for section in SECTIONS)
    sections = [(section, view) for section, view in views if view is not None]
    template, head = page.environment().get_template("page.html"), overview.view(material)
    return page.fitted(
        lambda budget: template.render(head=head, sections=sections, naming=material.naming, budget=budget),
        len(material.causes),
        limit,
    )
