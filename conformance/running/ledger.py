"""What is known of a run while it goes on: who is there, what is finished, where the time went."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from xent_conformance.asking.answer import Answer
from xent_conformance.discovery.framework import Seat
from xent_conformance.running.distances import Distances

Seconds = defaultdict[str, float]


def _no_seconds() -> Seconds:
    return defaultdict(float)


@dataclass
class Ledger:
    """By seat, what was ``planned`` and ``finished``, in batches, and what its connection said of itself."""

    planned: dict[str, int]
    finished: Counter[str] = field(default_factory=Counter)
    hellos: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    absent: list[dict[str, str]] = field(default_factory=list)
    not_installed: list[dict[str, str]] = field(default_factory=list)
    """Frameworks that nobody asked for by name: what is installed is asked, and that is all of it."""
    starts: dict[str, int] = field(default_factory=dict)
    distances: Distances = field(default_factory=Distances)
    seconds: Seconds = field(default_factory=_no_seconds)
    spent: dict[str, Seconds] = field(default_factory=dict)
    """Seconds of compile and kernels by ``seat mode``."""
    began: float | None = None
    """When, by :func:`time.perf_counter`, if the run is what took the time."""

    def started(self, seat: str, hello: Mapping[str, Any]) -> None:
        """The seat is there. Of several workers it is the first that says how long an import takes."""
        if not self.hellos.get(seat, {}).get("import_s"):
            self.hellos[seat] = hello
        self.seconds["import"] += hello["import_s"]

    def gone(self, seat: Seat, message: str, lacks: str = "", *, named: bool, broken: bool) -> None:
        """The seat cannot be asked; ``named``: its framework was, by name; ``broken``: though it is there."""
        gap = {"framework": seat.device(seat.name), "message": message, "install": seat.install(lacks)}
        told = self.absent
        if not named and (seat.framework.optional or not broken):
            told = self.not_installed
            del self.planned[seat.key], self.finished[seat.key]
        if gap not in told:  # a seat beside it may have said so
            told.append(gap)

    def spend(self, seat: Seat, answers: Sequence[Answer]) -> None:
        """What the answers took."""
        for answer in answers:
            spent = self.spent.setdefault(f"{seat.device(seat.name)} {answer.question.mode}", _no_seconds())
            for what, seconds in (("compile", answer.compile_s), ("kernels", answer.kernel_s)):
                self.seconds[what] += seconds
                spent[what] += seconds

    def over(self) -> None:
        """All is done that takes time."""
        if self.began is not None:
            self.seconds["total"] = time.perf_counter() - self.began

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Count the seconds of a block as spent on ``what``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] += time.perf_counter() - start
