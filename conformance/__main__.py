"""The command line; its commands are in :mod:`xent_conformance.commands`.

Exit status 0 done, or passed · 1 the gate failed, or a plug-in has problems · 2 usage · 3 evidence incomplete
or invalid · 130 interrupted.
"""

from __future__ import annotations

from xent_conformance.commands import adopt, ask, capture, first, gate, show, upgrade
from xent_conformance.commands.base import EVIDENCE, FAILED, INTERRUPTED, USAGE, app

__all__ = [
    "EVIDENCE",
    "FAILED",
    "INTERRUPTED",
    "USAGE",
    "adopt",
    "app",
    "ask",
    "capture",
    "first",
    "gate",
    "main",
    "show",
    "upgrade",
]


def main() -> None:
    """Entry point of the ``conformance`` script."""
    app()


if __name__ == "__main__":
    main()
