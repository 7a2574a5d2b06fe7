"""Whether a baseline that another suite has asked cannot be compared with, for that and for nothing else.

``python -m xent_conformance.versions.outgrown BASELINE.parquet RUN.parquet GATE.json`` ends with 0 where so
it is: the action asks on the default branch, whose next run is then its own baseline. Nobody else replaces
one. ``GATE.json`` is the decision against that baseline: what blocks beside is not forgotten with it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from xent_conformance.asking.selection import Selection
from xent_conformance.decision.compare import compare
from xent_conformance.decision.evidence import another_suite
from xent_conformance.devices.names import split
from xent_conformance.discovery import plugins
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import Run, called, read_run
from xent_conformance.reports.run.unusable import OtherVersion, RunFileError
from xent_conformance.reports.views.comparison import KEY, Change
from xent_conformance.reports.views.reasons import Kind

OF_THE_SUITE = (Kind.MISSING.value, Kind.NOT_COMPARABLE.value)
"""What blocks where a suite asks less than before, or other rows, or knows better what is right."""


def outgrown(baseline: Run, run: Run, blocking: Collection[str]) -> bool:
    """Whether another suite asked it, what is ``blocking`` is of the suite, and nobody else lost anything."""
    if baseline.is_slim != run.is_slim or not another_suite(baseline, run):
        return False
    return bool(blocking) and all(kind in OF_THE_SUITE for kind in blocking) and not _lost(baseline, run)


def _lost(baseline: Run, run: Run) -> bool:
    """Whether this suite, asked what it was asked then, asks any of what is missing: somebody lost it."""
    try:
        asking = [_Asking(header["selection"]) for header in baseline.headers]
    except (ValueError, TypeError, OSError):  # a name, a plug-in or a file that is not there any more
        return True
    missing = compare(called(baseline), called(run)).of(Change.MISSING)
    return any(asked.due(*row) for row in missing.select(KEY).iter_rows() for asked in asking)


class _Asking:
    """What is asked of whom by a selection of before, as this suite asks it."""

    def __init__(self, selected: Mapping[str, Any]) -> None:
        plugins.load_installed()
        for reference in selected.get("plugins", ()):
            plugins.load(reference)
        told: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in selected.items()}
        self._selection = Selection(**told)
        self._seats = self._selection.seats()
        self._known: dict[tuple[str, str, str], set[tuple[str, str, str]]] = {}

    def due(
        self, case: str, output: str, framework: str, implementation: str, mode: str, device: str
    ) -> bool:
        """Whether such a verdict is; also of whom nobody here knows, as of a plug-in that is gone."""
        if framework not in FRAMEWORKS:
            return True
        try:
            batch, _ = self._selection.find(case)
        except (LookupError, ValueError):  # a length that its family has not
            return False
        place = (batch.id, framework, device)
        if place not in self._known:
            base, variant = split(device)
            self._known[place] = {
                (question.implementation, question.mode, output)
                for seat in self._seats
                if (seat.name, seat.variant) == (framework, variant)
                for question in self._selection.questions(seat, batch, [base])
                for output in question.outputs
            }
        return (implementation, mode, output) in self._known[place]


def _of_files(before: Path, now: Path, decision: Path) -> bool:
    """The same of the files; a baseline whose form is not read any more is compared with nothing."""
    run = read_run(now)
    try:
        baseline = read_run(before)
    except OtherVersion:
        return True
    told = json.loads(decision.read_text(encoding="utf-8"))
    return outgrown(baseline, run, [r["kind"] for r in told["reasons"] if r["blocking"]])


def main() -> int:
    """The exit status; what else is wrong with a file, or a decision, is told by the gate."""
    try:
        return int(not _of_files(*map(Path, sys.argv[1:4])))
    except (RunFileError, OSError, ValueError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
