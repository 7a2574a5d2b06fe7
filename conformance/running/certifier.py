"""A process that certifies: inputs come in, and their truths go into the cache.

It knows the reference alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.assisting import assist
from xent_conformance.worker.priority import CERTIFIER


def main() -> None:
    """Whoever answers comes first: certifying fills idle cores."""
    oracle = Oracle(Path(sys.argv[1]))

    def certify(inputs: Inputs) -> None:
        oracle.truth(inputs)

    assist(certify, CERTIFIER)
