"""How long a run of a profile takes, on what, and how much memory. The reference cache is empty at the start.

In a process that is as frugal as that of the command line.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path
from typing import Any

from xent_conformance.__main__ import frugal


def header_of(profile: str) -> dict[str, Any]:
    """The header of a run of the profile. What allocates is imported here, when it is told how."""
    from xent_conformance.asking.selection import Selection
    from xent_conformance.reference.oracle import Oracle
    from xent_conformance.running.engine import run

    with tempfile.TemporaryDirectory() as folder:
        oracle = Oracle(Path(folder) / "cache")
        return dict(run(Selection(profile), Path(folder) / "run.parquet", oracle=oracle).header)


if __name__ == "__main__":
    frugal()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="quick", choices=("quick", "standard"))
    profile = parser.parse_args().profile
    header = header_of(profile)
    seconds = dict(header["seconds"])
    total = seconds.pop("total")
    own = seconds["reference"] + seconds["judging"] + seconds["diagnosis"]
    print(f"{profile}: {total:.1f} s of wall time")
    for what, value in seconds.items():
        print(f"  {what:10s} {value:7.1f} s")
    print(f"  suite's own share (reference + judging + diagnosis): {100 * own / sum(seconds.values()):.0f} %")
    for mode, spent in header["seconds_by_mode"].items():
        print(f"  {mode:18s} compile {spent['compile']:6.1f} s, kernels {spent['kernels']:5.1f} s")
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # it is of POSIX
        print("  peak memory of the driver: this system does not say")
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"  peak memory of the driver: {peak:.2f} GB")
