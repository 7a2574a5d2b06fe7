"""All commands, in one place: what is imported here is what the command line has.

Exit status 0 done, or passed · 1 the gate failed, or a plug-in has problems · 2 usage · 3 evidence incomplete
or invalid · 130 interrupted.
"""

from __future__ import annotations

from xent_conformance.commands import (
    adopt,
    ask,
    cache,
    capture,
    config,
    doctor,
    first,
    gate,
    merge,
    show,
    smoke,
    sweep,
    upgrade,
)
from xent_conformance.commands.base import EVIDENCE, FAILED, INTERRUPTED, USAGE, app

__all__ = [
    "EVIDENCE",
    "FAILED",
    "INTERRUPTED",
    "USAGE",
    "adopt",
    "app",
    "ask",
    "cache",
    "capture",
    "config",
    "doctor",
    "first",
    "gate",
    "merge",
    "show",
    "smoke",
    "sweep",
    "upgrade",
]
