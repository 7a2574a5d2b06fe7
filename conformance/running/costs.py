"""What a run will take, before it is started: what would be asked, times what asking it has cost.

The costs are a table of measurements (``costs.json``, written by ``benchmarks/costs.py``) of one machine, and
an estimate is no more than that: it says whose machine it was, and by how much it may be wrong.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xent_conformance.asking.selection import Selection
from xent_conformance.asking.suspects import suspect
from xent_conformance.cases.case import Batch
from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import kind_of
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.sources import of_truths

SHIPPED = "xent_conformance.frameworks."
"""Where the adapters are whose frameworks are packages."""

TABLE = Path(__file__).with_name("costs.json")

WRONG_BY = 2.0
"""So many times more or less it may be, on another machine: compiling one function took 109 ms in one run of
ours and 158 ms in another."""


@dataclass(frozen=True)
class Costs:
    """The table. Seconds are of one core; ``modes``: by profile and ``seat mode``, seconds a question."""

    machine: str
    day: str
    imports: Mapping[str, float]
    modes: Mapping[str, Mapping[str, float]]
    judging: float
    """Seconds a verdict, with the search for causes."""
    certifying: float
    """Seconds an element of logits whose truth is not remembered."""
    reading: float
    """Seconds a batch whose truth is."""
    memory: Mapping[str, float]
    """Most that a worker held when it was asked little, by framework, and the suite (``suite``), in MB."""
    restart: float
    """Seconds that a lost process of an accelerator costs: PyTorch's on an H200, 16 of them on 16 cores."""
    losing: Mapping[str, Mapping[str, float]]
    """By framework and operator, which part of the suspect rows that an accelerator is asked loses one."""

    @classmethod
    def read(cls, path: Path = TABLE) -> Costs:
        """The committed table."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def start(self, seat: Seat) -> float:
        """Seconds until a worker can be asked: its import, where it was measured."""
        return self.imports.get(seat.name, 0.0)

    def of_losses(self, framework: str, suspects: Mapping[str, int]) -> float:
        """Seconds of the processes that are lost on accelerators, as their kernels assert.

        ``suspects``: by operator, how many suspect rows they are asked.
        """
        shares = self.losing.get(framework, {})
        return self.restart * sum(shares.get(operator, 0.0) * n for operator, n in suspects.items())

    def of_question(self, mode: str, profile: str) -> float | None:
        """Seconds a question of ``seat mode``, as measured in the profile or the one nearest to it.

        A variant that was not measured costs what its device without it does; None where nobody knows.
        """
        rank = Profile(profile).rank
        nearest = sorted(self.modes, key=lambda p: (abs(Profile(p).rank - rank), p))
        name, _, rest = mode.partition("[")
        plain = f"{name} {rest.rpartition('] ')[2]}" if rest else mode
        found = (self.modes[p].get(m) for m in (mode, plain) for p in nearest)
        return next((cost for cost in found if cost is not None), None)


def suspects(batch: Batch, questions: Iterable[Question]) -> dict[str, int]:
    """The suspect rows that accelerators are asked, by operator; a row is one for each question."""
    there = sum(kind_of(question.device) != "cpu" for question in questions)
    return {batch.operator: there * n} if there and (n := int(suspect(batch).sum())) else {}


UNKNOWN = 0.001
"""Seconds of a question whose mode was never measured: as a rule it is what costs little."""


AGAIN = 1 / 16
"""What a question costs beside the first of its kind, which an implementation is compiled or loaded for: of
JAX under ``jit`` a thirtieth, of TensorFlow a fortieth under XLA, a fifth when eager."""


class Weights:
    """How long batches take beside each other, by the table: to share them, not to foretell."""

    def __init__(self, profile: str, costs: Costs) -> None:
        self._costs, self._profile = costs, profile
        self._known: dict[str, float] = {}
        self._seen: set[Hashable] = set()

    def seconds(self, seat: Seat, kind: Hashable, questions: Iterable[Question]) -> float:
        """Of the worker that answers them, its start not counted. Batches of one ``kind`` come one by one."""
        found = 0.0
        for question in questions:
            of = seat.key, kind, question.implementation, question.mode, question.device
            mode = mode_of_seat(seat.key, mode_of(question))
            found += self._of(mode) * (AGAIN if of in self._seen else 1.0)
            self._seen.add(of)
        return found

    def _of(self, mode: str) -> float:
        if mode not in self._known:
            self._known[mode] = self._costs.of_question(mode, self._profile) or UNKNOWN
        return self._known[mode]


def mode_of_seat(seat: str, mode: str) -> str:
    """``torch eager``; ``torch compile`` of the seat that is for that mode alone, as a header has it."""
    return seat if seat.endswith(f" {mode}") else f"{seat} {mode}"


@dataclass(frozen=True)
class Planned:
    """What a seat would be asked. ``questions``: by mode; ``there``: whether its package is installed.

    ``suspects``: by operator, how many suspect rows accelerators would be asked.
    """

    seat: str
    framework: str
    batches: int
    questions: Mapping[str, int]
    verdicts: int
    there: bool | None
    suspects: Mapping[str, int] = field(default_factory=dict)

    def losses(self, costs: Costs) -> float:
        """Seconds of the processes that it loses: known where what the questions cost is not."""
        return costs.of_losses(self.framework, self.suspects)

    def seconds(self, costs: Costs, profile: str) -> float | None:
        """Of its worker; None where a mode was never measured."""
        each = {m: costs.of_question(mode_of_seat(self.seat, m), profile) for m in self.questions}
        if any(cost is None for cost in each.values()):
            return None
        asked = sum(n * (each[mode] or 0.0) for mode, n in self.questions.items())
        return costs.imports.get(self.framework, 0.0) + asked + self.losses(costs)


@dataclass(frozen=True)
class Estimate:
    """Seconds by the clock and least MB at a time, of what would be asked."""

    seats: tuple[Planned, ...]
    by_seat: Mapping[str, float | None]
    memory_of: Mapping[str, float | None]
    losses: Mapping[str, float]
    """Of each seat the seconds of the processes that it loses: a part of its own, where these are known."""
    own: float
    """Seconds of the suite itself: reference, judging, causes."""
    seconds: float
    memory: float
    costs: Costs
    cores: int

    @property
    def verdicts(self) -> int:
        """Of all seats that are there."""
        return sum(p.verdicts for p in self.seats if p.there is not False)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Seats whose cost nobody measured: it is left out, but for the processes that they lose."""
        return tuple(name for name, seconds in self.by_seat.items() if seconds is None)


def plan(
    selection: Selection,
    batches: Sequence[Batch],
    interpreters: Mapping[str, str],
    lacking: Collection[str] = (),
) -> list[Planned]:
    """What each seat would be asked on the devices that may be there. Starts nobody.

    ``lacking``: frameworks that the Python which is named for them has not.
    """
    found = []
    for seat in selection.seats(interpreters):
        modes: Counter[str] = Counter()
        odd: Counter[str] = Counter()
        asked = verdicts = 0
        for batch in batches:
            questions = selection.questions(seat, batch, selection.possible)
            modes.update(map(mode_of, questions))
            odd.update(suspects(batch, questions))
            asked += bool(questions)
            verdicts += len(batch.inputs) * sum(len(question.outputs) for question in questions)
        if asked:
            elsewhere = False if seat.name in lacking else None
            there = elsewhere if seat.name in interpreters else _installed(seat)
            found.append(Planned(seat.key, seat.name, asked, dict(modes), verdicts, there, dict(odd)))
    return found


def mode_of(question: Question) -> str:
    """What a question is told by: its mode, and the kind of device where it is not the CPU."""
    kind = kind_of(question.device)
    return question.mode if kind == "cpu" else f"{question.mode} on {kind}"


def _installed(seat: Seat) -> bool | None:
    """Whether the package is there; that it starts is known when it has. A plug-in may be no package."""
    try:
        version(seat.declaration.distribution)
    except PackageNotFoundError:
        return False if seat.framework.adapter.startswith(SHIPPED) else None
    return True


def remembered(batch: Batch, cache: Path) -> bool:
    """Whether the truth of a batch lies in the oracle's cache. That it is whole is known when it is read."""
    return (cache / of_truths() / f"{batch.inputs.digest}.truth").is_file()


def estimated(
    planned: Iterable[Planned],
    batches: Iterable[Batch],
    profile: str,
    costs: Costs,
    remembered: Callable[[Batch], bool],
    cores: int | None = None,
) -> Estimate:
    """What it will take. ``remembered``: whether the truth of a batch is on disk already.

    Workers run side by side: no faster than the slowest of them, nor than all of it spread over the cores.
    """
    seats, cores = tuple(planned), cores or os.cpu_count() or 1
    asked = [p for p in seats if p.there is not False]
    by_seat = {p.seat: p.seconds(costs, profile) for p in asked}
    losses = {p.seat: p.losses(costs) for p in asked}
    memory_of = {p.seat: costs.memory.get(p.framework) for p in asked}
    reference = sum(
        costs.reading if remembered(batch) else costs.certifying * batch.inputs.logits.size
        for batch in (batches if asked else ())
    )
    own = reference + costs.judging * sum(p.verdicts for p in asked)
    of_workers = [losses[seat] if seconds is None else seconds for seat, seconds in by_seat.items()]
    seconds = max(own, *of_workers, (own + sum(of_workers)) / cores) if of_workers else 0.0
    memory = costs.memory["suite"] + sum(mb or 0.0 for mb in memory_of.values())
    return Estimate(seats, by_seat, memory_of, losses, own, seconds, memory, costs, cores)


def told(estimate: Estimate, last: Mapping[str, Any] | None) -> dict[str, Any]:
    """The estimate for programs (docs/JSON.md); ``last``: the header of a run of the same questions."""
    e = estimate
    return {
        "verdicts": e.verdicts,
        "seconds": round(e.seconds, 1),
        "seconds_least": round(e.seconds / WRONG_BY, 1),
        "seconds_most": round(e.seconds * WRONG_BY, 1),
        "suite_seconds": round(e.own, 1),
        "memory_mb": round(e.memory),
        "cores": e.cores,
        "measured_on": e.costs.machine,
        "measured": e.costs.day,
        "not_measured": list(e.unknown),
        "last_seconds": None if last is None else last["seconds"]["total"],
        "last_created": "" if last is None else last["created"],
        "seats": [
            {
                "seat": p.seat,
                "installed": p.there,
                "batches": p.batches,
                "questions": dict(p.questions),
                "verdicts": p.verdicts,
                "seconds": None if (s := e.by_seat.get(p.seat)) is None else round(s, 1),
                "lost_seconds": round(e.losses.get(p.seat, 0.0), 1),
                "memory_mb": None if (m := e.memory_of.get(p.seat)) is None else round(m),
            }
            for p in e.seats
        ],
    }
