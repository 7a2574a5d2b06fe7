"""The command line; its commands are in :mod:`xent_conformance.commands`.

Exit status 0 done, or passed · 1 the gate failed, or a plug-in has problems · 2 usage · 3 evidence incomplete
or invalid · 130 interrupted.
"""

from __future__ import annotations

import sys

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
from xent_conformance.commands.plain import make_plain

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
    "main",
    "merge",
    "show",
    "smoke",
    "sweep",
    "upgrade",
]


def main() -> None:
    """Entry point of the ``conformance`` script."""
    make_plain(sys.stdout, sys.stderr)
    app()


if __name__ == "__main__":
    main()
