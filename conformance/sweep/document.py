"""What a sweep has found, as a document: what was asked of whom, how much of it, tallies, the true maximum.

Parts of one sweep are merged into the whole; only the whole is called exhaustive.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xent_conformance.judging.numbered import STATUS
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.text.numbers import exact, shortest
from xent_conformance.running.keeping import Occupied
from xent_conformance.sweep.finer import looked_up
from xent_conformance.sweep.ground import Ground, grounds
from xent_conformance.sweep.plan import Plan, chunks
from xent_conformance.sweep.tally import Place, Tally

EXHAUSTIVE, PARTIAL = "exhaustive", "partial"

Part = tuple[int | None, str]
"""A hard label, or None where there is none, and an output."""


class NoSweep(ValueError):
    """Documents that are none of ours, or no parts of one sweep; the message says which, and why."""


@dataclass(frozen=True)
class Swept:
    """Tallies of some chunks. ``asked`` and ``answered``: what must be equal in all parts of one sweep."""

    asked: Mapping[str, Any]
    answered: Mapping[str, Any]
    chunks: tuple[int, ...]
    tallies: Mapping[Part, Tally]
    seconds: Mapping[str, float]

    @property
    def grounds(self) -> list[Ground]:
        return grounds(self.asked["operator"], self.asked["dtype"], tuple(self.asked["labels"]))

    @property
    def of(self) -> int:
        """Points of the whole sweep."""
        return sum(ground.points for ground in self.grounds)

    @property
    def points(self) -> int:
        """Points that were asked."""
        every = chunks(self.grounds, self.asked["size"])
        return sum(every[number].stop - every[number].start for number in self.chunks)

    @property
    def exhaustive(self) -> bool:
        """Whether every point was asked, and every tally has counted every element."""
        width = 2 if self.grounds[0].pairs else 1
        due = self.grounds[0].points * width
        return self.points == self.of and all(t.elements == due for t in self.tallies.values())

    def as_dict(self) -> dict[str, Any]:
        """The document (docs/JSON.md)."""
        dtype = self.asked["dtype"]
        return {
            "word": EXHAUSTIVE if self.exhaustive else PARTIAL,
            "exhaustive": self.exhaustive,
            "points": self.points,
            "of": self.of,
            "asked": dict(self.asked),
            "answered": dict(self.answered),
            "chunks": _ranges(self.chunks),
            "seconds": {name: round(spent, 3) for name, spent in self.seconds.items()},
            "parts": [
                {
                    "label": label,
                    "output": output,
                    **tally.as_dict(dtype),
                    "maximum": self._maximum(label, output, tally.worst),
                    "broken": [
                        {
                            "clause": broken,
                            "level": clause(broken).level.value,
                            "status": STATUS[clause(broken).level].value,
                            "symptom": symptom,
                            "count": charged.count,
                            "at": self._at(label, output, charged.worst),
                        }
                        for (broken, symptom), charged in sorted(tally.charges.items())
                    ],
                }
                for (label, output), tally in self.tallies.items()
            ],
        }

    def _maximum(self, label: int | None, output: str, worst: Place | None) -> dict[str, Any] | None:
        return None if worst is None else self._at(label, output, worst)

    def _at(self, label: int | None, output: str, place: Place) -> dict[str, Any]:
        """A point: its bits and numbers, what came back, and what is right by the ball reference."""
        (ground,) = (g for g in self.grounds if g.label == (label or 0))
        own = ground.logits(place.point, place.point + 1)
        dtype = ground.format.name
        with np.errstate(all="ignore"):
            x = own.astype(np.float64)
            got = np.full(own.shape, place.got, dtype=ground.format.dtype)
            measured, yardstick = looked_up(ground, output, x, got)
        i, ulps = place.element, float(measured.ulps[place.element])
        truth = yardstick.exact
        right = (float(truth.hi[0, i]), float(truth.lo[0, i]), int(truth.exponent[0, i]))
        return {
            "bits": ground.pattern(place.point),
            "logits": [shortest(float(v), dtype) for v in x.ravel()],
            "element": i,
            "got": shortest(place.got, dtype),
            "right": shortest(float(yardstick.rounded[0, i]), dtype),
            "exact": exact(*right, digits=20),
            "ulps": ulps if math.isfinite(ulps) else None,
        }


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    """``[[0, 3], [5, 5]]`` of 0, 1, 2, 3 and 5."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def document(plan: Plan, answered: Mapping[str, Any], done: Mapping[int, Mapping[str, Any]]) -> Swept:
    """What a journal has counted."""
    every = plan.chunks
    tallies: dict[Part, Tally] = {
        (ground.label if ground.labelled else None, output): Tally()
        for ground in plan.grounds
        for output in plan.outputs
    }
    seconds: dict[str, float] = {}
    for number, told in sorted(done.items()):
        ground = every[number].ground
        for output in plan.outputs:
            part = ground.label if ground.labelled else None, output
            tallies[part].add(Tally.of(told["parts"][output]))
        for name, spent in told["seconds"].items():
            seconds[name] = seconds.get(name, 0.0) + spent
    return Swept(
        json.loads(json.dumps(plan.asked)), json.loads(json.dumps(answered)), tuple(done), tallies, seconds
    )


def read(path: Path) -> Swept | None:
    """The sweep that a document tells; None where it is none of this version's."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        tallies = {(part["label"], part["output"]): Tally.of(part) for part in told["parts"]}
        numbers = tuple(n for first, last in told["chunks"] for n in range(first, last + 1))
        found = Swept(told["asked"], told["answered"], numbers, tallies, told["seconds"])
        return found if found.points == told["points"] and tallies else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def check(out: Path, asked: Mapping[str, Any], chunks: Set[int]) -> None:
    """Raise Occupied unless ``out`` is free, or has none but these chunks of the same sweep."""
    if not out.exists():
        return
    there = read(out)
    words = "stays as it is: name another file, or add --force to write over it"
    if there is None:
        raise Occupied(f"{out} is no sweep of this version, and {words}")
    same = {name: there.asked.get(name) for name in asked} == asked
    if not same or not set(there.chunks) <= chunks:
        raise Occupied(f"{out} is another sweep, or more of it, and {words}")


def merge(paths: Sequence[Path]) -> Swept:
    """The whole of its parts. Raises :class:`NoSweep` for a gap, an overlap, or parts of another sweep."""
    parts = []
    for path in paths:
        found = read(path)
        if found is None:
            raise NoSweep(f"{path} is no sweep of this version")
        parts.append(found)
    first, seen = parts[0], dict.fromkeys(parts[0].chunks, paths[0])
    total = {part: Tally() for part in first.tallies}
    seconds: dict[str, float] = {}
    for path, found in zip(paths, parts, strict=True):
        for what, then, now in (
            ("asked", first.asked, found.asked),
            ("answered", first.answered, found.answered),
        ):
            if then != now:
                names = ", ".join(sorted(n for n in {*then, *now} if then.get(n) != now.get(n)))
                raise NoSweep(f"{path} is of another sweep than {paths[0]}: {what} differs in {names}")
        for number in found.chunks if found is not first else ():
            if number in seen:
                raise NoSweep(f"{path} overlaps {seen[number]}: both have chunk {number}")
            seen[number] = path
        for part, tally in found.tallies.items():
            total[part].add(tally)
        for name, spent in found.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + spent
    whole = Swept(first.asked, first.answered, tuple(sorted(seen)), total, seconds)
    if not whole.exhaustive:
        due = len(chunks(whole.grounds, whole.asked["size"]))
        missing = _ranges(sorted(set(range(due)) - set(seen)))
        told = ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in missing[:5])
        more = " and more" if len(missing) > 5 else ""
        raise NoSweep(f"there is a gap: chunks {told}{more} of {due} are in no part")
    return whole
