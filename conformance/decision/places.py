"""Where waivers speak: of many verdicts those in the place of each, whatever they say."""

from __future__ import annotations

import polars as pl

from xent_conformance.decision.waivers import ANY, Waiver, matching


class Places:
    """Verdicts in which the places of many waivers are looked for: what there is of names is counted once."""

    def __init__(self, verdicts: pl.DataFrame) -> None:
        self.verdicts = verdicts
        self._names: dict[str, list[str]] = {}

    def of(self, w: Waiver) -> pl.DataFrame:
        """The verdicts of whom and where it names."""
        versions = [v for v in self._named("version") if w.in_range(v)]
        here = (pl.col("framework") == w.framework) & pl.col("version").is_in(versions)
        for column, patterns in (
            ("operator", w.operators),
            ("output", w.outputs),
            ("implementation", w.implementations),
            ("mode", w.modes),
            ("device", w.devices),
        ):
            if patterns != ANY:
                here &= pl.col(column).is_in(matching(self._named(column), patterns))
        found = self.verdicts.filter(here)
        if w.cases != ANY:  # the only names of which there are thousands: of those that are left
            found = found.filter(pl.col("case").is_in(matching(found["case"].unique(), w.cases)))
        return found

    def _named(self, column: str) -> list[str]:
        if column not in self._names:
            self._names[column] = self.verdicts[column].unique().to_list()
        return self._names[column]
