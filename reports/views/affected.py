"""Whom a cause reaches: of the rows in which it shows, how many everybody gets wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import JUDGED


@dataclass(frozen=True)
class Share:
    """Of ``asked`` answers to the rows of a cause, ``broken`` show it, ``otherwise`` show another."""

    name: str
    asked: int
    broken: int
    otherwise: int = 0

    @property
    def state(self) -> str:
        """``all``, ``some``, ``other`` (wrong, for another cause), ``right``, or ``none``: not asked."""
        if not self.asked:
            return "none"
        if self.broken:
            return "all" if self.broken == self.asked else "some"
        return "other" if self.otherwise else "right"


@dataclass(frozen=True)
class Reach:
    """A cause's share of every framework, and the implementations that conform throughout.

    ``right``: framework, implementation and answers, the most answers first.
    """

    frameworks: tuple[Share, ...]
    right: tuple[tuple[str, str, int], ...]


def reaches(run: Run, frameworks: tuple[str, ...]) -> Mapping[str, Reach]:
    """By the id of a cause, whom it reaches. Rows are those of implementations that users call.

    A row is asked of an implementation if it has a judged verdict for the case and output in which the cause
    shows anywhere; so all columns of a cause are about the same questions.
    """
    judged = called(run).verdicts.filter(pl.col("status").is_in(JUDGED))
    rows = judged.filter(pl.col("cause") != "").select("case", "output", pl.col("cause").alias("of")).unique()
    answers = judged.select("case", "output", "framework", "implementation", "cause").join(
        rows, on=["case", "output"]
    )
    who = ["of", "framework", "implementation"]
    counted = answers.group_by(who).agg(
        pl.len().alias("asked"),
        (pl.col("cause") == pl.col("of")).sum().alias("broken"),
        ((pl.col("cause") != pl.col("of")) & (pl.col("cause") != "")).sum().alias("otherwise"),
    )
    found: dict[str, Reach] = {}
    for (cause,), shares in counted.sort(who).partition_by("of", as_dict=True, maintain_order=True).items():
        whole = shares.group_by("framework").agg(pl.col("asked", "broken", "otherwise").sum())
        by_name = {row[0]: Share(*row) for row in whole.iter_rows()}
        right = shares.filter(pl.col("broken") == 0, pl.col("otherwise") == 0)
        right = right.sort("asked", "framework", "implementation", descending=[True, False, False])
        found[str(cause)] = Reach(
            tuple(by_name.get(name, Share(name, 0, 0)) for name in frameworks),
            tuple(right.select("framework", "implementation", "asked").iter_rows()),
        )
    return found
