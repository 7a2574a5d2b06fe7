"""What is worse than in the baseline, cause by cause, and which of it blocks.

A must clause that is newly broken in a way that changes the meaning blocks, and so does one that is broken
where it was not: in another implementation, output, format, mode or device, or in rows of another kind. A
should clause does where the whole cause is new. What is only less accurate blocks where it is so materially
(:mod:`.material`), and its framework was on the machine of the baseline. Everything else is told.
"""

from __future__ import annotations

import polars as pl

from xent_conformance.decision.material import PLACE, materially_worse
from xent_conformance.decision.policy import Policy
from xent_conformance.decision.reasons import of_changes
from xent_conformance.decision.units import MEASURED, SPOT, UNIT, changes_meaning, is_diagnosed, with_units
from xent_conformance.reports.run.words import FAULTS, Status
from xent_conformance.reports.text.numbers import NOTHING
from xent_conformance.reports.views.comparison import KEY, Change, Comparison, Difference
from xent_conformance.reports.views.reasons import Kind, Reason

MACHINE = ("processor", "instructions", "machine", "threads", "cpu capability")
"""What of a worker's environment chooses its kernels; beside it the names of GPUs, ``cuda:0`` and on."""

VERDICT = (*KEY, "version", "machine")
"""What tells one verdict of a run from another."""


def of_another_machine(comparison: Comparison) -> tuple[Difference, ...]:
    """The differences of the environments that may explain other last bits.

    Where one side says nothing (of a framework that it has not, or of what it did not record), nobody knows
    of a change: that is none.
    """
    return tuple(
        d
        for d in comparison.environment
        if (d.what in MACHINE or d.what.startswith("cuda:")) and NOTHING not in (d.before, d.now)
    )


def worse(comparison: Comparison, marked: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The verdicts that are worse than before, with their unit; ``accepted`` by a waiver, or it ``blocks``.

    ``marked``: the faults of the run with the ``waiver`` that accepts each, or null; ``shipped`` says whether
    it came with the suite. ``why`` is why one blocks that nothing accepts; empty for one that does not.
    """
    diagnosed = is_diagnosed(_faults(comparison.pairs, "")) and is_diagnosed(
        _faults(comparison.pairs, "_old")
    )
    pairs = with_units(comparison.pairs, diagnosed=diagnosed)
    before = with_units(_of_before(comparison.pairs), diagnosed=diagnosed)
    here = pairs.filter(
        (pl.col("change") == Change.REGRESSED)
        | ((pl.col("change") == Change.DRIFTED) & pl.col("status").is_in(FAULTS))
    )
    there = before.select(UNIT, *SPOT, "symptom", _there=True).unique()
    known = before.select(UNIT, "symptom", _known=True).unique()
    places = materially_worse(pairs).with_columns(_material=True)
    joined = (
        here.join(there, on=[UNIT, *SPOT, "symptom"], how="left")
        .join(known, on=[UNIT, "symptom"], how="left")
        .join(places, on=[*PLACE, "symptom"], how="left")
        .join(marked.select(*VERDICT, "waiver", "shipped"), on=VERDICT, how="left")
    )
    why = _why()
    # of the framework itself: what stands beside it may have been asked anywhere
    elsewhere = pl.col("framework").is_in({d.framework for d in of_another_machine(comparison)})
    accepted = pl.col("waiver").is_not_null() & ~(pl.col("shipped") & (pl.col("level") == "must"))
    blocks = (why != "") & ~(pl.col("symptom").is_in(MEASURED) & elsewhere)
    blocks |= (pl.col("change") == Change.REGRESSED) & pl.lit(policy.strict)
    return joined.with_columns(why=why, accepted=accepted, blocks=blocks & ~accepted)


def _why() -> pl.Expr:
    """Why a verdict that is worse blocks, in words; empty where it does not."""
    must, meaning = pl.col("level") == "must", changes_meaning()
    return (
        pl.when(pl.col("status") == Status.UNSUPPORTED)
        .then(pl.lit("it was answered, and is no longer offered"))
        .when(meaning & must & pl.col("_there").is_null())
        .then(pl.lit("a must clause is broken where it was not"))
        .when(meaning & ~must & pl.col("_known").is_null())
        .then(pl.lit("a new way to be wrong"))
        .when(pl.col("symptom").is_in(MEASURED) & pl.col("_material"))
        .then(
            pl.format(
                "accuracy is materially worse: {} rows plainly worse, {} better",
                pl.col("worse"),
                pl.col("better"),
            )
        )
        .otherwise(pl.lit(""))
    )


def relative(
    comparison: Comparison, found: pl.DataFrame, marked: pl.DataFrame, policy: Policy
) -> list[Reason]:
    """The reasons among ``found``, the verdicts that are worse; and drift and other bits, which are told."""
    run = comparison.new
    regressed, measured = pl.col("change") == Change.REGRESSED, pl.col("symptom").is_in(MEASURED)
    reasons: list[Reason] = []
    for kind, part in (
        (Kind.REGRESSED, found.filter(~measured)),
        (Kind.LESS_ACCURATE, found.filter(measured)),
    ):
        told = part.filter(regressed, ~pl.col("blocks"), ~pl.col("accepted"))
        reasons += of_changes(kind, True, part.filter("blocks"), run)
        reasons += of_changes(kind, False, told, run)
    reasons += of_changes(Kind.ACCEPTED, False, found.filter("accepted", regressed), run)
    blocking = found.filter("blocks").select(VERDICT)
    waived = marked.filter(pl.col("waiver").is_not_null()).select(VERDICT)
    for change, kind, option in ((Change.DRIFTED, Kind.DRIFTED, "drift"), (Change.BITS, Kind.BITS, "bits")):
        rest = comparison.of(change).join(pl.concat([blocking, waived]), on=VERDICT, how="anti")
        reasons += of_changes(kind, option in policy.fail_on, with_units(rest), run)
    return reasons


def _faults(pairs: pl.DataFrame, side: str) -> pl.DataFrame:
    return pairs.filter(pl.col(f"status{side}").is_in(FAULTS)).select(pl.col(f"cause{side}").alias("cause"))


def _of_before(pairs: pl.DataFrame) -> pl.DataFrame:
    """The broken verdicts of the baseline, in the columns of a run."""
    faults = pairs.filter(pl.col("status_old").is_in(FAULTS))
    same = [c for c in KEY if c != "case"]
    renamed = [pl.col(f"{c}_old").alias(c) for c in (*SPOT, "cause", "clause", "symptom") if c not in KEY]
    return faults.select(*same, *renamed)
