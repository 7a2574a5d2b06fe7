"""Hypotheses held against the verdicts of a run: what each explains, and what contradicts it.

A hypothesis explains a broken verdict where it predicts the number that was returned, and that number is
wrong. It is contradicted by a row of the same implementation, output and format that was answered right where
it predicts a plainly wrong one. One that is contradicted is refused.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.layer import speaks_of
from xent_conformance.diagnosis.predict import HYPOTHESES, Mask, Name, names
from xent_conformance.diagnosis.said import Call, Said
from xent_conformance.reports.run.file import TARGET
from xent_conformance.reports.run.words import FAULTS, Status, Symptom

DOOR = (*TARGET, "operator", "output", "dtype")
"""Whose verdicts are explained together: one implementation's output in one format, mode and device."""

SAMPLE = 16
"""So many conforming rows of a batch, spread over it, are held against what explains its broken ones."""


@dataclass(frozen=True)
class Weighed:
    """Of one door: which broken verdicts a hypothesis explains, and how often it is contradicted."""

    name: Name
    explained: Collection[int]
    contradicted: int
    severe: bool = True
    """Whether one of them at least is more than a loss of relative accuracy."""


@dataclass(frozen=True)
class Explained:
    """The verdicts of a door by what explains them; ``conforming`` rows were held against each."""

    door: tuple[str, ...]
    broken: int
    conforming: int
    by: Mapping[Name, frozenset[int]]


Weighing = tuple[Explained, list[Weighed]]
"""A door that is not explained yet, and what was weighed."""

_RANK = {h.name: min(o.rank for o in HYPOTHESES if o.name == h.name) for h in HYPOTHESES}


def _ranks() -> dict[tuple[str, str, str], int]:
    """How little a hypothesis supposes of one output of an operator, whatever its forms elsewhere suppose."""
    found: dict[tuple[str, str, str], int] = {}
    for h in HYPOTHESES:
        for operator, output in h.where:
            place = h.name, operator, output
            found[place] = min(h.rank, found.get(place, h.rank))
    return found


_RANK_THERE = _ranks()

LAST = 5
"""The rank of what says what comes back and not how."""

_WHO = DOOR.index("implementation")

_CHOSEN = {h.name for h in HYPOTHESES} - {h.name for h in HYPOTHESES if len(h.parameters) <= 3}
"""Whose constant is chosen among many: one number can be met by the choice alone, and says nothing."""


OTHER = {h.name for h in HYPOTHESES} - {h.name for h in HYPOTHESES if h.rounds or h.steps or h.rank <= 2}
"""Other functions than the right one: who computes them is not merely inaccurate."""


def explain(doors: Iterable[Weighing]) -> list[Explained]:
    """Every broken verdict goes to what explains most of what is left in the whole run; ties to the simplest.

    What is wrong in many implementations is told rather than what could be wrong in one.
    """
    weighed = list(doors)
    seen = Counter((e.door[_WHO], w.name) for e, found in weighed for w in found for _ in w.explained)
    parts = [
        _Part(e, {w.name: w.explained for w in found if _allowed(w, seen[e.door[_WHO], w.name])})
        for e, found in weighed
    ]
    whole = _sizes(parts)
    for part in parts:
        mine = part.sizes()
        if mine:
            rank = part.rank
            part.take(max(mine, key=lambda name: (mine[name], -rank(name), whole[name], name)))
    sizes = _sizes(parts)
    while sizes:
        best = max(
            sizes, key=lambda name: (sizes[name] > 0, _says_how(name), sizes[name], -_RANK[name], name)
        )
        if not sizes[best]:
            break
        for part in parts:
            before = part.sizes()
            if not before.get(best):
                continue
            part.take(best)
            after = part.sizes()
            for name, size in before.items():
                sizes[name] += after.get(name, 0) - size
    return [Explained(p.door.door, p.door.broken, p.door.conforming, p.by) for p in parts]


def _says_how(name: str) -> bool:
    """What does not is told last of what a door has left, however much it explains elsewhere."""
    return _RANK[name] < LAST


def _sizes(parts: Iterable[_Part]) -> dict[str, int]:
    """How many verdicts each hypothesis explains in all of them."""
    sizes: dict[str, int] = {}
    for part in parts:
        for name, size in part.sizes().items():
            sizes[name] = sizes.get(name, 0) + size
    return sizes


def _allowed(w: Weighed, seen: int) -> bool:
    """Not contradicted; seen where rounding alone is no explanation, if it is another function; and ``seen``
    more than once in all that the implementation returned, if its constant is chosen."""
    severe = w.severe or w.name[0] not in OTHER
    return not w.contradicted and severe and bool(w.explained) and seen > (w.name[0] in _CHOSEN)


class _Part:
    """A door while it is explained: what is left of each hypothesis, in the arithmetic that explains most."""

    def __init__(self, door: Explained, found: Mapping[Name, Collection[int]]) -> None:
        self.door = door
        self.left = {name: set(ids) for name, ids in found.items()}
        self.by: dict[Name, frozenset[int]] = {}

    def sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (name, _), ids in self.left.items():
            found[name] = max(found.get(name, 0), len(ids))
        return {name: size for name, size in found.items() if size}

    def rank(self, name: str) -> int:
        """The rank of the simplest form that this output has of a hypothesis."""
        operator, output = (self.door.door[DOOR.index(column)] for column in ("operator", "output"))
        there = (
            _RANK_THERE.get((name, *place)) for place in ((operator, output), speaks_of(operator, output))
        )
        return min((rank for rank in there if rank is not None), default=_RANK[name])

    def take(self, name: str) -> None:
        mine = max((n for n in self.left if n[0] == name), key=lambda n: (len(self.left[n]), n))
        taken = self.left.pop(mine)
        self.by[mine] = frozenset(taken)
        for ids in self.left.values():
            ids -= taken


@dataclass
class _Door:
    """What has been weighed so far."""

    broken: int = 0
    conforming: int = 0
    explained: dict[Name, list[int]] = field(default_factory=dict)
    """No verdict is in two calls, so none is there twice; sets of them would be four times as large."""
    contradicted: set[Name] = field(default_factory=set)
    of_severe: set[Name] = field(default_factory=set)
    """What explains one of those that are severe."""

    @property
    def weighed(self) -> list[Weighed]:
        return [
            Weighed(name, ids, int(name in self.contradicted), name in self.of_severe)
            for name, ids in self.explained.items()
        ]


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
    of = {batch.id: batch for batch, _ in batches.values()}
    kept = _kept(verdicts, batches)
    called = kept.select(DOOR).unique(maintain_order=True).with_row_index("_door")
    doors = [_Door() for _ in range(called.height)]
    kept = kept.join(called, on=DOOR, how="left", maintain_order="left")
    ids, door, row, index = (
        kept[name].to_numpy().astype(np.int64) for name in ("_id", "_door", "_row", "index")
    )
    bad = kept["_broken"].to_numpy()
    severe = bad & (kept["symptom"] != Symptom.LOST_ACCURACY.value).to_numpy()
    every = Call(ids, door, row, index, kept["got"].to_numpy(), bad, severe)
    calls = kept.with_row_index("_first").group_by("_batch", "output", maintain_order=True)
    found = [
        (of[batch], output, every[first : first + size])
        for batch, output, first, size in calls.agg(pl.first("_first"), pl.len()).iter_rows()
    ]
    # the severe ones first: another function than the right one has to explain some of those, or is none
    for batch, output, call in sorted(found, key=lambda c: (not c[2].severe.any(), -c[2].ids.size)):
        _weigh_call(batch, output, call, doors, said)
        yield []
    yield [
        (Explained(tuple(door), w.broken, w.conforming, {}), w.weighed)
        for door, w in zip(called.select(DOOR).iter_rows(), doors, strict=True)
    ]


def _kept(verdicts: pl.LazyFrame, batches: Mapping[str, tuple[Batch, int]]) -> pl.DataFrame:
    """The broken rows that were returned, and of the same batches some that conform."""
    kinds = verdicts.collect_schema()
    broken = pl.col("status").is_in(FAULTS)
    graded = ~pl.col("symptom").is_in([s.value for s in NOT_COMPUTED])
    places = pl.DataFrame(
        [(case, batch.id, row) for case, (batch, row) in batches.items()],
        schema={"case": kinds["case"], "_batch": pl.String, "_row": pl.Int64},
        orient="row",
    )
    # numbers for words while rows are counted: as texts they are much of a run's memory
    numbered = {f"_{name}": pl.col(name).cast(pl.Categorical).to_physical() for name in DOOR}
    call = (*numbered, "_batch")
    place = pl.int_range(pl.len()).over(*call, "_broken")
    of = pl.len().over(*call, "_broken")
    spread = (place * SAMPLE // of != (place - 1) * SAMPLE // of) | (of <= SAMPLE)
    returned = verdicts.filter(pl.col("outcome") == "returned", graded)
    faulty = returned.filter(broken).select(**numbered).unique()
    return (
        returned.filter(broken | (pl.col("status") == Status.CONFORMS.value))
        .select("_id", "case", "index", "got", "symptom", "status", **numbered)
        .join(faulty, on=list(numbered), how="semi", maintain_order="left")
        .join(places.lazy(), on="case", how="inner", maintain_order="left")
        .with_columns(_broken=broken)
        .filter(pl.col("_broken").any().over(call))
        .filter(pl.col("_broken") | spread)
        .join(verdicts.select("_id", *DOOR), on="_id", how="left", maintain_order="left")
        .sort("_batch", "output", *DOOR, maintain_order=True)
        .select("_id", *DOOR, "_batch", "_row", "index", "got", "symptom", "_broken")
        .collect()
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
    parts = [slice(*ends) for ends in itertools.pairwise([*begins.tolist(), call.ids.size])]
    mine = [doors[i] for i in call.door[begins]]
    for door, here in zip(mine, parts, strict=True):
        broken = int(call.bad[here].sum())
        door.broken += broken
        door.conforming += call.bad[here].size - broken
    numbers = call.ids.tolist()  # once: a number that is in many lists is one
    for saying in said.of(batch, output, call, _wanted(names(batch.inputs, output), call, mine)):
        for k in np.flatnonzero(np.logical_or.reduceat(saying.contradicted, begins)):
            mine[k].contradicted.add(saying.name)
        for k in np.flatnonzero(np.logical_or.reduceat(saying.met, begins)):
            here = parts[k]
            _explained(mine[k], saying.name, saying.met[here], call.severe[here], numbers[here])


def _wanted(asked: Iterable[Name], call: Call, doors: Collection[_Door]) -> list[Name]:
    """What may still explain something: see :func:`_allowed`."""
    refused = set.intersection(*(door.contradicted for door in doors))
    left = [name for name in asked if name not in refused]
    if call.severe.any():
        return left
    seen = set[Name]().union(*(door.of_severe for door in doors))
    return [name for name in left if name[0] not in OTHER or name in seen]


def _explained(door: _Door, name: Name, met: Mask, severe: Mask, numbers: Sequence[int]) -> None:
    """Of a door's rows in a call those are explained that are ``met``; ``numbers``: their ids."""
    if name not in door.contradicted:
        door.explained.setdefault(name, []).extend(itertools.compress(numbers, met))
        if (met & severe).any():
            door.of_severe.add(name)
