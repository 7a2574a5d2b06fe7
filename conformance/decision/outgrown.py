"""Whether a baseline that an older suite has asked says too little, or too much, to be compared with.

``python -m xent_conformance.decision.outgrown BASELINE.parquet RUN.parquet`` ends with 0 where it does: the
action asks so on the default branch, whose next run is then its own baseline. Nobody else replaces one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from xent_conformance.decision.compare import compare
from xent_conformance.decision.evidence import another_suite, since
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.unusable import RunFileError


def outgrown(baseline: Run, run: Run) -> bool:
    """Whether another suite has asked or judged it, and they are not comparable for that."""
    return another_suite(baseline, run) and any(reason.blocking for reason in since(compare(baseline, run)))


def main() -> int:
    """The exit status; a file that cannot be read is told by the gate."""
    try:
        return int(not outgrown(*(read_run(Path(name)) for name in sys.argv[1:3])))
    except RunFileError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
