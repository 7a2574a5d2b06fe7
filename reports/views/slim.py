"""A run file without what no page shows: small enough to be published beside the page that is made from it.

What is broken, and every answer to a row that a page may show whole, stays to the last bit. Of the others,
which are counted, put side by side and drawn, stay: the verdict, the error to seven digits, and enough of the
hashes to tell other bits from the same. The page of what is left is the page of the whole.
"""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.run.file import SLIM, Run
from xent_conformance.reports.run.words import FAULTS, Status
from xent_conformance.reports.views.causes import causes, named
from xent_conformance.reports.views.strips import EDGES

SAID = (
    "of the verdicts that are counted and not shown, the error has seven digits, and the numbers are left "
    "out; hashes have four letters"
)

DIGITS, LETTERS = 7, 4

_RECORDED = (*FAULTS, Status.OPEN.value)
_NUMBERS, _WHERE = ("got", "hi", "lo", "rounded", "ratio"), ("index", "exponent")


def slim(run: Run) -> Run:
    """The run without what no page shows; a broken row, and a case that stands for a cause, stay whole."""
    shown = [*(case for h in run.headers for case in h["exhibits"]), *(c.worst for c in causes(named(run)))]
    whole = pl.col("status").is_in(_RECORDED) | pl.col("case").is_in(shown)

    def unless(column: str, instead: pl.Expr) -> pl.Expr:
        return pl.when(whole).then(pl.col(column)).otherwise(instead).alias(column)

    verdicts = run.verdicts.with_columns(
        # what is special stays: whether a right answer is finite decides where its row is drawn
        *(unless(c, pl.when(pl.col(c).is_finite()).then(0.0).otherwise(pl.col(c))) for c in _NUMBERS),
        *(unless(c, pl.lit(0, dtype=pl.Int32)) for c in _WHERE),
        # nor is an error rounded that a broken row has as well: of equal ones the first stands for both
        unless("ulps", pl.when(_in_another_bin() | _among(whole)).then("ulps").otherwise(_rounded())),
        *(_cut(c) for c in ("hash", "bits")),
    )
    # what is asked on several devices repeats itself, and is smaller side by side
    verdicts = verdicts.sort("case", maintain_order=True)
    return Run(verdicts, tuple({**h, SLIM: SAID} for h in run.headers))


def with_gaps(run: Run) -> pl.DataFrame:
    """The verdicts, and null for each number that was left out: the zero in its place was not returned.

    Of a verdict that stays whole nothing is taken; one of which every number is zero says no more as null.
    """
    if not run.is_slim:
        return run.verdicts
    shown = [case for header in run.headers for case in header["exhibits"]]
    nothing = [~pl.col(c).is_finite() | (pl.col(c) == 0.0) for c in _NUMBERS]
    nothing += [pl.col(c) == 0 for c in _WHERE]
    stays = pl.col("status").is_in(_RECORDED) | pl.col("case").is_in(shown)
    out = pl.all_horizontal(*nothing) & ~stays
    return run.verdicts.with_columns(
        *(pl.when(~(out & pl.col(c).is_finite())).then(c).alias(c) for c in _NUMBERS),
        *(pl.when(~out).then(c).alias(c) for c in _WHERE),
    )


def _cut(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.slice(0, LETTERS)


def _rounded() -> pl.Expr:
    return pl.col("ulps").round_sig_figs(DIGITS)


def _among(whole: pl.Expr) -> pl.Expr:
    """Whether the error is that of a row that stays whole."""
    return pl.col("ulps").is_in(pl.col("ulps").filter(whole).implode())


def _in_another_bin() -> pl.Expr:
    """Whether the error, rounded, would be drawn elsewhere: a little more than half an ulp is not half."""
    return pl.any_horizontal((pl.col("ulps") > edge) != (_rounded() > edge) for edge in EDGES)
