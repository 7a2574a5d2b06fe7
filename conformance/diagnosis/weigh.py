"""Hypotheses held against the verdicts of a run: what each explains, and what contradicts it.

A hypothesis explains a broken verdict where it predicts the number that was returned, and that number is
wrong. It is contradicted by a row of the same implementation, output and format that was answered right where
it predicts a plainly wrong one. One that is contradicted is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.predict import HYPOTHESES, Prediction, predictions
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import TARGET
from xent_conformance.reports.run.words import FAULTS, Status

DOOR = (*TARGET, "operator", "output", "dtype")
"""Whose verdicts are explained together: one implementation's output in one format, mode and device."""

Name = tuple[str, str]
"""A hypothesis and an arithmetic."""


@dataclass(frozen=True)
class Weighed:
    """Of one door: which broken verdicts a hypothesis explains, and how often it is contradicted."""

    name: Name
    explained: frozenset[int]
    contradicted: int


@dataclass(frozen=True)
class Explained:
    """The verdicts of a door by what explains them; ``conforming`` rows were held against each."""

    door: tuple[str, ...]
    broken: int
    conforming: int
    by: Mapping[Name, frozenset[int]]


_RANK = {h.name: h.rank for h in HYPOTHESES}


def explain(
    door: tuple[str, ...], broken: frozenset[int], conforming: int, found: list[Weighed]
) -> Explained:
    """Every broken verdict goes to what explains most of what is left; ties to the simplest."""
    left, by = set(broken), dict[Name, frozenset[int]]()
    allowed = [w for w in found if not w.contradicted and w.explained]
    while allowed and left:
        best = max(allowed, key=lambda w: (len(w.explained & left), -_RANK[w.name[0]], w.name))
        mine = best.explained & left
        if not mine:
            break
        by[best.name] = frozenset(mine)
        left -= mine
        allowed.remove(best)
    return Explained(door, len(broken), conforming, by)


def weigh(
    verdicts: pl.DataFrame, batches: Mapping[str, tuple[Batch, int]], oracle: Oracle
) -> Iterator[Explained]:
    """Of every door with broken verdicts: what explains them.

    ``verdicts`` has a column ``_id`` that numbers its rows; ``batches`` says of each case its batch and row.
    What was not returned, and what no case of ``batches`` asks, is left out.
    """
    broken = pl.col("status").is_in(FAULTS)
    places = pl.DataFrame(
        [(case, batch.id, row) for case, (batch, row) in batches.items()],
        schema={"case": pl.String, "_batch": pl.String, "_row": pl.Int64},
        orient="row",
    )
    kept = (
        verdicts.filter(pl.col("outcome") == "returned")
        .filter(broken | (pl.col("status") == Status.CONFORMS.value))
        .filter(broken.any().over(DOOR))
        .join(places, on="case", how="inner", maintain_order="left")
        .sort([*DOOR, "_batch"], maintain_order=True)
        .select("_id", *DOOR, "_batch", "_row", "index", "got", broken.alias("_broken"), "case")
    )
    of = {batch.id: batch for batch, _ in batches.values()}
    made: dict[tuple[str, str], list[Prediction]] = {}
    for door, rows in kept.partition_by(DOOR, as_dict=True, maintain_order=True).items():
        yield _of_door(tuple(map(str, door)), rows, of, oracle, made)


def _of_door(
    door: tuple[str, ...],
    rows: pl.DataFrame,
    of: Mapping[str, Batch],
    oracle: Oracle,
    made: dict[tuple[str, str], list[Prediction]],
) -> Explained:
    output, names = door[DOOR.index("output")], rows["_batch"].to_numpy()
    ids, where, got = rows["_id"].to_numpy(), rows["_row"].to_numpy(), rows["got"].to_numpy()
    index, bad = rows["index"].to_numpy().astype(np.int64), rows["_broken"].to_numpy()
    found: dict[Name, tuple[set[int], int]] = {}
    edges = np.flatnonzero(np.r_[True, names[1:] != names[:-1], True])
    for start, end in itertools.pairwise(edges.tolist()):
        key = (str(names[start]), output)
        if key not in made:
            made[key] = list(predictions(oracle.truth(of[key[0]].inputs), output))
        part = np.arange(start, end)
        faults, right = part[bad[part]], part[~bad[part]]
        for p in made[key]:
            met = p.met(where[faults], index[faults], got[faults])
            against = int(p.contradicted(where[right], index[right], got[right]).sum())
            explained, contradicted = found.get(p.name, (set(), 0))
            found[p.name] = explained | set(ids[faults][met].tolist()), contradicted + against
    weighed = [Weighed(name, frozenset(ids), n) for name, (ids, n) in found.items()]
    return explain(door, frozenset(ids[bad].tolist()), int((~bad).sum()), weighed)
