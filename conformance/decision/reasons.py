"""Reasons that are causes: one for each thing that is wrong, wherever it shows, with what to type next."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from xent_conformance.decision.judged import JudgedWaiver
from xent_conformance.decision.units import UNIT
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import grouped
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.wording import Answer, joined
from xent_conformance.reports.views.comparison import Verdict, unlike, unshown
from xent_conformance.reports.views.reasons import Finding, Kind, Reason, named, outputs
from xent_conformance.reports.views.waivers import State

_OF_WAIVERS = {State.WORSENED: Kind.WORSENED, State.EXPIRED: Kind.EXPIRED, State.STALE: Kind.STALE,
               State.UNMATCHED: Kind.UNMATCHED}  # fmt: skip

_FINDINGS = pl.struct(*Finding._fields).unique().sort().alias("findings")


def of_faults(
    kind: Kind, blocking: bool, faults: pl.DataFrame, which: pl.Expr, run: Run, detail: str = ""
) -> list[Reason]:
    """A reason for each cause among broken verdicts, ``unit`` by ``unit``, the most verdicts first.

    ``which`` of them: who takes them out of the table beforehand has them a second time.
    """
    return [
        _reason(kind, blocking, row, run, row["symptom"], joined("; ", [detail, row["message"]]))
        for row in _by_cause(faults, which)
    ]


def of_changes(kind: Kind, blocking: bool, pairs: pl.DataFrame, run: Run) -> list[Reason]:
    """A reason for each cause among verdicts that are not as they were; its title says what they became."""
    return [_changed(kind, blocking, row, run) for row in _by_cause(pairs)]


def _by_cause(rows: pl.DataFrame, which: pl.Expr | None = None) -> list[Row]:
    """Verdicts of one cause and level as one row: the worst, with ``count``, ``targets`` and ``findings``."""
    if rows.is_empty():
        return []
    found = grouped(rows, [UNIT, "level"], _FINDINGS, where=which)
    order = found.sort(pl.col("level") == "should", -pl.col("count").cast(pl.Int64), UNIT)
    return list(order.iter_rows(named=True))


_BECAME = {Kind.REGRESSED: "regressed to {now}", Kind.DRIFTED: "drifted from {then} to {now}",
           Kind.BITS: "other bits than before", Kind.LESS_ACCURATE: "less accurate: {then}, now {now}",
           Kind.ACCEPTED: "regressed to {now}"}  # fmt: skip


def _changed(kind: Kind, blocking: bool, row: Row, run: Run) -> Reason:
    before, after = Verdict.of(row, "_old"), Verdict.of(row, "")
    assert before and after, "what changed is in both runs"
    sized = kind in (Kind.DRIFTED, Kind.LESS_ACCURATE)
    then, now = (v.answer.distance or v.status.word if sized else _short(v) for v in (before, after))
    other = _of_another(before, after)
    if other and kind is Kind.LESS_ACCURATE:  # a larger error of another element may have been right there
        then = before.status.word
    waiver = _known(row["waiver"], blocking) if row.get("waiver") else ""
    sides = (f"before: {before.text}", f"now: {after.text}{other}")
    hidden = unshown(before, after) if kind is Kind.BITS else ""
    detail = joined("; ", [row.get("why") or "", waiver, *sides, hidden, after.answer.message])
    return _reason(kind, blocking, row, run, _BECAME[kind].format(then=then, now=now + other * sized), detail)


def _of_another(before: Verdict, now: Verdict) -> str:
    """`` of another element``, where two errors stand side by side that are not of one element."""
    why = unlike(before, now)
    return f" of {why}" if why and before.answer.distance and now.answer.distance else ""


def _known(waiver: str, blocking: bool) -> str:
    """What a waiver says to what is new against the baseline; one that comes with the suite hides nothing."""
    if not blocking:
        return f"accepted by {waiver}"
    return f"known ({waiver}), and no waiver of the suite hides what is new against the baseline"


def _short(verdict: Verdict) -> str:
    """What a verdict looks like: its symptom, or else its status."""
    return verdict.fault or verdict.status.word


def _reason(kind: Kind, blocking: bool, row: Row, run: Run, what: str, detail: str) -> Reason:
    clause = run.header["clauses"].get(row["clause"], {"title": ""})
    cause = run.causes.get(row["cause"] or "", {})
    findings = tuple(Finding(**finding) for finding in row["findings"])
    return Reason(
        kind=kind,
        blocking=blocking,
        title=f"{_who(findings, row['implementation'])}: {joined(': ', [what, cause.get('hypothesis', '')])} "
        f"({row['level']} {row['clause']} {clause['title']})",
        detail=joined("; ", [cause.get("sentence", ""), detail]),
        command=commands.explain(run, row["case"], row["implementation"], row["device"]),
        count=row["count"],
        cause=row["cause"] or "",
        findings=findings,
        framework=row["framework"],
        version=row["version"],
        implementation=row["implementation"],
        operator=row["operator"],
        output=row["output"],
        targets=tuple(row["targets"]),
        dtypes=tuple(row["dtypes"]),
        clause=row["clause"],
        level=row["level"],
        symptom=row["symptom"],
        case=row["case"],
        answer=Answer.of(row),
    )


def _who(findings: Sequence[Finding], first: str) -> str:
    """``tf.nn.softmax and 2 more, value and grad_logits``: the implementation of the worst row by name."""
    who = named(findings, first)
    return f"{who}{'' if who == first else ','} {outputs(findings)}"


# --- waivers ---


def of_waivers(judged: Sequence[JudgedWaiver]) -> list[Reason]:
    """Waivers that are not as they should be. Those that come with the suite are for its authors to mend."""
    return [
        Reason(
            _OF_WAIVERS[w.state],
            not w.waiver.shipped,
            f"waiver {w.waiver.name}: {w.state.value}",
            w.message,
            w.next,
            w.rows,
            framework=w.waiver.framework,
            implementation=w.implementation,
            case=w.case,
            waiver=w.waiver.name,
        )
        for w in judged
        if w.state in _OF_WAIVERS
    ]
