"""The gate: whether a run may pass, and every reason why not. A pure function of run files and waivers.

Its unit is the cause: one thing that is wrong, wherever it shows. *By itself* a run may break no must
clause, except under a waiver. *With a baseline* what was so before is told, and what is new, or reached where
it was not, blocks (:mod:`.relative`). *Evidence*: what was planned was finished, and nothing that the
baseline has is missing; without that nothing can pass. Naive formulations are controls and never gate. Every
verdict is compared with its own earlier self, and nothing makes up for another.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from xent_conformance.decision.compare import compare
from xent_conformance.decision.evidence import USERS, answered, evidence, since
from xent_conformance.decision.judged import JudgedWaiver, for_waiver, judge_waivers
from xent_conformance.decision.policy import Policy
from xent_conformance.decision.reasons import of_faults, of_waivers
from xent_conformance.decision.relative import VERDICT, of_another_machine, relative, worse
from xent_conformance.decision.units import with_units
from xent_conformance.decision.waivers import Waiver
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import FAULTS, Status
from xent_conformance.reports.views.comparison import Change, Comparison
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.opened import Opened
from xent_conformance.reports.views.reasons import Kind, Reason
from xent_conformance.reports.views.waivers import Acceptance


def decide(
    run: Run,
    *,
    baseline: Run | None = None,
    waivers: Sequence[Waiver] = (),
    policy: Policy | None = None,
    next_steps: bool = True,
) -> Gate:
    """The decision on ``run``.

    ``next_steps``: whether each waiver that accepts nothing has the command to type about it, for which its
    witness is looked for in the corpus; who shows the decision in a sentence does without.
    """
    policy = policy or Policy()
    # counted at once: beside all that follows they would be held on
    asked = run.verdicts.select("status", "outcome", users=USERS).filter("users")
    by_status = {Status(name): n for name, n in sorted(asked["status"].value_counts().iter_rows())}
    open_errors = Opened.of(asked).errors
    del asked
    marked, judged = marked_faults(run, waivers)
    if next_steps:
        judged = [replace(w, next=for_waiver(w, run)) for w in judged]
    comparison = None
    reasons = evidence(run)
    if baseline is None:
        reasons += _broken(marked, run, policy)
    else:
        comparison = compare(called(baseline), called(run), factor=policy.drift_factor)
        reasons += since(comparison) + _against(comparison, marked, run, policy)
    reasons += of_waivers(judged)
    order = list(Kind)
    reasons.sort(key=lambda r: (not r.blocking, order.index(r.kind), r.level != "must"))
    return Gate(
        reasons=tuple(reasons),
        waivers=tuple(w.told() for w in judged),
        tested=run.tested,
        verdicts=sum(by_status.values()),
        by_status=by_status,
        open_errors=open_errors,
        waived=marked.height - marked["waiver"].null_count(),
        by_suite=marked.filter("shipped").height,
        of_should=marked.filter(pl.col("waiver").is_not_null(), pl.col("level") == "should").height,
        changes={} if comparison is None else comparison.counts(),
        against=() if baseline is None else baseline.tested,
        accepted=_accepted(marked),
        answered=tuple(answered(run)),
        expiry=f"Waivers expire by the day of the decision, {day_of(run)}." if _expire(waivers) else "",
        machine=() if comparison is None else of_another_machine(comparison),
    )


def marked_faults(run: Run, waivers: Sequence[Waiver]) -> tuple[pl.DataFrame, list[JudgedWaiver]]:
    """The faults of ``run``, each with its unit, its ``waiver`` or null, and whether that is ``shipped``."""
    faults, judged = judge_waivers(run, run.faults, run.verdicts.lazy().filter(USERS), waivers, day_of(run))
    shipped = [w.name for w in waivers if w.shipped]
    marked = with_units(faults).with_columns(shipped=pl.col("waiver").is_in(shipped).fill_null(False))
    return marked, judged


def blocking_faults(marked: pl.DataFrame, run: Run, baseline: Run, policy: Policy) -> pl.DataFrame:
    """The faults among ``marked`` that block against ``baseline``: a waiver of one's own may accept them."""
    comparison = compare(called(baseline), called(run), factor=policy.drift_factor)
    found = worse(comparison, marked, policy)
    must = pl.col("level") == "must"
    blocks = pl.lit("should" in policy.fail_on) & ~must | must & (~pl.col("before") | pl.lit(policy.strict))
    rest = _rest(comparison, found, marked).filter(blocks)
    blocking = pl.concat([found.filter("blocks").select(VERDICT), rest.select(VERDICT)])
    return marked.join(blocking, on=VERDICT, how="semi", maintain_order="left")


def _expire(waivers: Sequence[Waiver]) -> bool:
    return any(w.expires is not None for w in waivers)


def _broken(marked: pl.DataFrame, run: Run, policy: Policy) -> list[Reason]:
    """The causes that no waiver accepts."""
    must, unwaived = pl.col("level") == "must", pl.col("waiver").is_null()
    return [
        *of_faults(Kind.MUST, True, marked, unwaived & must, run),
        *of_faults(Kind.SHOULD, "should" in policy.fail_on, marked, unwaived & ~must, run),
    ]


def _against(comparison: Comparison, marked: pl.DataFrame, run: Run, policy: Policy) -> list[Reason]:
    """What is worse than before; then what is as wrong as it was, and what the baseline does not know."""
    found = worse(comparison, marked, policy)
    reasons = relative(comparison, found, marked, policy)
    rest = _rest(comparison, found, marked)
    was = pl.col("before")
    must = pl.col("level") == "must"
    kept = was if "should" not in policy.fail_on else was & must  # who asks for should clauses is told of all
    reasons += of_faults(Kind.AS_BEFORE, policy.strict, rest, must & was, run, "so it was before")
    reasons += of_faults(Kind.AS_BEFORE, False, rest, kept & ~must, run, "so it was before")
    return reasons + _broken(rest.filter(~kept), run, policy)


def _rest(comparison: Comparison, found: pl.DataFrame, marked: pl.DataFrame) -> pl.DataFrame:
    """The faults that no waiver accepts and that are not worse; ``before``: whether they were ones then."""
    before = comparison.pairs.filter(pl.col("status_old").is_in(FAULTS)).select(*VERDICT, before=True)
    # one that drifted and was broken before is told as drift, and is as broken as before
    told = found.filter(pl.col("blocks") | (pl.col("change") == Change.REGRESSED)).select(VERDICT)
    rest = marked.filter(pl.col("waiver").is_null()).join(told, on=VERDICT, how="anti")
    return rest.join(before, on=VERDICT, how="left").with_columns(pl.col("before").fill_null(False))


_FINDING = ("operator", "framework", "version", "implementation", "machine", "output", "clause", "symptom")
"""What tells one finding from another."""


def _accepted(marked: pl.DataFrame) -> tuple[Acceptance, ...]:
    """Which waiver accepts how many verdicts of which finding and cause."""
    key = [*_FINDING, "cause", "waiver"]
    by_waiver = marked.filter(pl.col("waiver").is_not_null()).group_by(key)
    counted = by_waiver.agg(pl.len().alias("count")).sort(key)
    return tuple(Acceptance(**row) for row in counted.iter_rows(named=True))


def day_of(run: Run) -> datetime.date:
    """The day of the decision, by which waivers expire: today, however old the run is that is decided on.

    Or the day of the run, where that is later: a clock that is slow prolongs nothing.
    """
    made = max(datetime.datetime.fromisoformat(h["created"]) for h in run.headers).date()
    return max(made, today())


def today() -> datetime.date:
    """By UTC."""
    return datetime.datetime.now(datetime.UTC).date()
