"""The worst error of each framework on ordinary logits, side by side; part of framework against framework."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import JUDGED, NAIVE, ORDINARY
from xent_conformance.reports.text.numbers import NOTHING, ulps
from xent_conformance.reports.text.wording import DTYPES, in_order, words


@dataclass(frozen=True)
class Side:
    """One framework's worst found, and the target that it was found at."""

    ulps: str
    where: str
    worst: bool


@dataclass(frozen=True)
class SideRow:
    """One operator in one format; ``spread`` is the largest error over the smallest."""

    operator: str
    dtype: str
    sides: tuple[Side, ...]
    spread: str


@dataclass(frozen=True)
class SideBySide:
    """A side for each framework, in every row."""

    frameworks: tuple[str, ...]
    rows: tuple[SideRow, ...]


def side_by_side(run: Run, naming: Naming) -> SideBySide:
    """The worst found of each framework on ordinary logits, value only, naive controls left out."""
    rows = run.verdicts.filter(
        (pl.col("family") == ORDINARY)
        & (pl.col("output") == "value")
        & (pl.col("formulation") != NAIVE)
        & pl.col("status").is_in(JUDGED)
        & ~pl.col("ulps").is_nan()
    )
    worst = rows.sort("ulps", descending=True, maintain_order=True).group_by(
        ["operator", "dtype", "framework"], maintain_order=True
    )
    found = {
        (row["operator"], row["dtype"], row["framework"]): row for row in worst.first().iter_rows(named=True)
    }
    frameworks = [f for f in naming.frameworks if any(key[2] == f for key in found)]
    result = []
    for operator in in_order(list({key[0] for key in found}), list(run.header["operators"])):
        for dtype in in_order(list({key[1] for key in found if key[0] == operator}), list(DTYPES)):
            here = {f: found[operator, dtype, f] for f in frameworks if (operator, dtype, f) in found}
            errors = [row["ulps"] for row in here.values()]
            most, least = max(errors), min(errors)
            result.append(
                SideRow(
                    operator=operator,
                    dtype=dtype,
                    sides=tuple(_side(here.get(f), most, least, naming) for f in frameworks),
                    spread=_spread(most, least) if len(here) > 1 else "",
                )
            )
    return SideBySide(tuple(frameworks), tuple(result))


def _side(row: dict[str, Any] | None, most: float, least: float, naming: Naming) -> Side:
    if row is None:
        return Side(NOTHING, "not offered", worst=False)
    text = words(row["grade"]) if row["grade"] == "wrong_special" else ulps(row["ulps"])
    return Side(text, f"{row['implementation']}, {naming.where(row)}", worst=row["ulps"] == most > least)


def _spread(most: float, least: float) -> str:
    return f"{ulps(most / least)}×" if least > 0 and math.isfinite(most) else NOTHING
