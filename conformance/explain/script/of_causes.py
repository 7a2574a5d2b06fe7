"""A script for each cause of a run: its worst answer, asked again of the framework that gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from xent_conformance.asking.connection import Connection, FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import connect
from xent_conformance.cases.corpus import find_case
from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import split
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.names import UnknownName
from xent_conformance.discovery.seats import seats
from xent_conformance.explain.script.showing import door_of, shown_by
from xent_conformance.explain.script.write import written
from xent_conformance.explain.wanted import Refused
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.causes import Cause, causes


def scripts(run: Run) -> Mapping[str, str]:
    """By the id of a cause, the script that shows its worst answer; of those that one can be written for.

    Frameworks that are not here, or are here in another version, are left out: a script shows what was
    returned in the run. A worker is started once for all causes of its framework and variant.
    """
    every = causes(run)
    by_seat: dict[tuple[str, str], list[Cause]] = {}
    for cause in every:
        by_seat.setdefault((cause.framework, split(cause.device)[1]), []).append(cause)
    versions = {(f["framework"], f["version"]) for h in run.headers for f in h["frameworks"]}
    found: dict[str, str] = {}
    for (framework, _), mine in by_seat.items():
        with _worker(framework, mine[0].device) as (seat, connection):
            if seat is None or connection is None or (framework, connection.hello["version"]) not in versions:
                continue
            found |= _written(seat, connection, mine)
    return {cause.id: found[cause.id] for cause in every if cause.id in found}


@contextmanager
def _worker(framework: str, device: str) -> Iterator[tuple[Seat | None, Connection | None]]:
    """The seat and its worker, closed at the end; nothing where there is none."""
    seat = (
        next(iter(seats(FRAMEWORKS[framework], [device], Profile.FULL)), None)
        if framework in FRAMEWORKS
        else None
    )
    connection = None
    try:
        connection = connect(seat) if seat else None
    except (FrameworkAbsent, WorkerLost):
        seat = None
    try:
        yield seat, connection
    finally:
        if connection is not None:
            connection.close()


def _written(seat: Seat, connection: Connection, mine: Sequence[Cause]) -> dict[str, str]:
    found = {}
    for c in mine:
        try:
            batch, case = find_case(c.worst)
            _, door = door_of(batch, c.implementation, c.framework)
            found[c.id] = written(shown_by(connection, seat, door, batch, case, c.mode, c.device, c.output))
        except (Refused, UnknownName, LookupError):
            continue  # no script shows it, or this suite has the case no more: the page has the command
        except WorkerLost:
            connection.restart()
    return found
