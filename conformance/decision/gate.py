"""The gate: whether a run may pass, and every reason why not. A pure function of run files and waivers.

*Absolute*: no must clause is broken, except under a waiver. *Relative*, with a baseline: no verdict is worse
than before. *Evidence*: what was planned was finished, and nothing that the baseline has is missing; without
that nothing can pass. Naive formulations are controls and never gate. Decided verdict by verdict, never on
totals.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from xent_conformance.decision.compare import DRIFT_FACTOR, compare
from xent_conformance.decision.judged import for_waiver, judge_waivers
from xent_conformance.decision.reasons import broken, evidence, of_waivers, relative
from xent_conformance.decision.waivers import Waiver
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.views.gate import Acceptance, Gate, Kind

POLICIES: Mapping[str, Kind] = {"should": Kind.SHOULD, "drift": Kind.DRIFTED, "bits": Kind.BITS}
"""What ``--fail-on`` can add to the reasons that always block."""


@dataclass(frozen=True)
class Policy:
    """What blocks beside what always does, and how much an error must grow to be drift."""

    fail_on: frozenset[str] = frozenset()
    drift_factor: float = DRIFT_FACTOR


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
        waivers=tuple(w.told() for w in judged),
        tested=run.tested,
        verdicts=verdicts.height,
        by_status={Status(name): n for name, n in sorted(verdicts["status"].value_counts().iter_rows())},
        waived=marked.height - open_faults.height,
        changes={} if comparison is None else comparison.counts(),
        against=() if baseline is None else baseline.tested,
        accepted=_accepted(marked),
    )


_FINDING = ("operator", "framework", "version", "implementation", "machine", "output", "clause", "symptom")
"""What tells one finding from another."""


def _accepted(marked: pl.DataFrame) -> tuple[Acceptance, ...]:
    """Which waiver accepts how many verdicts of which finding."""
    by_waiver = marked.filter(pl.col("waiver").is_not_null()).group_by(*_FINDING, "waiver")
    counted = by_waiver.agg(pl.len().alias("count")).sort(*_FINDING, "waiver")
    return tuple(Acceptance(**row) for row in counted.iter_rows(named=True))


def day_of(run: Run) -> datetime.date:
    """The day of the run: a decision depends on files alone, and not on when it is looked at."""
    return max(datetime.datetime.fromisoformat(h["created"]) for h in run.headers).date()
