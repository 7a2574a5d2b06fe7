"""What may be compared: answers that users get who set nothing, to questions that all were asked.

An implementation that is asked more must not look worse for it, and a mode or a setting that few are asked
in must not speak for a framework.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from xent_conformance.reports.run.words import NAIVE, Row

PLACE = ["framework", "version", "mode", "device", "machine"]
"""The columns that name where an implementation was asked."""


@dataclass(frozen=True, order=True)
class Place:
    """A framework as it is used: its version, its own mode, a device, a machine."""

    framework: str
    version: str
    mode: str
    device: str
    machine: str

    @classmethod
    def of(cls, row: Row) -> Self:
        """The place that a verdict is from."""
        return cls(*(row[column] for column in PLACE))


def at_home(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The verdicts of each framework in its own mode, on its devices as they are.

    Its own mode is the one in which most of its implementations were asked, then the one with most rows:
    ``eager``, but ``jit`` for JAX. Naive controls do not choose it.
    """
    plain = verdicts.filter(as_they_are())
    asked = plain.with_columns((pl.col("formulation") == NAIVE).alias("naive"))
    modes = asked.group_by("framework", "version", "mode").agg(
        pl.col("implementation").filter(~pl.col("naive")).n_unique().alias("doors"),
        (~pl.col("naive")).sum().alias("rows"),
    )
    order = modes.sort(["doors", "rows", "mode"], descending=[True, True, False])
    own = order.unique(["framework", "version"], keep="first", maintain_order=True)
    return plain.join(own.select("framework", "version", "mode"), on=["framework", "version", "mode"])


def as_they_are() -> pl.Expr:
    """Which verdicts are of devices without a setting (``cpu[isa=avx2]``).

    Of a kind of device that a framework was asked on under settings alone, all of them: it is at home there.
    """
    return ~_set() | _set().all().over("framework", kind_of_device())


def kind_of_device() -> pl.Expr:
    """The device without its setting: ``vulkan`` of ``vulkan[lavapipe]``."""
    return pl.col("device").cast(pl.String).str.split("[").list.first()


def shared(rows: pl.DataFrame, within: Sequence[str], question: Sequence[str]) -> pl.DataFrame:
    """The rows whose ``question`` (case, or case and output) was asked of all who are ``within`` one group.

    Where nothing was asked of all, that which was asked of most. Each of them has one row a question.
    """
    asked = pl.len().over([*within, *question])
    return rows.with_columns(asked.alias("asked")).filter(
        pl.col("asked") == pl.col("asked").max().over(within)
    )


def causes_of(rows: pl.DataFrame) -> tuple[str, ...]:
    """The causes of what is wrong in ``rows``, those of most rows first."""
    named = rows.filter(pl.col("cause") != "")
    counted = named.group_by("cause").len().sort(-pl.col("len").cast(pl.Int64), "cause")
    return tuple(counted["cause"])


def _set() -> pl.Expr:
    """A device under a setting."""
    return pl.col("device").cast(pl.String).str.contains("[", literal=True)
