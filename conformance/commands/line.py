"""All commands, in one place: what is imported here is what the command line has.

Exit status 0 done, or passed · 1 the gate failed, or a plug-in has problems · 2 usage · 3 evidence incomplete
or invalid · 130 interrupted.
"""

from __future__ import annotations

# in this order `--help` tells them
# isort: off
from xent_conformance.commands import (
    adopt,
    first,
    run,
    explain,
    search,
    capture,
    config,
    doctor,
    gate,
    merge,
    show,
    smoke,
    sweep,
    upgrade,
    cache,
)

# isort: on
from xent_conformance.commands.base import EVIDENCE, FAILED, INTERRUPTED, USAGE, app

__all__ = [
    "EVIDENCE",
    "FAILED",
    "INTERRUPTED",
    "USAGE",
    "adopt",
    "app",
    "cache",
    "capture",
    "config",
    "doctor",
    "explain",
    "first",
    "gate",
    "merge",
    "run",
    "search",
    "show",
    "smoke",
    "sweep",
    "upgrade",
]
