"""Every reason that the gate can have, found one by one; each with the command to type next."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from xent_conformance.decision.judged import JudgedWaiver
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import TARGETS, findings
from xent_conformance.reports.run.words import JUDGED, Row, Status
from xent_conformance.reports.text.wording import Answer, joined
from xent_conformance.reports.views.comparison import KEY, Change, Comparison, Verdict
from xent_conformance.reports.views.gate import Kind, Reason, State

_OF_WAIVERS = {State.WORSENED: Kind.WORSENED, State.EXPIRED: Kind.EXPIRED, State.STALE: Kind.STALE,
               State.UNMATCHED: Kind.UNMATCHED}  # fmt: skip


# --- evidence ---


def evidence(run: Run, called: pl.DataFrame) -> list[Reason]:
    """What is missing for any decision."""
    reasons = []
    if called.filter(pl.col("status").is_in(JUDGED)).is_empty():
        reasons.append(
            Reason(
                Kind.NO_VERDICTS,
                True,
                "the run has no answer of an implementation that users call",
                "nothing was answered and judged, so nothing is shown to conform",
                commands.ask_again(run.header),
            )
        )
    for header in run.headers:
        absent = {gap["framework"]: gap for gap in header["absent"]}
        for name, gap in absent.items():
            reasons.append(
                Reason(
                    Kind.ABSENT,
                    True,
                    f"{name} was asked for and is absent",
                    gap["message"],
                    gap["install"],
                    framework=name,
                )
            )
        for name, planned in header["planned"].items():
            done = header["finished"].get(name, 0)
            if done != planned and name not in absent:
                reasons.append(
                    Reason(
                        Kind.UNFINISHED,
                        True,
                        f"{name} answered {done} of {planned} batches",
                        "the run ended before everything was asked; run again",
                        commands.ask_again(header),
                        framework=name,
                    )
                )
    undecided = called.filter(pl.col("status") == Status.UNDECIDED.value)
    if not undecided.is_empty():
        row = undecided.sort("case").row(0, named=True)
        reasons.append(
            Reason(
                Kind.UNDECIDED,
                True,
                f"the reference could not certify {undecided.height} verdicts",
                "what is right is not known there",
                commands.explain(run, row["case"], row["implementation"], row["device"]),
                undecided.height,
                case=row["case"],
                operator=row["operator"],
                output=row["output"],
            )
        )
    return reasons


# --- the run by itself ---


def broken(faults: pl.DataFrame, run: Run, fail_on: Collection[str]) -> list[Reason]:
    """A reason for each finding that no waiver accepts."""
    reasons = []
    for row in findings(faults.drop("waiver")).iter_rows(named=True):
        must = row["level"] == "must"
        reasons.append(
            _of_rows(
                Kind.MUST if must else Kind.SHOULD, must or "should" in fail_on, row, run, row["symptom"]
            )
        )
    return reasons


def _of_rows(kind: Kind, blocking: bool, row: Row, run: Run, what: str, detail: str = "") -> Reason:
    """A reason of verdicts that share a cause; ``row`` is the worst, with ``count`` and ``targets``."""
    clause = run.header["clauses"].get(row["clause"], {"title": ""})
    return Reason(
        kind=kind,
        blocking=blocking,
        title=f"{row['implementation']} {row['output']}: {what} "
        f"({row['level']} {row['clause']} {clause['title']})",
        detail=detail or row["message"],
        command=commands.explain(run, row["case"], row["implementation"], row["device"]),
        count=row["count"],
        framework=row["framework"],
        version=row["version"],
        implementation=row["implementation"],
        operator=row["operator"],
        output=row["output"],
        targets=tuple(row["targets"]),
        dtypes=tuple(row["dtypes"]),
        clause=row["clause"],
        symptom=row["symptom"],
        case=row["case"],
        answer=Answer.of(row),
    )


# --- against the baseline ---


def relative(
    comparison: Comparison, marked: pl.DataFrame, run: Run, fail_on: Collection[str]
) -> list[Reason]:
    """What is missing since the baseline, and what is worse than in it and accepted by no waiver."""
    accepted = marked.filter(pl.col("waiver").is_not_null())
    reasons: list[Reason] = []
    if comparison.old.verdicts.is_empty():
        reasons.append(
            Reason(
                Kind.NO_VERDICTS,
                True,
                "the baseline has no verdict of an implementation that users call",
                "against nothing, nothing can be worse; make a baseline that asks something",
                commands.ask_again(comparison.old.header),
            )
        )
    for change, kind in ((Change.MISSING, Kind.MISSING), (Change.NOT_COMPARABLE, Kind.NOT_COMPARABLE)):
        reasons += _gaps(comparison, change, kind)
    for change, kind, blocking in (
        (Change.REGRESSED, Kind.REGRESSED, True),
        (Change.DRIFTED, Kind.DRIFTED, "drift" in fail_on),
        (Change.BITS, Kind.BITS, "bits" in fail_on),
    ):
        unaccepted = Comparison(
            comparison.of(change).join(accepted, on=[*KEY, "version", "machine"], how="anti"),
            comparison.environment,
            comparison.old,
            comparison.new,
        )
        for row in unaccepted.groups(change).iter_rows(named=True):
            reasons.append(_changed(kind, blocking, row, run))
    return reasons


_BECAME = {Kind.REGRESSED: "regressed to {now}", Kind.DRIFTED: "drifted from {then} to {now}",
           Kind.BITS: "other bits than before"}  # fmt: skip


def _changed(kind: Kind, blocking: bool, row: Row, run: Run) -> Reason:
    """A reason of verdicts that are not as they were; its title says what became of them."""
    before, after = Verdict.of(row, "_old"), Verdict.of(row, "")
    assert before and after, "what changed is in both runs"
    then, now = (v.answer.distance if kind is Kind.DRIFTED else _short(v) for v in (before, after))
    detail = joined("; ", [f"before: {before.text}", f"now: {after.text}", after.answer.message])
    return _of_rows(kind, blocking, row, run, _BECAME[kind].format(then=then, now=now), detail)


def _short(verdict: Verdict) -> str:
    """What a verdict looks like: its symptom, or else its status."""
    return verdict.fault or verdict.status.word


def _asked_of(run: Run, framework: str) -> Row:
    """The header of the run file, among those merged, that asked a framework."""
    found = (h for h in run.headers if any(f["framework"] == framework for f in h["frameworks"]))
    return next(found, run.header)


def _gaps(comparison: Comparison, change: Change, kind: Kind) -> list[Reason]:
    """One reason for each implementation of which verdicts are missing or not comparable."""
    reasons = []
    gone = comparison.of(change).sort("case").with_columns(_rows=pl.len().over("framework", "implementation"))
    gone = gone.sort("_rows", descending=True, maintain_order=True)
    for (framework, name), rows in gone.group_by("framework", "implementation", maintain_order=True):
        targets = rows.select(TARGETS)["targets"].to_list()
        what = {
            Kind.MISSING: "the baseline has verdicts that this run has not; ask the same profile, frameworks "
            "and devices, or make a new baseline",
            Kind.NOT_COMPARABLE: "the corpus or a clause has changed; make a new baseline with this suite",
        }[kind]
        reasons.append(
            Reason(
                kind,
                True,
                f"{name}: {rows.height} verdicts {kind.value}",
                what,
                commands.ask_again(_asked_of(comparison.old, str(framework))),
                rows.height,
                framework=str(framework),
                implementation=str(name),
                targets=tuple(targets),
                case=rows["case"][0],
            )
        )
    return reasons


# --- waivers ---


def of_waivers(judged: Sequence[JudgedWaiver]) -> list[Reason]:
    """Waivers that are not as they should be."""
    return [
        Reason(
            _OF_WAIVERS[w.state],
            True,
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
