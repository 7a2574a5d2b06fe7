"""What came of a check: verdicts, findings, and the worst row in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from xent_conformance.decision.gate import day_of, decide
from xent_conformance.decision.judged import JudgedWaiver, judge_waivers
from xent_conformance.decision.waivers import Waiver, matching
from xent_conformance.kernel import notebook
from xent_conformance.kernel.whole import Asked
from xent_conformance.reports.atomic import write_text
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import SCHEMA, Run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.words import FAULTS, JUDGED, OWN, Outcome, Row, Status
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.wording import Answer, flat, harmless, joined, plural, told_whole
from xent_conformance.reports.views.waivers import Judged

Level = Literal["must", "should"]

WORST, ROW = 5, 80
"""Findings that a message has a row of, and characters of what an answer was in it."""

WAIVED = "waived"
"""The status of a verdict that a waiver accepts, where findings are made of the others."""


class Divergence(AssertionError):
    """A function breaks a clause of the specification; the message shows the worst row."""


class Checked:
    """The verdicts on one function. Made by :func:`xent_conformance.check`."""

    def __init__(self, run: Run, asked: Asked, waivers: Sequence[Waiver] = ()) -> None:
        self.run = Run(
            run.verdicts, tuple({**h, OWN: h["selection"]["implementation"][0]} for h in run.headers)
        )
        """The run, as :func:`xent_conformance.read_run` would give it back."""
        self._asked = asked
        name, framework = asked.kernel.implementation.name, asked.kernel.framework.name
        self._waivers = [
            w for w in waivers if w.framework == framework and matching([name], w.implementations)
        ]

    def __repr__(self) -> str:
        found = self.findings
        told = [self.summary, self._in_one_format(found)]
        told += [f"worst: {_place(found.row(0, named=True))}"] if found.height else []
        return f"<Checked {self.what}: {joined('; ', told)}>"

    @cached_property
    def verdicts(self) -> pl.DataFrame:
        """One row for each case and output, with the columns of the run file."""
        return self.run.verdicts.cast(pl.Schema(SCHEMA))

    @cached_property
    def findings(self) -> pl.DataFrame:
        """Verdicts that break a clause and that no waiver accepts, grouped by likely cause, worst first.

        Of those that are equally far off the value comes first: a gradient is NaN where its value is.
        """
        found = findings(self._with_waived).with_columns(_off=pl.col("ulps").fill_nan(float("inf")))
        order = [pl.col("level") == "should", pl.col("_off"), pl.col("output") != "value"]
        return found.sort(order, descending=[False, True, False], maintain_order=True).drop("_off")

    @property
    def waivers(self) -> tuple[Judged, ...]:
        """What became of each waiver that names the function: whether it holds, and how much it accepts."""
        return tuple(judged.told() for judged in self._judged_waivers[1])

    @property
    def conforms(self) -> bool:
        """Whether some value was judged and every output answered, and nothing breaks a must clause.

        What a waiver accepts does not count; a waiver that does not hold any more does.
        """
        must = self.findings.filter(pl.col("level") == "must")
        return self._judged > 0 and not self._unanswered and not self._broken_waivers and must.is_empty()

    @property
    def not_offered(self) -> str:
        """Why the framework offers nothing of what was asked, as in a format that it has not; else empty."""
        withheld = (self.verdicts["status"] == Status.UNSUPPORTED.value).all()
        return self._refusal if withheld and self.verdicts.height else ""

    def explain(self, case: str = "") -> str:
        """One case whole, the worst if none is named: its inputs to the last bit, what is right, what came.

        The function is asked again, and where its answer is another than the one that was judged, that is the
        first line. Raises ValueError for a case that it is not asked, and where none is
        named and none is broken.
        """
        chosen = case or self._worst()["case"]
        return self._asked.explained(chosen, self._verdicts_on(chosen))

    def script(self, case: str = "", output: str = "") -> str:
        """A script that shows one case, the worst if none is named, and ends with 1 where it is wrong.

        Where the function's answer is another now than the one that was judged, the script repeats the call
        until that is seen. It imports the function by its module and name, NumPy and the framework, and
        nothing of this suite.
        Raises ValueError as :meth:`explain` does, and :class:`~xent_conformance.explain.wanted.Refused`, with
        what to do, where the function has no name that can be imported or no script can show the fault.
        """
        worst = {} if case else self._worst()
        chosen = case or worst["case"]
        shown = output or worst.get("output", "")  # that which is said to be the worst, and no other
        return self._asked.script(chosen, shown, self._verdicts_on(chosen))

    def raise_on_divergence(self, level: Level = "must") -> None:
        """Raise :class:`Divergence` where a must clause is broken; with ``"should"`` also for those."""
        if level not in ("must", "should"):
            raise ValueError(f"unknown level {level!r}: there are must, should")
        if not self._judged:
            raise Divergence(f"{self.what}: no value could be judged\n  {harmless(self._refusal)}")
        broken = (*self._unanswered, *self._broken_waivers)
        told = [harmless(f"{self.what}: {words}") for words in broken]
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

        decision = decide(self.run, waivers=self._waivers) if self._waivers else None
        write_text(Path(path), render(self.run, findings(self.verdicts), decision))
        return Path(path)

    # --- in words ---

    @property
    def what(self) -> str:
        first = self.verdicts.row(0, named=True)
        where = f"{first['framework']} {first['mode']} {first['device']}"
        return f"{first['implementation']} as {first['operator']}, {where}"

    @property
    def summary(self) -> str:
        counted = [(self._count(status), status.value.replace("_", " ")) for status in Status]
        counted.append((self._waived["waiver"].count(), "waived of these"))
        told = ", ".join(f"{numbers.count(number)} {words}" for number, words in counted if number)
        return f"{numbers.count(self.verdicts.height)} verdicts: {told}"

    def _count(self, status: Status) -> int:
        return self.verdicts.filter(pl.col("status") == status.value).height

    def _in_one_format(self, found: pl.DataFrame) -> str:
        """``breaks must clauses in float16 alone, of 4 formats``; empty where it is not one of several.

        That narrows most where to look: what is right in the others is right but for the format.
        """
        wrong, levels = found["dtypes"].explode().unique().to_list(), found["level"].unique().to_list()
        asked = self.verdicts.filter(pl.col("status").is_in(JUDGED))["dtype"].n_unique()
        if len(wrong) != 1 or asked == 1:
            return ""
        clauses = f"{levels[0]} clauses" if len(levels) == 1 else "clauses"
        return f"breaks {clauses} in {wrong[0]} alone, of {asked} formats"

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
        left_out = [Status.UNSUPPORTED.value, WAIVED]
        asked = self._with_waived.filter(~pl.col("status").is_in(left_out))
        told = []
        for (output,), rows in asked.group_by(["output"], maintain_order=True):
            if Outcome.RETURNED.value not in rows["outcome"]:
                why = f"{plural(rows.height, 'row')}; {rows['message'][0]}"
                told.append(
                    f"{output} was never answered ({why}); say so where it is not offered: "
                    "differentiable=False or 'once', dtypes=…, takes=…"
                )
        return told

    @cached_property
    def _judged_waivers(self) -> tuple[pl.DataFrame, list[JudgedWaiver]]:
        faults = self.verdicts.filter(pl.col("status").is_in(FAULTS))
        return judge_waivers(self.run, faults, self.verdicts.lazy(), self._waivers, day_of(self.run))

    @property
    def _waived(self) -> pl.DataFrame:
        """The faults, in the order of the verdicts, each with the waiver that accepts it, or null."""
        return self._judged_waivers[0]

    @property
    def _broken_waivers(self) -> list[str]:
        """The waivers that do not hold any more, each with what to do."""
        judged = self._judged_waivers[1]
        return [f"waiver {j.waiver.name} is {j.state.value}: {j.message}" for j in judged if j.state.blocks]

    @cached_property
    def _with_waived(self) -> pl.DataFrame:
        """The verdicts, with another status where a waiver accepts them."""
        accepted = self._waived["waiver"].is_not_null()
        if not accepted.any():
            return self.verdicts
        faults = self.verdicts.select(pl.arg_where(pl.col("status").is_in(FAULTS))).to_series()
        status = self.verdicts["status"].scatter(faults.filter(accepted), WAIVED)
        return self.verdicts.with_columns(status=status)

    def _verdicts_on(self, case: str) -> Sequence[Row]:
        return self.verdicts.filter(pl.col("case") == case).to_dicts()

    def _worst(self) -> dict[str, str]:
        """The case, and the output, of the first finding."""
        if self.findings.is_empty():
            raise ValueError(f"{self.what} breaks no clause here: name the case that is to be shown")
        return {name: str(self.findings[name][0]) for name in ("case", "output")}

    @property
    def _refusal(self) -> str:
        """What the function said when it was asked for plain rows."""
        refused = self.verdicts.filter(pl.col("outcome") == Outcome.UNSUPPORTED.value)
        return str(refused["message"][0]) if refused.height else "the reference is undecided on every row"

    def _message(self, found: pl.DataFrame) -> str:
        row = found.row(0, named=True)
        causes = plural(found.height, "finding")
        said = f" ({row['message']})" if row["message"] else ""
        no_script = self._asked.no_script
        lines = [
            joined(": ", [self.what, self._in_one_format(found), f"{row['output']} {row['symptom']} in "])
            + f"{row['count']} of {row['asked']} rows{said}; {causes}, the worst:",
            *told_whole(row, self.run.clause(row["clause"]), row["asked"], self.run.causes),
            *_rows_of(found),
            f'  the case whole: print(checked.explain("{row["case"]}"))',
            f'  without this suite: print(checked.script("{row["case"]}"))'
            + (f"; but first: {no_script}" if no_script else ""),
            f"  the inputs: {commands.explain(self.run, row['case'])}",
            f"  to repeat it: {commands.explain(self.run, row['case'], row['implementation'])}",
        ]
        return "\n".join(map(harmless, lines))

    def _repr_html_(self) -> str:
        return notebook.shown(self)


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['output']} breaks {row['clause']} ({row['level']}), {row['symptom']}, in {row['case']}"


def _rows_of(found: pl.DataFrame) -> list[str]:
    """The worst findings, a row each; none where there is but one, which is told whole."""
    if found.height < 2:
        return []
    rows = [
        (
            f"{r['clause']} {r['level']}",
            r["output"],
            r["symptom"],
            f"{r['count']} of {r['asked']} rows",
            flat(Answer.of(r).graded, ROW),
            r["case"],
        )
        for r in found.head(WORST).iter_rows(named=True)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in rows]
    return [f"  the worst {len(rows)} of {found.height}:", *(f"    {line.rstrip()}" for line in told)]
