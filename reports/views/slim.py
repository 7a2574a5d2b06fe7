"""A run file without what no page shows: small enough to be published beside the page that is made from it.

What is broken, and every answer to a row that a page may show whole, stays to the last bit. Of the others,
which are counted, put side by side and drawn, stay: the verdict, the error to five digits, and enough of the
hashes to tell other bits from the same. The page of what is left is the page of the whole.
"""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, Status
from xent_conformance.reports.views.causes import causes, named

SLIM = "slim"
"""Of a header: what was taken out, in a sentence. Such a file is no baseline: not all bits are there."""

SAID = (
    "of the verdicts that are counted and not shown, the error has five digits and the numbers are left out; "
    "hashes have four letters"
)

DIGITS, LETTERS = 5, 4

_ORDER = ["operator", "family", "variant", "dtype", "n", "case", "output"]
_ORDER += ["framework", "implementation", "mode", "device"]


def slim(run: Run) -> Run:
    """The run without what no page shows; a broken row, and a case that stands for a cause, stay whole."""
    shown = [*(case for h in run.headers for case in h["exhibits"]), *(c.worst for c in causes(named(run)))]
    recorded = [*FAULTS, Status.OPEN.value]
    whole = pl.col("status").is_in(recorded) | pl.col("case").is_in(shown)

    def unless(column: str, instead: pl.Expr) -> pl.Expr:
        return pl.when(whole).then(pl.col(column)).otherwise(instead).alias(column)

    verdicts = run.verdicts.with_columns(
        *(unless(c, pl.lit(0.0)) for c in ("got", "hi", "lo", "rounded", "ratio")),
        *(unless(c, pl.lit(0, dtype=pl.Int32)) for c in ("index", "exponent")),
        unless("ulps", pl.col("ulps").round_sig_figs(DIGITS)),
        *(pl.col(c).str.slice(0, LETTERS) for c in ("hash", "bits")),
    ).sort(_ORDER, maintain_order=True)
    return Run(verdicts, tuple({**h, SLIM: SAID} for h in run.headers))
