"""What is wrong with plain rows is charged to clause 1.1 in every row, whatever the row was made for.

Whether a row alone shows that its clause is broken cannot be seen in that row: a gradient that is wrong for
all logits is wrong beside a huge label index too, and says nothing about indices. The run shows it.
"""

from __future__ import annotations

import polars as pl

from xent_conformance.reference.clauses import STABLE, clause
from xent_conformance.reports.run.file import TARGET
from xent_conformance.reports.run.words import FAULTS, JUDGED, ORDINARY, Status, Symptom

_DOOR = [*TARGET, "operator", "dtype", "output"]

CHARGED = {"clause": STABLE, "level": clause(STABLE).level.value, "status": Status.BREAKS_MUST.value}
"""What a row says that is charged so, by column."""


def by_what_is_plain(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The verdicts of a run, in which a row is charged to what it was made for only where it alone shows it.

    Where at least half of the ordinary rows of an output, of two elements or more, are numbers beyond the
    stable bound, a row with such a number breaks 1.1 and no other clause. Rows that are right, special,
    refused, imprecise (1.2), flushed (1.3) or open keep their clause. SPEC.md §0.
    """
    beyond = pl.col("status").is_in(FAULTS) & (pl.col("symptom") == Symptom.BEYOND_BOUND.value)
    # found apart: beside all the other columns it would be a table more
    every = verdicts.lazy()
    doors = (
        every.filter(pl.col("family") == ORDINARY, pl.col("n") > 1, pl.col("status").is_in(JUDGED))
        .group_by(_DOOR)
        .agg(_plainly=2 * beyond.sum() >= pl.len())
        .filter("_plainly")
        .collect()
    )
    numbered = every.with_row_index("_id").filter(beyond).select("_id", *_DOOR)
    found = numbered.join(doors.lazy(), on=_DOOR, how="semi").collect()
    everywhere = pl.int_range(pl.len()).is_in(found["_id"].to_list())
    return verdicts.with_columns(
        pl.when(everywhere).then(pl.lit(value, verdicts.schema[name])).otherwise(name).alias(name)
        for name, value in CHARGED.items()
    )
