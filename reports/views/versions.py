"""What a table over versions holds: made by the floor above from run files, shown by the renderers here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xent_conformance.reports.run.words import NAIVE
from xent_conformance.reports.text.numbers import NOTHING
from xent_conformance.reports.text.wording import Answer


@dataclass(frozen=True)
class Cell:
    """One implementation in one version: verdicts by what they are, and what changed.

    ``worst``: the largest error in ulps on the family ``ordinary``, by format. Of the ``compared`` verdicts,
    ``changed`` have other bits (or another outcome) than in the version before, ``regressed`` are worse and
    ``fixed`` better; None in the first version.
    """

    verdicts: int
    must: int
    should: int
    unsupported: int
    worst: Mapping[str, float]
    changed: int | None
    compared: int | None
    regressed: int | None
    fixed: int | None


@dataclass(frozen=True)
class Line:
    """One implementation over the versions; None where it was not answered."""

    implementation: str
    formulation: str
    cells: tuple[Cell | None, ...]

    @property
    def control(self) -> bool:
        """A naive formulation, asked for comparison and counted apart."""
        return self.formulation == NAIVE

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Formats in which any version has an error on ordinary rows."""
        return tuple(sorted({d for c in self.cells if c is not None for d in c.worst}))

    def worst(self, dtype: str) -> tuple[float | None, ...]:
        """The largest error in ulps in each version; None where none was measured."""
        return tuple(None if c is None else c.worst.get(dtype) for c in self.cells)


@dataclass(frozen=True)
class Lifetime:
    """One finding over the versions: how many verdicts have it in each; None where nothing was answered.

    ``steady``: every version has it in the very same verdicts; as many are not enough. ``case`` and
    ``answer`` are of its worst verdict in the last version that has it.
    """

    implementation: str
    operator: str
    output: str
    clause: str
    level: str
    symptom: str
    formulation: str
    counts: tuple[int | None, ...]
    case: str
    answer: Answer
    steady: bool

    @property
    def first(self) -> int:
        """Index of the first version that has it."""
        return next(i for i, n in enumerate(self.counts) if n)

    @property
    def gone(self) -> int | None:
        """Index of the first version after the last that has it; None where the newest has it."""
        last = max(i for i, n in enumerate(self.counts) if n)
        return None if last == len(self.counts) - 1 else last + 1

    @property
    def control(self) -> bool:
        """Whether it is of a naive formulation."""
        return self.formulation == NAIVE


@dataclass(frozen=True)
class Step:
    """From one version to the next, over what users call: verdicts, and findings that came and went.

    ``came`` findings were in no version before, ``must`` of them by a must clause; ``went``: in none since.
    """

    before: str
    now: str
    compared: int
    changed: int
    regressed: int
    fixed: int
    came: int
    must: int
    went: int


@dataclass(frozen=True)
class Versions:
    """The same questions to several versions of a framework, oldest first.

    ``environments``: of each version what its worker said of itself. ``complete``: whether each finished.
    """

    framework: str
    versions: tuple[str, ...]
    environments: tuple[Mapping[str, str], ...]
    complete: tuple[bool, ...]
    profile: str
    date: str
    command: str
    lines: tuple[Line, ...]
    lifetimes: tuple[Lifetime, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every version but the first, against the one before it."""
        return tuple(self._step(i) for i in range(1, len(self.versions)))

    def _step(self, i: int) -> Step:
        cells = [c for line in self.lines if not line.control for c in [line.cells[i]] if c is not None]
        lives = [life for life in self.lifetimes if not life.control]
        came = [life for life in lives if life.first == i]
        return Step(
            before=self.versions[i - 1],
            now=self.versions[i],
            compared=sum(c.compared or 0 for c in cells),
            changed=sum(c.changed or 0 for c in cells),
            regressed=sum(c.regressed or 0 for c in cells),
            fixed=sum(c.fixed or 0 for c in cells),
            came=len(came),
            must=sum(life.level == "must" for life in came),
            went=sum(life.gone == i for life in lives),
        )

    def since(self, life: Lifetime) -> str:
        """Where a finding was first seen, in words."""
        name = self.versions[life.first]
        return f"{name} or before" if life.first == 0 else name

    def until(self, life: Lifetime) -> str:
        """Where it was gone; a dash where it is still there."""
        return NOTHING if life.gone is None else self.versions[life.gone]

    def story(self, life: Lifetime) -> str:
        """When it came and went, in words."""
        came = f"new in {self.versions[life.first]}" if life.first else ""
        went = f"gone in {self.until(life)}" if life.gone is not None else ""
        as_many = len(set(life.counts)) == 1
        there = "in other verdicts, as many" if as_many else "in more or fewer verdicts"
        return ", ".join(filter(None, [came, went])) or there

    @property
    def moved(self) -> tuple[Lifetime, ...]:
        """Findings that are not the same in every version."""
        return tuple(f for f in self.lifetimes if not f.steady)
