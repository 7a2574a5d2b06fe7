"""Where waivers speak: of many verdicts those in the place of each, whatever they say."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xent_conformance.decision.waivers import ANY, Waiver, matching
from xent_conformance.reports.run.lexical import known_and_places


class Places:
    """Verdicts in which the places of many waivers are looked for: names are numbers, each looked at once."""

    def __init__(self, verdicts: pl.DataFrame) -> None:
        self.verdicts = verdicts
        self._columns: dict[str, tuple[list[str], NDArray[np.int32]]] = {}

    def of(self, w: Waiver) -> pl.DataFrame:
        """The verdicts of whom and where it names."""
        here = self._where("framework", lambda names: [w.framework])
        here &= self._where("version", lambda names: [v for v in names if w.in_range(v)])
        for column, patterns in (
            ("operator", w.operators),
            ("output", w.outputs),
            ("implementation", w.implementations),
            ("mode", w.modes),
            ("device", w.devices),
        ):
            if patterns != ANY:
                here &= self._where(column, functools.partial(matching, patterns=patterns))
        found = np.flatnonzero(here)
        if w.cases != ANY:  # the only names of which there are thousands: of those that are left
            names, numbers = self._column("case")
            left = {names[i]: i for i in np.unique(numbers[found]).tolist()}
            found = found[np.isin(numbers[found], [left[name] for name in matching(left, w.cases)])]
        return self.verdicts[found]

    def _where(self, column: str, meant: Callable[[list[str]], list[str]]) -> NDArray[np.bool_]:
        """The rows that have in this column one of the names that are meant, of all that are there."""
        names, numbers = self._column(column)
        among = set(meant(names))
        # the last is what is missing, which has the number -1 and no name
        return np.array([*(name in among for name in names), False], np.bool_)[numbers]

    def _column(self, column: str) -> tuple[list[str], NDArray[np.int32]]:
        """The names that are there, and of each row its place among them: see :mod:`.lexical`."""
        if column not in self._columns:
            known, places = known_and_places(self.verdicts[column])
            self._columns[column] = known.to_list(), places.to_numpy()
        return self._columns[column]
