"""What pip has installed, by the records of a Python: known in a moment, before any framework is imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from xent_conformance.commands.listing import NOT_HERE, variants
from xent_conformance.discovery.framework import Seat
from xent_conformance.reports.terminal.screen import block, say
from xent_conformance.reports.text.wording import joined
from xent_conformance.running.machine import described
from xent_conformance.versions.elsewhere import installed

CPU = "cpu"

CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
"""Where builds of torch without CUDA are; a version there (``+cpu``) comes before the same of PyPI."""


@dataclass(frozen=True)
class Records:
    """By framework of the suite; of a plug-in nobody knows what it imports, and there is none."""

    there: Mapping[str, str] = field(default_factory=dict)
    """All packages that it needs are there; its version, where the records have one."""
    away: Mapping[str, str] = field(default_factory=dict)
    """Some are not; the line that installs it."""
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of those that are there, what the CPU can be told beside what is started."""

    def first(self, seats: Sequence[Seat]) -> list[Seat]:
        """The same seats, those last that will hardly start."""
        return sorted(seats, key=lambda seat: seat.name in self.away)

    def show(self, console: Console) -> None:
        """The machine, what is there, and what gets the rest."""
        say(console, described())
        for title, lines in (
            (
                "pip has installed, and is started now; settings of its CPU to name with --device",
                self._there(),
            ),
            (
                "pip has not installed",
                [*(f"{n}: {line}" for n, line in self.away.items()), *self._builds(sys.platform)],
            ),
        ):
            if lines:
                block(console, title, [("", line) for line in lines])

    def _builds(self, system: str) -> list[str]:
        """How torch is had without CUDA, where a line would install it and pip may take it with CUDA."""
        brings = any("torch" in line.split() for line in self.away.values()) and "torch" not in self.there
        if not brings or system != "linux":
            return []
        return [
            f"torch from PyPI may bring CUDA, gigabytes; its build for a CPU: --extra-index-url {CPU_BUILDS}"
        ]

    def _there(self) -> list[str]:
        """``torch 2.13.0+cpu: cpu[isa=default], cpu[isa=avx2]``."""
        named = {name: f"{name} {version}".rstrip() for name, version in self.there.items()}
        return [joined(": ", [named[n], ", ".join(self.settings.get(n, ()))]) for n in named]


def records(seats: Sequence[Seat]) -> Records:
    """Of the frameworks of these seats, each in the Python that it will be asked of."""
    started = {seat.key for seat in seats}
    asked: dict[str, Seat] = {}
    for seat in seats:
        if seat.framework.shipped:
            asked.setdefault(seat.name, seat)
    names: dict[str, list[str]] = {}
    for seat in asked.values():
        needs = (*seat.framework.distributions, seat.declaration.distribution)
        names.setdefault(seat.interpreter, []).extend(needs)
    has = {python: installed(python, of) for python, of in names.items()}  # a process each, and no more
    there, away, settings = dict[str, str](), dict[str, str](), dict[str, Sequence[str]]()
    for name, seat in asked.items():
        found = has[seat.interpreter]
        if found.keys() >= set(seat.framework.distributions):
            there[name] = found.get(seat.declaration.distribution, "")
            told = variants(seat.framework, [CPU], started)
            settings[name] = [r["device"] for r in told if not r["setting"].endswith(NOT_HERE)]
        else:
            away[name] = seat.install()
    return Records(there, away, settings)
