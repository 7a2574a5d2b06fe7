"""``conformance doctor``: in a few seconds, what this machine can ask, and whether it answers."""

from __future__ import annotations

import contextlib
import time
from typing import Annotated

from xent_conformance.commands.base import (
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    WAITS,
    Device,
    Format,
    Formatted,
    Framework,
    Out,
    Plugin,
    ProfileName,
    app,
    ends,
    fail,
    plug_in,
    select,
    waiting,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.files import STANDARD, show
from xent_conformance.commands.where import Python, target_of

SECONDS = 60.0
"""An answer is waited for so long, where nothing else is asked for: a compiler may have to run first."""


@app.command(
    epilog=ends(
        {
            0: "whatever is installed starts and answers (right or wrong: `run` and `gate` say that)",
            2: "wrong usage",
            3: "something named is absent, does not start or does not answer, or nothing is installed",
            130: "interrupted",
        }
    )
)
def doctor(
    framework: Framework = None,
    device: Device = None,
    profile: ProfileName = "quick",
    plugin: Plugin = None,
    python: Python = None,
    timeout: Annotated[float, waiting(WAITS)] = SECONDS,
    formatted: Formatted = Format.TEXT,
    out: Out = STANDARD,
) -> None:
    """Say what can be asked here and what is missing; each device answers one call in each format.

    What is installed is said at once; a device's line comes when its framework is imported and has answered.
    Frameworks are started as `run --profile quick` would; `--profile full` starts every setting of a device.
    """
    began = time.perf_counter()
    settle()
    plug_in(plugin)
    selection = select(profile, framework, None, None, None, None, device, plugin)
    where = target_of(python, selection.frameworks)
    interpreters = where.interpreters(f.name for f in selection.chosen_frameworks())
    from xent_conformance.discovery.names import UnknownName

    try:
        seats = [seat for seat in selection.seats(interpreters) if not seat.apart]
    except UnknownName as unknown:  # an interpreter of what is not asked
        raise fail(str(unknown), USAGE) from None
    from xent_conformance.commands.examined import Examined
    from xent_conformance.commands.records import records
    from xent_conformance.reference.cache import default_cache
    from xent_conformance.reference.oracle import Oracle
    from xent_conformance.running.machine import heard

    found = Examined(selection.frameworks, selection.devices, records(seats), began=began)
    seats = found.records.first(seats)
    events = heard(seats, device or (), oracle=Oracle(default_cache()), answer_seconds=timeout)
    try:
        with contextlib.closing(events):
            show(out, formatted, lambda screen: found.show(events, screen), lambda: found.document(events))
    except KeyboardInterrupt:
        raise fail("interrupted", INTERRUPTED) from None
    if wrong := found.wrong():
        raise fail("; ".join(wrong), EVIDENCE)
