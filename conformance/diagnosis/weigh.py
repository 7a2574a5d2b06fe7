"""Hypotheses held against the verdicts of a run: what each explains, and what contradicts it.

A hypothesis explains a broken verdict where it predicts the number that was returned, and that number is
wrong. It is contradicted by a row of the same implementation, output and format that was answered right where
it predicts a plainly wrong one. One that is contradicted is refused.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.choice import DOOR, Explained, Weighing, explain
from xent_conformance.diagnosis.doors import Door, Piece, weigh_call
from xent_conformance.diagnosis.said import Call, Said
from xent_conformance.reports.run.words import FAULTS, Status, Symptom

SAMPLE = 16
"""So many conforming rows of a batch, spread over it, are held against what explains its broken ones."""


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
    weighed: list[Weighing] = []
    for of_operator, asked in _by_operator(verdicts, batches):
        called, pieces = _calls(of_operator, asked)
        doors = [Door() for _ in range(called.height)]
        for batch, output, call in pieces:
            weigh_call(batch, output, call, doors, said)
            yield []
        weighed += [
            (Explained(tuple(door), np.concatenate(w.ids), w.conforming, {}), w.weighed)
            for door, w in zip(called.iter_rows(), doors, strict=True)
            if w.ids
        ]
    yield weighed


def apart(
    verdicts: pl.LazyFrame, batches: Mapping[str, tuple[Batch, int]], said: Said
) -> Iterator[list[Piece]]:
    """The calls that :func:`weighing` would look at, a list for all that have doors in common, in its order.

    Lists are left out where of every call something is known. Of a batch there is what a saying needs.
    """
    for of_operator, asked in _by_operator(verdicts, batches):
        called, pieces = _calls(of_operator, asked)
        dtypes = called["dtype"].cast(pl.String).to_list()
        lists: defaultdict[tuple[str, str], list[Piece]] = defaultdict(list)
        for batch, output, call in pieces:
            one = replace(batch, asks=batch.asks[:1])
            lists[output, dtypes[call.door[0]]].append((one, output, call))
        yield from (of for of in lists.values() if not all(said.at(*piece)[1].names for piece in of))


def _by_operator(
    verdicts: pl.LazyFrame, batches: Mapping[str, tuple[Batch, int]]
) -> Iterator[tuple[pl.LazyFrame, dict[str, tuple[Batch, int]]]]:
    """Verdicts and places of each operator that is broken: no door has two, and all are much memory."""
    broken = verdicts.filter(pl.col("status").is_in(FAULTS)).select("operator").unique().collect()
    asked: defaultdict[str, dict[str, tuple[Batch, int]]] = defaultdict(dict)
    for case, place in batches.items():
        asked[place[0].operator][case] = place
    for operator in broken["operator"].cast(pl.String).sort():
        yield verdicts.filter(pl.col("operator") == operator), asked[operator]


def _calls(
    verdicts: pl.LazyFrame, batches: Mapping[str, tuple[Batch, int]]
) -> tuple[pl.DataFrame, list[Piece]]:
    """The doors of one operator that are explained, and what they returned, in the order of weighing."""
    of = sorted({batch.id: batch for batch, _ in batches.values()}.items())
    called = _called(verdicts)
    kept = _kept(verdicts, called, batches, [name for name, _ in of])
    output = called["output"].cast(pl.Categorical).to_physical().to_numpy()
    ids, asked, door, row, index = (
        kept[name].to_numpy().astype(np.int64) for name in ("_id", "_batch", "_door", "_row", "index")
    )
    bad = kept["_broken"].to_numpy()
    severe = bad & (kept["symptom"] != Symptom.LOST_ACCURACY.value).to_numpy()
    every = Call(ids, door, row, index, kept["got"].to_numpy(), bad, severe)
    changes = (np.diff(asked, prepend=-1) != 0) | (np.diff(output[door].astype(np.int64), prepend=-1) != 0)
    begins = np.flatnonzero(changes).tolist()
    pieces = [
        (of[asked[begin]][1], called["output"][int(door[begin])], every[begin:end])
        for begin, end in itertools.pairwise([*begins, ids.size])
    ]
    # the severe ones first: another function than the right one has to explain some of those, or is none
    return called, sorted(pieces, key=lambda piece: (not piece[2].severe.any(), -piece[2].ids.size))


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
