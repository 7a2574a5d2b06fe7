"""Every reason that the gate can have, found one by one; each with the command to type next."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from conformance.compare import KEY, Change, Comparison
from conformance.findings import findings
from conformance.judged_waivers import JudgedWaiver, State
from conformance.outcome import Status
from reports.run_file import Run


class Kind(StrEnum):
    """Why. In the order in which reasons are told."""

    NO_VERDICTS = "no verdicts"
    UNFINISHED = "unfinished"
    ABSENT = "absent framework"
    UNDECIDED = "undecided"
    MISSING = "missing since the baseline"
    NOT_COMPARABLE = "not comparable with the baseline"
    REGRESSED = "regressed"
    MUST = "must clause broken"
    WORSENED = "waiver worsened"
    EXPIRED = "waiver expired"
    STALE = "waiver stale"
    UNMATCHED = "waiver unmatched"
    SHOULD = "should clause broken"
    DRIFTED = "drifted"
    BITS = "bits changed"


EVIDENCE = (
    Kind.NO_VERDICTS,
    Kind.UNFINISHED,
    Kind.ABSENT,
    Kind.UNDECIDED,
    Kind.MISSING,
    Kind.NOT_COMPARABLE,
)
"""Without evidence there is no decision: exit status 3."""

_OF_WAIVERS = {State.WORSENED: Kind.WORSENED, State.EXPIRED: Kind.EXPIRED, State.STALE: Kind.STALE,
               State.UNMATCHED: Kind.UNMATCHED}  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """One reason; ``count`` verdicts share it, and ``case`` is the worst of them.

    ``got`` and ``right`` are those of that case, ``ulps`` its error (None where it is not measured);
    ``command`` is what to type next.
    """

    kind: Kind
    blocking: bool
    title: str
    detail: str
    command: str
    count: int = 0
    framework: str = ""
    version: str = ""
    implementation: str = ""
    operator: str = ""
    output: str = ""
    targets: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    symptom: str = ""
    case: str = ""
    got: str = ""
    right: str = ""
    ulps: float | None = None


# --- evidence ---


def evidence(run: Run, called: pl.DataFrame) -> list[Reason]:
    """What is missing for any decision."""
    again = "conformance run " + " ".join(_options(run.header))
    reasons = []
    if called.is_empty():
        reasons.append(
            Reason(
                Kind.NO_VERDICTS,
                True,
                "the run has no verdict of an implementation that users call",
                "nothing was asked, so nothing is shown to conform",
                again,
            )
        )
    for header in run.headers:
        again = "conformance run " + " ".join(_options(header))
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
                        "the run was interrupted",
                        f"{again} --resume",
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
                _explain(row, run),
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
        reasons.append(_of_rows(Kind.MUST if must else Kind.SHOULD, must or "should" in fail_on, row, run))
    return reasons


def _of_rows(kind: Kind, blocking: bool, row: Mapping[str, Any], run: Run, detail: str = "") -> Reason:
    """A reason of verdicts that share a cause; ``row`` is the worst, with ``count`` and ``targets``."""
    clause = run.header["clauses"].get(row["clause"], {"title": ""})
    returned = row["grade"] != "none"
    return Reason(
        kind=kind,
        blocking=blocking,
        title=f"{row['implementation']} {row['output']}: {row['symptom']} "
        f"({row['level']} {row['clause']} {clause['title']})",
        detail=detail or row["message"],
        command=_explain(row, run),
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
        got=repr(row["got"]) if returned else row["outcome"],
        right=repr(row["rounded"]) if returned else "",
        ulps=row["ulps"] if returned and math.isfinite(row["ulps"]) else None,
    )


# --- against the baseline ---


def relative(
    comparison: Comparison, marked: pl.DataFrame, run: Run, fail_on: Collection[str]
) -> list[Reason]:
    accepted = marked.filter(pl.col("waiver").is_not_null())
    reasons = []
    for change, kind in ((Change.MISSING, Kind.MISSING), (Change.NOT_COMPARABLE, Kind.NOT_COMPARABLE)):
        reasons += _gaps(comparison, change, kind, run)
    for change, kind, blocking in (
        (Change.REGRESSED, Kind.REGRESSED, True),
        (Change.DRIFTED, Kind.DRIFTED, "drift" in fail_on),
        (Change.BITS, Kind.BITS, "bits" in fail_on),
    ):
        unaccepted = Comparison(
            comparison.of(change).join(accepted, on=list(KEY), how="anti"),
            comparison.environment,
            comparison.old,
            comparison.new,
        )
        for row in unaccepted.groups(change).iter_rows(named=True):
            detail = f"before: {_was(row, '_old')}; now: {_was(row, '')}"
            reasons.append(_of_rows(kind, blocking, row, run, detail))
    return reasons


def _was(row: Mapping[str, Any], side: str) -> str:
    """A verdict of one side in words."""
    status = row[f"status{side}"].replace("_", " ")
    ulps = row[f"ulps{side}"]
    symptom = "" if row[f"symptom{side}"] == "none" else f", {row[f'symptom{side}']}"
    return f"{status}{symptom}" + (f", {ulps:.3g} ulp" if ulps == ulps else "")


def _gaps(comparison: Comparison, change: Change, kind: Kind, run: Run) -> list[Reason]:
    """One reason for each implementation of which verdicts are missing or not comparable."""
    reasons = []
    gone = comparison.of(change).sort("case")
    for (framework, name), rows in gone.group_by("framework", "implementation", maintain_order=True):
        targets = rows.select(t=pl.concat_str("mode", "device", separator=" "))["t"].unique().sort().to_list()
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
                "conformance run " + " ".join(_options(comparison.old.header)),
                rows.height,
                framework=str(framework),
                implementation=str(name),
                targets=tuple(targets),
                case=rows["case"][0],
            )
        )
    return reasons


# --- waivers ---


def of_waivers(judged: Sequence[JudgedWaiver], run: Run) -> list[Reason]:
    """Waivers that are not as they should be."""
    return [
        Reason(
            _OF_WAIVERS[w.state],
            True,
            f"waiver {w.waiver.name}: {w.state.value}",
            w.message,
            _explain_case(w.case, w.implementation, w.waiver.framework, run) if w.case else w.next,
            w.rows,
            framework=w.waiver.framework,
            case=w.case,
        )
        for w in judged
        if w.state in _OF_WAIVERS
    ]


# --- commands ---


def _explain(row: Mapping[str, Any], run: Run) -> str:
    return _explain_case(row["case"], row["implementation"], row["framework"], run)


def _explain_case(case: str, implementation: str, framework: str, run: Run) -> str:
    plugins = [p for h in run.headers for p in h["selection"].get("plugins", [])]
    words = ["conformance", "explain", case, "--implementation", implementation]
    return shlex.join(words + [w for p in dict.fromkeys(plugins) for w in ("--plugin", p)])


def _options(header: Mapping[str, Any]) -> list[str]:
    """The options that ask again what was asked."""
    s = header["selection"]
    words = ["--profile", s["profile"]]
    for option, key in (("framework", "frameworks"), ("operator", "operators"), ("dtype", "dtypes"),
                        ("family", "families"), ("device", "devices"), ("plugin", "plugins")):  # fmt: skip
        words += [w for value in s.get(key, []) for w in (f"--{option}", shlex.quote(value))]
    return words + (
        ["--implementation", shlex.quote(s["implementation"])] if s["implementation"] != "*" else []
    )
