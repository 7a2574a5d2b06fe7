"""What could not be asked or decided, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.marks import STATUS, Mark
from xent_conformance.reports.html.naming import target_order
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import NAIVE, Row, Status
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import DTYPES, cut, in_order, plural

SHORT = 160
"""Characters shown of a framework's words for not judging."""

_TYPE = re.compile(r"\b(?:u?int|b?float)\d*\b|\b(?:double|half|bool)\b")


@dataclass(frozen=True)
class Unjudged:
    """One reason, and whom it kept from being judged: names, each with its modes and devices."""

    mark: Mark
    who: tuple[tuple[str, str], ...]
    dtypes: str
    message: str
    verdicts: str


@dataclass(frozen=True)
class All:
    """Every reason; how many verdicts were not judged of what users call, and of the naive controls."""

    reasons: tuple[Unjudged, ...]
    called: int
    naive: int


def view(material: Material) -> All:
    """Unsupported and undecided verdicts of a framework by message; those that differ in a type are one."""
    naming = material.naming
    apart = [Status.UNSUPPORTED.value, Status.UNDECIDED.value]
    rows = material.run.verdicts.filter(pl.col("status").is_in(apart))
    naive = rows.filter(pl.col("formulation") == NAIVE).height
    ordered = sorted(
        rows.iter_rows(named=True),
        key=lambda row: (tuple(STATUS).index(row["status"]), target_order(naming, row), row["message"]),
    )
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in ordered:
        gist = _TYPE.sub("", row["message"])
        groups.setdefault((row["status"], row["framework"], gist), []).append(row)
    reasons = tuple(
        Unjudged(
            mark=STATUS[status],
            who=tuple(naming.who(found)),
            dtypes=", ".join(in_order(list({r["dtype"] for r in found}), list(DTYPES))),
            message=_message([row["message"] for row in found]),
            verdicts=count(len(found)),
        )
        for (status, _, _), found in groups.items()
    )
    return All(reasons, rows.height - naive, naive)


def _message(said: Sequence[str]) -> str:
    """The first of the messages, shortened, and how many others there are."""
    first, others = said[0], len(set(said)) - 1
    short = cut(first, SHORT)
    return f"{short} (and {count(others)} with other types)" if others else short


def _about(view: All) -> str:
    if not view.reasons:
        return "all were asked and certified"
    controls = f", and {count(view.naive)} of naive controls" if view.naive else ""
    return f"{plural(len(view.reasons), 'reason')} not to judge {plural(view.called, 'verdict')}{controls}"


SECTION = Section("unjudged", "Not judged", "unjudged.html", view, folded=True, about=_about)
