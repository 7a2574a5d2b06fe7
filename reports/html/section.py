"""What a section of the page is: a name, a template, and a view of what every section is made from.

A new one is a file in ``sections``, a template of its name, and a line in ``sections/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import of_called
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, NAIVE, Row
from xent_conformance.reports.views.gate import Gate


@dataclass(frozen=True)
class Material:
    """What every section is made from: ``findings`` worst first, ``gate`` the decision, if there is one."""

    run: Run
    findings: pl.DataFrame
    naming: Naming
    gate: Gate | None = None

    @cached_property
    def called(self) -> pl.DataFrame:
        """The findings that open: those of implementations that users call."""
        return of_called(self.findings)

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """By case, the rank of the first finding that it stands for; the worst of all has 0."""
        return {case: rank for rank, case in reversed(list(enumerate(self.called["case"])))}

    @cached_property
    def causes(self) -> frozenset[str]:
        """The lasting names of the causes that the page shows: those of implementations that users call."""
        found = self.run.verdicts.filter(pl.col("formulation") != NAIVE, pl.col("status").is_in(FAULTS))
        return frozenset(found["cause"].unique()) - {""}

    @cached_property
    def exhibits(self) -> Mapping[str, Row]:
        """The inputs that the run files carry, by case."""
        return {case: inputs for h in self.run.headers for case, inputs in h["exhibits"].items()}


def _nothing(_: Any) -> str:
    return ""


@dataclass(frozen=True)
class Section:
    """A part of the page: the id and the word that the navigation leads to it by, its template and its view.

    The template is given what ``view`` returns, as ``view``, and the ``budget`` of the page; where that is
    None, the section is left out. One that is ``folded`` stands below “All the rest”, as a line that opens,
    and the page writes its heading; ``about`` says beside it, in a few words, how much there is. One that is
    not writes its own.
    """

    id: str
    title: str
    template: str
    view: Callable[[Material], Any]
    folded: bool = False
    about: Callable[[Any], str] = _nothing
