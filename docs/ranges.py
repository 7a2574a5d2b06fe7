"""In which of several versions each waiver of the suite holds: the range that its ``versions`` should name.

``python -m docs.ranges RUN.parquet …`` prints for each waiver whose framework was run the versions in which
every witness that was asked fails with its signature, and those in which one does not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from xent_conformance.decision.gate import marked_faults
from xent_conformance.decision.waivers import Waiver, known_files, read_waivers
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.views.waivers import State


@dataclass(frozen=True)
class Held:
    """Of one waiver: the versions in which it accepts, and those in which it does not hold, oldest first."""

    waiver: Waiver
    accepts: tuple[str, ...]
    not_there: tuple[str, ...]


def held(runs: Sequence[Run]) -> list[Held]:
    """What became of every waiver in every version, whatever range it names."""
    waivers = read_waivers(known_files())
    states: dict[str, dict[str, State]] = {w.name: {} for w in waivers}
    anywhere = [replace(w, versions=SpecifierSet("")) for w in waivers]
    for run in runs:
        versions = {f["framework"]: f["version"] for h in run.headers for f in h["frameworks"]}
        for judged in marked_faults(run, anywhere)[1]:
            if judged.waiver.framework in versions:
                states[judged.waiver.name][versions[judged.waiver.framework]] = judged.state
    return [_held(w, states[w.name]) for w in waivers if states[w.name]]


def _held(waiver: Waiver, states: dict[str, State]) -> Held:
    def those(*wanted: State) -> tuple[str, ...]:
        return tuple(sorted((v for v, state in states.items() if state in wanted), key=Version))

    return Held(
        waiver, those(State.ACCEPTS, State.WORSENED), those(State.STALE, State.UNMATCHED, State.BETTER)
    )


if __name__ == "__main__":
    for found in held([read_run(Path(name)) for name in sys.argv[1:]]):
        there = ", ".join(found.accepts) or "none"
        gone = f"; not in {', '.join(found.not_there)}" if found.not_there else ""
        print(f"{found.waiver.name} ({found.waiver.versions}): accepts in {there}{gone}")
