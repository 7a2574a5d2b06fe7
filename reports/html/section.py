"""What a section of the page is: a name, a template, and a view of what every section is made from.

A new one is a file in ``sections``, a template of its name, and a line in ``sections/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import of_called
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.views import causes as views
from xent_conformance.reports.views.causes import Cause
from xent_conformance.reports.views.gate import Gate


@dataclass(frozen=True)
class Extras:
    """What no run file holds. By the id of a cause, what a reader takes away.

    ``scripts`` repeat it with its framework alone, ``waivers`` are entries to complete. ``sweeps`` are
    documents of ``conformance sweep``.
    """

    scripts: Mapping[str, str] = field(default_factory=dict)
    waivers: Mapping[str, str] = field(default_factory=dict)
    sweeps: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Material:
    """What every section is made from: ``findings`` worst first, ``gate`` the decision, if there is one.

    Every broken verdict of ``run`` that users may meet names its cause.
    """

    run: Run
    findings: pl.DataFrame
    naming: Naming
    gate: Gate | None = None
    extras: Extras = field(default_factory=Extras)

    @cached_property
    def called(self) -> pl.DataFrame:
        """The findings of implementations that users call."""
        return of_called(self.findings)

    @cached_property
    def causes(self) -> list[Cause]:
        """What is wrong, each thing once, worst first."""
        return views.causes(self.run)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What each cause is called, by its id."""
        return {cause.id: cause.title for cause in self.causes}

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
