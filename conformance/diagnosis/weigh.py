"""Hypotheses held against the verdicts of a run: what each explains, and what contradicts it.

A hypothesis explains a broken verdict where it predicts the number that was returned, and that number is
wrong. It is contradicted by a row of the same implementation, output and format that was answered right where
it predicts a plainly wrong one. One that is contradicted is refused.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.choice import DOOR, OTHER, Explained, Weighed, Weighing, explain
from xent_conformance.diagnosis.marks import Marks, marks
from xent_conformance.diagnosis.predict import Name, names
from xent_conformance.diagnosis.said import Call, Said
from xent_conformance.reference.formats import Ints
from xent_conformance.reports.run.words import FAULTS, Status, Symptom

SAMPLE = 16
"""So many conforming rows of a batch, spread over it, are held against what explains its broken ones."""


@dataclass
class _Door:
    """What has been weighed so far."""

    ids: list[Ints] = field(default_factory=list)
    """The numbers of its broken verdicts, a call behind the other: no verdict is in two."""
    broken: int = 0
    conforming: int = 0
    explained: dict[Name, Marks] = field(default_factory=dict)
    contradicted: set[Name] = field(default_factory=set)
    of_severe: set[Name] = field(default_factory=set)
    """What explains one of those that are severe."""

    @property
    def weighed(self) -> list[Weighed]:
        return [
            Weighed(name, marked, int(name in self.contradicted), name in self.of_severe)
            for name, marked in self.explained.items()
        ]

    def take(self, ids: Ints, conforming: int) -> int:
        """The broken verdicts of a call, beside so many that conform; the place of the first."""
        first = self.broken
        self.ids.append(ids)
        self.broken += ids.size
        self.conforming += conforming
        return first

    def explains(self, name: Name, met: Marks, severe: Marks, first: int) -> None:
        """Of the verdicts of a call those that are ``met``; ``first``: the place of its first."""
        if name not in self.contradicted:
            self.explained[name] = self.explained.get(name, 0) | met << first
            if met & severe:
                self.of_severe.add(name)


def weigh(
    verdicts: pl.LazyFrame,
    batches: Mapping[str, tuple[Batch, int]],
    said: Said,
    between: Callable[[], None] = lambda: None,
) -> list[Explained]:
    """Of every door with broken verdicts: what explains them. See :func:`weighed`."""
    return explain(weighed(verdicts, batches, said, between))


def weighed(
    verdicts: pl.LazyFrame,
    batches: Mapping[str, tuple[Batch, int]],
    said: Said,
    between: Callable[[], None] = lambda: None,
) -> list[Weighing]:
    """Of every door with broken verdicts: what each hypothesis explains of them.

    ``verdicts`` has a column ``_id`` that numbers its rows; ``batches`` says of each case its batch and row.
    What was not returned, and what no case of ``batches`` asks, is left out. ``between`` two calls something
    else may be done.
    """
    doors: list[Weighing] = []
    for found in weighing(verdicts, batches, said):
        doors = found
        between()
    return doors


def weighing(
    verdicts: pl.LazyFrame, batches: Mapping[str, tuple[Batch, int]], said: Said
) -> Iterator[list[Weighing]]:
    """The same a call a step, each of which gives nothing; the last gives all."""
    broken = verdicts.filter(pl.col("status").is_in(FAULTS)).select("operator").unique().collect()
    asked: defaultdict[str, dict[str, tuple[Batch, int]]] = defaultdict(dict)
    for case, place in batches.items():
        asked[place[0].operator][case] = place
    doors: list[Weighing] = []
    for operator in broken["operator"].cast(pl.String).sort():  # no door has two, and all are much memory
        for found in _weighing(verdicts.filter(pl.col("operator") == operator), asked[operator], said):
            doors += found
            yield []
    yield doors


def _weighing(
    verdicts: pl.LazyFrame, batches: Mapping[str, tuple[Batch, int]], said: Said
) -> Iterator[list[Weighing]]:
    """Of one operator, as :func:`weighing`."""
    of = sorted({batch.id: batch for batch, _ in batches.values()}.items())
    called = _called(verdicts)
    kept = _kept(verdicts, called, batches, [name for name, _ in of])
    output = called["output"].cast(pl.Categorical).to_physical().to_numpy()
    doors = [_Door() for _ in output]
    ids, asked, door, row, index = (
        kept[name].to_numpy().astype(np.int64) for name in ("_id", "_batch", "_door", "_row", "index")
    )
    bad = kept["_broken"].to_numpy()
    severe = bad & (kept["symptom"] != Symptom.LOST_ACCURACY.value).to_numpy()
    every = Call(ids, door, row, index, kept["got"].to_numpy(), bad, severe)
    changes = (np.diff(asked, prepend=-1) != 0) | (np.diff(output[door].astype(np.int64), prepend=-1) != 0)
    begins = np.flatnonzero(changes).tolist()
    found = [
        (of[asked[begin]][1], called["output"][int(door[begin])], every[begin:end])
        for begin, end in itertools.pairwise([*begins, ids.size])
    ]
    # the severe ones first: another function than the right one has to explain some of those, or is none
    for batch, output, call in sorted(found, key=lambda c: (not c[2].severe.any(), -c[2].ids.size)):
        _weigh_call(batch, output, call, doors, said)
        yield []
    yield [
        (Explained(tuple(door), np.concatenate(w.ids), w.conforming, {}), w.weighed)
        for door, w in zip(called.iter_rows(), doors, strict=True)
        if w.ids
    ]


_BROKEN = pl.col("status").is_in(FAULTS)


def _returned(verdicts: pl.LazyFrame) -> pl.LazyFrame:
    return verdicts.filter(
        pl.col("outcome") == "returned", ~pl.col("symptom").is_in([s.value for s in NOT_COMPUTED])
    )


def _called(verdicts: pl.LazyFrame) -> pl.DataFrame:
    """The doors with broken rows that were returned, those of an output together."""
    return _returned(verdicts).filter(_BROKEN).select(DOOR).unique().sort("output", *DOOR).collect()


def _kept(
    verdicts: pl.LazyFrame,
    called: pl.DataFrame,
    batches: Mapping[str, tuple[Batch, int]],
    of: Sequence[str],
) -> pl.DataFrame:
    """The broken rows that were returned, and of the same batches some that conform.

    ``_door`` and ``_batch`` are the places of theirs in ``called`` and among the ids ``of`` batches, in whose
    order the rows are.
    """
    numbers = {name: i for i, name in enumerate(of)}
    places = pl.DataFrame(
        {
            "case": pl.Series(list(batches), dtype=verdicts.collect_schema()["case"]),
            "_batch": np.array([numbers[batch.id] for batch, _ in batches.values()], np.int32),
            "_row": np.array([row for _, row in batches.values()], np.int32),
        }
    )
    call = ("_batch", "_door")
    place = pl.int_range(pl.len()).over(*call, "_broken")
    size = pl.len().over(*call, "_broken")
    spread = (place * SAMPLE // size != (place - 1) * SAMPLE // size) | (size <= SAMPLE)
    # in pieces, and numbers for words: all of an operator at once are much of a run's memory
    rows = (
        _returned(verdicts)
        .filter(_BROKEN | (pl.col("status") == Status.CONFORMS.value))
        .with_columns(_broken=_BROKEN)
        .join(called.with_row_index("_door").lazy(), on=DOOR, how="inner", maintain_order="left")
        .join(places.lazy(), on="case", how="inner", maintain_order="left")
        .select("_id", *call, "_row", "index", "got", "symptom", "_broken")
        .collect(engine="streaming")
    )
    return (
        rows.filter(pl.col("_broken").any().over(call))
        .filter(pl.col("_broken") | spread)
        .sort(call, maintain_order=True)
    )


NOT_COMPUTED = (
    Symptom.OTHER_BITS,
    Symptom.CHANGED_INPUTS,
    Symptom.UNWRITTEN,
    Symptom.WRONG_SHAPE,
    Symptom.WRONG_DTYPE,
)
"""What is said of a result beside its numbers: no formula gives it, see :mod:`rules`."""


def _weigh_call(batch: Batch, output: str, call: Call, doors: Sequence[_Door], said: Said) -> None:
    begins = np.flatnonzero(np.diff(call.door, prepend=-1))  # a door's rows are one behind the other
    mine = [doors[i] for i in call.door[begins]]
    sizes = np.diff(begins, append=call.ids.size)
    broken = np.add.reduceat(call.bad, begins, dtype=np.int64)
    ends = broken.cumsum()
    ids = call.ids[call.bad].astype(np.uint32)
    there = list(zip((ends - broken).tolist(), ends.tolist(), strict=True))
    first = [
        door.take(ids[begin:end], size - (end - begin))
        for door, (begin, end), size in zip(mine, there, sizes.tolist(), strict=True)
    ]
    severe = marks(call.severe[call.bad])
    sayings = said.of(batch, output, call, _wanted(names(batch.inputs, output), call, mine))
    if not sayings:
        return
    contradicted, met = (
        np.logical_or.reduceat(np.stack(masks), begins, axis=1)
        for masks in ([s.contradicted for s in sayings], [s.met for s in sayings])
    )
    for i, k in np.argwhere(contradicted).tolist():
        mine[k].contradicted.add(sayings[i].name)
    marked = {i: marks(sayings[i].met[call.bad]) for i in np.flatnonzero(met.any(axis=1)).tolist()}
    for i, k in np.argwhere(met).tolist():
        begin, end = there[k]
        alone = (1 << end) - (1 << begin)
        mine[k].explains(sayings[i].name, (marked[i] & alone) >> begin, (severe & alone) >> begin, first[k])


def _wanted(asked: Iterable[Name], call: Call, doors: Collection[_Door]) -> list[Name]:
    """What may still explain something: see :mod:`choice`."""
    refused = set.intersection(*(door.contradicted for door in doors))
    left = [name for name in asked if name not in refused]
    if call.severe.any():
        return left
    seen = set[Name]().union(*(door.of_severe for door in doors))
    return [name for name in left if name[0] not in OTHER or name in seen]
