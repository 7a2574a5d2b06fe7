"""The gate: whether a run may pass, and every reason why not. A pure function of run files and waivers.

*Absolute*: no must clause is broken, except under a waiver. *Relative*, with a baseline: no verdict is worse
than before. *Evidence*: what was planned was finished, and nothing that the baseline has is missing; without
that nothing can pass. Naive formulations are controls and never gate. Decided verdict by verdict, never on
totals.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from xent_conformance.decision.compare import DRIFT_FACTOR, called, compare
from xent_conformance.decision.judged import JudgedWaiver, judge_waivers
from xent_conformance.decision.next_command import for_waiver
from xent_conformance.decision.reasons import EVIDENCE, Kind, Reason, broken, evidence, of_waivers, relative
from xent_conformance.decision.waivers import Waiver
from xent_conformance.reports.run.file import Run

PASSED, FAILED, INVALID = 0, 1, 3
"""Exit statuses of a decision. 2 is for wrong usage, which never comes to a decision."""

POLICIES: Mapping[str, Kind] = {"should": Kind.SHOULD, "drift": Kind.DRIFTED, "bits": Kind.BITS}
"""What ``--fail-on`` can add to the reasons that always block."""


@dataclass(frozen=True)
class Policy:
    """What blocks beside what always does, and how much an error must grow to be drift."""

    fail_on: frozenset[str] = frozenset()
    drift_factor: float = DRIFT_FACTOR


@dataclass(frozen=True)
class Gate:
    """A decision. ``reasons``: those that block, then the warnings, in the order of :class:`Kind`.

    ``waived`` counts verdicts that waivers accept; ``changes`` counts pairs, where there is a baseline.
    """

    reasons: tuple[Reason, ...]
    waivers: tuple[JudgedWaiver, ...]
    tested: tuple[str, ...]
    verdicts: int
    by_status: Mapping[str, int]
    waived: int
    changes: Mapping[str, int] = field(default_factory=dict)
    against: tuple[str, ...] = ()
    """Frameworks and versions of the baseline; empty without one."""
    accepted: tuple[Mapping[str, Any], ...] = ()
    """Which waiver accepts how many verdicts of which finding: what :data:`_FINDING` names, waiver, count."""

    @property
    def blocking(self) -> tuple[Reason, ...]:
        """The reasons that decide the status."""
        return tuple(r for r in self.reasons if r.blocking)

    @property
    def status(self) -> int:
        """The exit status, from the reasons alone."""
        if any(r.kind in EVIDENCE for r in self.blocking):
            return INVALID
        return FAILED if self.blocking else PASSED

    @property
    def verdict(self) -> str:
        """The status in words."""
        return {PASSED: "passed", FAILED: "failed", INVALID: "no decision: evidence is missing"}[self.status]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON and for what is written from it."""
        waivers = [
            {"name": w.waiver.name, "state": w.state.value, "rows": w.rows, "message": w.message,
             "next": w.next, "case": w.case, "implementation": w.implementation,
             "framework": w.waiver.framework, "reason": w.waiver.reason, "link": w.waiver.link,
             "source": w.waiver.source}
            for w in self.waivers
        ]  # fmt: skip
        plain = {f: getattr(self, f) for f in ("tested", "against", "verdicts", "waived")}
        return {
            "status": self.status,
            "verdict": self.verdict,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()},
            "by_status": dict(self.by_status),
            "changes": dict(self.changes),
            "reasons": [
                asdict(r) | {"kind": r.kind.value, "evidence": r.kind in EVIDENCE} for r in self.reasons
            ],
            "waivers": waivers,
            "accepted": [dict(a) for a in self.accepted],
        }


def decide(
    run: Run, *, baseline: Run | None = None, waivers: Sequence[Waiver] = (), policy: Policy | None = None
) -> Gate:
    """The decision on ``run``."""
    policy = policy or Policy()
    verdicts = called(run).verdicts
    marked, judged = judge_waivers(run, verdicts, waivers, day_of(run))
    judged = [replace(w, next=for_waiver(w, run)) for w in judged]
    open_faults = marked.filter(pl.col("waiver").is_null())
    reasons = [*evidence(run, verdicts)]
    comparison = None
    if baseline is not None:
        comparison = compare(called(baseline), called(run), factor=policy.drift_factor)
        reasons += relative(comparison, marked, run, policy.fail_on)
    reasons += broken(open_faults, run, policy.fail_on)
    reasons += of_waivers(judged)
    order = list(Kind)
    reasons.sort(key=lambda r: (not r.blocking, order.index(r.kind)))
    return Gate(
        reasons=tuple(reasons),
        waivers=tuple(judged),
        tested=_versions(run),
        verdicts=verdicts.height,
        by_status=dict(sorted(verdicts["status"].value_counts().iter_rows())),
        waived=marked.height - open_faults.height,
        changes={} if comparison is None else {c.value: n for c, n in comparison.counts().items()},
        against=() if baseline is None else _versions(baseline),
        accepted=_accepted(marked),
    )


_FINDING = ("operator", "framework", "version", "implementation", "machine", "output", "clause", "symptom")
"""What tells one finding from another."""


def _accepted(marked: pl.DataFrame) -> tuple[Mapping[str, Any], ...]:
    by_waiver = marked.filter(pl.col("waiver").is_not_null()).group_by(*_FINDING, "waiver")
    return tuple(by_waiver.agg(pl.len().alias("count")).sort(*_FINDING, "waiver").iter_rows(named=True))


def _versions(run: Run) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(f"{f['framework']} {f['version']}" for h in run.headers for f in h["frameworks"])
    )


def day_of(run: Run) -> datetime.date:
    """The day of the run: a decision depends on files alone, and not on when it is looked at."""
    return max(datetime.datetime.fromisoformat(h["created"]) for h in run.headers).date()
