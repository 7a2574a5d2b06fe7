"""How the targets of a run are named and ordered: version and machine only where they tell targets apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE, Row

_DOOR = ("framework", "version", "machine", "implementation")


@dataclass(frozen=True)
class Naming:
    """How a target is named in this run: version and machine only where there is more than one."""

    frameworks: tuple[str, ...]
    many_versions: frozenset[str]
    many_machines: bool

    @classmethod
    def of(cls, run: Run) -> Naming:
        """What tells the targets of this run apart; a framework that is absent has a name too."""
        v = run.verdicts
        versions = v.group_by("framework").agg(pl.col("version").n_unique().alias("n"))
        # a variant of a framework, as in torch[isa=avx2], is planned apart and is no framework
        planned = {name.partition("[")[0] for h in run.headers for name in h["planned"]}
        return cls(
            frameworks=tuple(sorted(planned | set(v["framework"].unique()))),
            many_versions=frozenset(versions.filter(pl.col("n") > 1)["framework"]),
            many_machines=v["machine"].n_unique() > 1,
        )

    def where(self, row: Row) -> str:
        """``eager · cpu``, with version and machine where they tell targets apart."""
        parts = [row["mode"], row["device"]]
        if row["framework"] in self.many_versions:
            parts.append(row["version"])
        if self.many_machines:
            parts.append(row["machine"])
        return " · ".join(parts)

    def where_all(self, row: Row) -> str:
        """Every mode and device of a finding, a mode with its devices."""
        devices: dict[str, list[str]] = {}
        for target in row["targets"]:
            mode, _, device = target.partition(" ")
            devices.setdefault(mode, []).append(device)
        told = "; ".join(f"{mode} · {', '.join(names)}" for mode, names in devices.items())
        extra = [row["version"]] if row["framework"] in self.many_versions else []
        extra += [row["machine"]] if self.many_machines else []
        return " · ".join([told, *extra])

    def who(self, rows: Sequence[Row]) -> Iterable[tuple[str, str]]:
        """Names of implementations with their modes and devices; those of the same stand together."""
        doors: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            doors.setdefault(tuple(row[k] for k in _DOOR), []).append(row)
        names: dict[str, list[str]] = {}
        for found in doors.values():
            targets = dict.fromkeys(f"{row['mode']} {row['device']}" for row in found)
            where = self.where_all({**found[0], "targets": list(targets)})
            names.setdefault(where, []).append(found[0]["implementation"])
        return ((", ".join(together), where) for where, together in names.items())

    def css(self, framework: str) -> str:
        """The style class of a framework; its name is foreign text and never becomes one."""
        return f"w{self.frameworks.index(framework)}"


def target_order(naming: Naming, row: Row) -> tuple[Any, ...]:
    """Frameworks in order, naive controls last within each."""
    return (
        naming.frameworks.index(row["framework"]),
        row["formulation"] == NAIVE,
        row["implementation"],
        row["version"],
        row["machine"],
        row["device"],
        row["mode"],
    )
