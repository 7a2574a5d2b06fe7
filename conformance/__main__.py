"""The command line: everything that it has is in :mod:`xent_conformance.commands.line`.

Nothing is imported before Ctrl-C is listened to, and a reader who has seen enough is no failure.
"""

from __future__ import annotations

import os
import sys

from xent_conformance.commands.interrupts import Interrupts

GIVES_BACK = "_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0"
"""How Polars' allocator is told, before it is loaded, to give back what is freed: else a run of ``standard``
holds a hundred megabytes that nobody uses."""


def main() -> None:
    """Entry point of the ``conformance`` script."""
    os.environ.setdefault(*GIVES_BACK)
    with Interrupts():
        from xent_conformance.commands.unheard import unheard

        sys.stdout = unheard(sys.stdout)  # first: where one is closed, the next file would take its number
        sys.stderr = sys.stderr or unheard(None)

        from xent_conformance.commands.line import app
        from xent_conformance.commands.plain import make_plain

        make_plain(sys.stdout, sys.stderr)
        app()


if __name__ == "__main__":
    main()
