"""Answers where the specification leaves open what is right: recorded, never judged, and some are errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import polars as pl

from xent_conformance.reports.run.words import Outcome, Status
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import plural


@dataclass(frozen=True)
class Opened:
    """How many there are; of those, how many are no answer: an error, a refusal, a process that ended."""

    answers: int = 0
    errors: int = 0

    @classmethod
    def of(cls, verdicts: pl.DataFrame) -> Self:
        """Those among some verdicts."""
        found = verdicts.filter(pl.col("status") == Status.OPEN.value)
        return cls(found.height, found.filter(pl.col("outcome") != Outcome.RETURNED.value).height)

    def __add__(self, other: Opened) -> Opened:
        return Opened(self.answers + other.answers, self.errors + other.errors)

    @property
    def of_them(self) -> str:
        """``1,352 of them errors``; empty for none."""
        return f"{count(self.errors)} of them {'an error' if self.errors == 1 else 'errors'}" * (
            self.errors > 0
        )

    def told(self, what: str) -> str:
        """``1,920 open answers, 1,352 of them errors``; empty for none."""
        return ", ".join(filter(None, (plural(self.answers, what), self.of_them))) if self.answers else ""
