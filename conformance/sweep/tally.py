"""What was counted over points: grades, a histogram of ulps, the largest error, what is charged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from xent_conformance.reports.run.words import GRADED, SYMPTOMS, Symptom
from xent_conformance.reports.text.numbers import shortest

Charge = tuple[str, str]
"""A clause and a symptom."""


@dataclass(frozen=True)
class Place:
    """An error and where it is: ulps, the point, the element of it, and what came back."""

    ulps: float
    point: int
    element: int
    got: float

    def worse_than(self, other: Place | None) -> bool:
        """Of equal errors the first is kept, in whatever order they come."""
        if other is None:
            return True
        return (self.ulps, -self.point, -self.element) > (other.ulps, -other.point, -other.element)


@dataclass
class Charged:
    """How many elements break a clause in one way, and the worst of them."""

    count: int
    worst: Place

    def add(self, other: Charged) -> None:
        self.count += other.count
        if other.worst.worse_than(self.worst):
            self.worst = other.worst


@dataclass
class Tally:
    """Of one output. ``elements`` are all that were asked; ``open`` those that nobody judges.

    ``grades``: a number for each of :data:`GRADED`. ``histogram``: of elements that are neither exact nor
    faithful, by ``floor(log2 ulps)``. ``worst``: the largest error of a number where a number is right.
    ``looked_up``: elements that the ball reference decided.
    """

    elements: int = 0
    open: int = 0
    looked_up: int = 0
    grades: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GRADED, 0))
    histogram: dict[int, int] = field(default_factory=dict)
    charges: dict[Charge, Charged] = field(default_factory=dict)
    worst: Place | None = None

    @property
    def judged(self) -> int:
        """Elements that have a grade."""
        return sum(self.grades.values())

    def note(self, place: Place) -> None:
        """An error that may be the largest."""
        if place.worse_than(self.worst):
            self.worst = place

    def charge(self, clause: str, symptom: Symptom, charged: Charged) -> None:
        """Elements that break a clause."""
        there = self.charges.setdefault((clause, symptom.value), charged)
        if there is not charged:
            there.add(charged)

    def add(self, other: Tally) -> None:
        """Count what ``other`` has counted."""
        self.elements += other.elements
        self.open += other.open
        self.looked_up += other.looked_up
        for grade, count in other.grades.items():
            self.grades[grade] += count
        for power, count in other.histogram.items():
            self.histogram[power] = self.histogram.get(power, 0) + count
        for (clause, symptom), charged in other.charges.items():
            self.charge(clause, Symptom(symptom), Charged(charged.count, charged.worst))
        if other.worst is not None:
            self.note(other.worst)

    def as_dict(self, dtype: str) -> dict[str, Any]:
        """For JSON, and back by :meth:`of`: numbers of the format as text, null for infinitely many ulps."""
        return {
            "elements": self.elements,
            "open": self.open,
            "looked_up": self.looked_up,
            "grades": dict(self.grades),
            "histogram": {str(power): self.histogram[power] for power in sorted(self.histogram)},
            "worst": _place(self.worst, dtype),
            "charges": [
                {"clause": clause, "symptom": symptom, "count": c.count, "worst": _place(c.worst, dtype)}
                for (clause, symptom), c in sorted(self.charges.items())
            ],
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The tally that :meth:`as_dict` told. Raises ValueError, KeyError or TypeError for anything else."""
        if set(told["grades"]) != set(GRADED):
            raise ValueError("not the grades of this suite")
        charges = {}
        for c in told["charges"]:
            worst = _of_place(c["worst"])
            if worst is None or c["symptom"] not in SYMPTOMS:
                raise ValueError("not a charge of this suite")
            charges[c["clause"], c["symptom"]] = Charged(int(c["count"]), worst)
        return cls(
            int(told["elements"]),
            int(told["open"]),
            int(told["looked_up"]),
            {grade: int(count) for grade, count in told["grades"].items()},
            {int(power): int(count) for power, count in told["histogram"].items()},
            charges,
            _of_place(told["worst"]),
        )


def _place(place: Place | None, dtype: str) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "ulps": place.ulps if math.isfinite(place.ulps) else None,
        "point": place.point,
        "element": place.element,
        "got": shortest(place.got, dtype),
    }


def _of_place(told: Mapping[str, Any] | None) -> Place | None:
    if told is None:
        return None
    ulps = math.inf if told["ulps"] is None else float(told["ulps"])
    return Place(ulps, int(told["point"]), int(told["element"]), float(told["got"]))
