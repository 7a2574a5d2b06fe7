"""What came of a check: verdicts, findings, and the worst row in words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from xent_conformance.reports.atomic import write_text
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import OWN, Run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.words import Outcome, Status
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.wording import harmless, plural, told_whole, worst

Level = Literal["must", "should"]

SHOWN = 10
"""Findings that a notebook shows; the report has all."""


class Divergence(AssertionError):
    """A function breaks a clause of the specification; the message shows the worst row."""


class Checked:
    """The verdicts on one function. Made by :func:`xent_conformance.check`."""

    def __init__(self, run: Run) -> None:
        self.run = Run(
            run.verdicts, tuple({**h, OWN: h["selection"]["implementation"][0]} for h in run.headers)
        )
        """The run, as :func:`xent_conformance.read_run` would give it back."""

    def __repr__(self) -> str:
        worst = "" if self.findings.is_empty() else f"; worst: {_place(self.findings.row(0, named=True))}"
        return f"<Checked {self._what}: {self._summary}{worst}>"

    @property
    def verdicts(self) -> pl.DataFrame:
        """One row for each case and output, with the columns of the run file."""
        return self.run.verdicts

    @cached_property
    def findings(self) -> pl.DataFrame:
        """Verdicts that break a clause, grouped by likely cause, worst first."""
        return findings(self.verdicts)

    @property
    def conforms(self) -> bool:
        """Whether some value was judged, every output was answered, and nothing breaks a must clause."""
        return self._judged > 0 and not self._unanswered and self._count(Status.BREAKS_MUST) == 0

    def raise_on_divergence(self, level: Level = "must") -> None:
        """Raise :class:`Divergence` where a must clause is broken; with ``"should"`` also for those."""
        if level not in ("must", "should"):
            raise ValueError(f"unknown level {level!r}: there are must, should")
        if not self._judged:
            raise Divergence(f"{self._what}: no value could be judged\n  {harmless(self._refusal)}")
        told = [harmless(f"{self._what}: {words}") for words in self._unanswered]
        found = self.findings if level == "should" else self.findings.filter(pl.col("level") == "must")
        told += [self._message(found)] if found.height else []
        if told:
            raise Divergence("\n".join(told))

    def save(self, path: str | Path) -> Path:
        """Write the run file, for ``conformance report`` or :func:`xent_conformance.read_run`."""
        write_run(Path(path), self.run)
        return Path(path)

    def report(self, path: str | Path) -> Path:
        """Write the HTML report."""
        from xent_conformance.reports.html.report import render

        write_text(Path(path), render(self.run, self.findings))
        return Path(path)

    # --- in words ---

    @property
    def _what(self) -> str:
        first = self.verdicts.row(0, named=True)
        where = f"{first['framework']} {first['mode']} {first['device']}"
        return f"{first['implementation']} as {first['operator']}, {where}"

    @property
    def _summary(self) -> str:
        counted = [(self._count(status), status.value.replace("_", " ")) for status in Status]
        told = ", ".join(f"{numbers.count(number)} {words}" for number, words in counted if number)
        return f"{numbers.count(self.verdicts.height)} verdicts: {told}"

    def _count(self, status: Status) -> int:
        return self.verdicts.filter(pl.col("status") == status.value).height

    @property
    def _judged(self) -> int:
        """Values that were judged: a function that refuses everything does not conform."""
        unjudged = (Status.UNSUPPORTED.value, Status.UNDECIDED.value)
        return self.verdicts.filter(
            pl.col("output").is_in(["value", "jvp"]) & ~pl.col("status").is_in(unjudged)
        ).height

    @cached_property
    def _unanswered(self) -> list[str]:
        """Outputs that are offered and that no row has, in words: nothing is known of them."""
        asked = self.verdicts.filter(pl.col("status") != Status.UNSUPPORTED.value)
        told = []
        for (output,), rows in asked.group_by(["output"], maintain_order=True):
            if Outcome.RETURNED.value not in rows["outcome"]:
                why = f"{plural(rows.height, 'row')}; {rows['message'][0]}"
                told.append(
                    f"{output} was never answered ({why}); say so where it is not offered: "
                    "differentiable=False, dtypes=…, takes=…"
                )
        return told

    @property
    def _refusal(self) -> str:
        """What the function said when it was asked for plain rows."""
        refused = self.verdicts.filter(pl.col("outcome") == Outcome.UNSUPPORTED.value)
        return str(refused["message"][0]) if refused.height else "the reference is undecided on every row"

    def _message(self, found: pl.DataFrame) -> str:
        row = found.row(0, named=True)
        causes = plural(found.height, "finding")
        said = f" ({row['message']})" if row["message"] else ""
        lines = [
            f"{self._what}: {row['output']} {row['symptom']} in {row['count']} of {row['asked']} rows"
            f"{said}; {causes}, the worst:",
            *told_whole(row, self.run.clause(row["clause"]), row["asked"], self.run.causes),
            f"  the inputs: {commands.explain(self.run, row['case'])}",
            f"  to repeat it: {commands.explain(self.run, row['case'], row['implementation'])}",
        ]
        return "\n".join(map(harmless, lines))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("clause", "output", "symptom", "rows", "worst"))
        body = "".join(_html_row(row) for row in self.findings.head(SHOWN).iter_rows(named=True))
        more = self.findings.height - SHOWN
        rest = f"<p>{more} more findings; <code>.report(path)</code> shows all</p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}" if body else ""
        verdict = "conforms" if self.conforms else "does not conform"
        return (
            f"<div><p><strong>{html.escape(self._what)}</strong> {verdict}<br>"
            f"{html.escape(self._summary)}</p>{table}</div>"
        )


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['output']} breaks {row['clause']} ({row['level']}), {row['symptom']}, in {row['case']}"


def _html_row(row: Mapping[str, Any]) -> str:
    told = "<br>".join(f"{name} {html.escape(words)}" for name, words in worst(row))
    cells = [
        f"{row['clause']} {row['level']}",
        row["output"],
        row["symptom"],
        f"{row['count']} of {row['asked']}",
    ]
    escaped = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr>{escaped}<td><code>{html.escape(row['case'])}</code><br>{told}</td></tr>"
