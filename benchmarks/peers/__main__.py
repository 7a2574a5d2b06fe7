"""``python -m benchmarks.peers --write``: asks every peer that is installed, and writes docs/PEERS.md.

Each in a process of its own, since frameworks do not share one gladly. ``--peer NAME`` asks one, and keeps
what is known of the others. What was found is in docs/evidence/peers.json, and the page is a function of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers.counting import PEERS, counted, together
from benchmarks.peers.page import FOUND, PAGE, page

_OPTIONS = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
_OPTIONS.add_argument("--peer", action="append", choices=list(PEERS), help="may be given again; all if not")
_OPTIONS.add_argument("--jobs", type=int, default=1, help="processes that share the kernels of a peer")
_OPTIONS.add_argument("--write", action="store_true", help="write the page, and what it is made from")
_OPTIONS.add_argument("--part", type=int, help=argparse.SUPPRESS)
_OPTIONS.add_argument("--into", type=Path, help=argparse.SUPPRESS)


def asked(name: str, jobs: int) -> dict[str, Any]:
    """What is found of a peer, by processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{part}.json" for part in range(jobs)]
        command = [sys.executable, "-m", "benchmarks.peers", "--peer", name, "--jobs", str(jobs)]
        one = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS"), "1")}
        running = [
            subprocess.Popen(
                [*command, "--part", str(part), "--into", str(file)], stdout=subprocess.DEVNULL, env=one
            )
            for part, file in enumerate(files)
        ]
        ended = [process.wait() for process in running]
        if any(ended):
            sys.exit(f"{name} could not be asked; what its own tests need is in the extra [bench]")
        return together([json.loads(file.read_text(encoding="utf-8")) for file in files])


def main() -> None:
    """Print the page, or write it."""
    options = _OPTIONS.parse_args()
    if options.into:
        (name,) = options.peer
        found = counted(name, options.part, options.jobs)
        options.into.write_text(json.dumps(found), encoding="utf-8")
        return
    known = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() and options.peer else {}
    for name in options.peer or PEERS:
        print(f"{name} …", file=sys.stderr)
        known[name] = asked(name, options.jobs)
        whole = {name: known[name] for name in PEERS if name in known}
        if options.write:  # after each: what was found is not lost with the next
            FOUND.write_text(json.dumps(whole, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
            PAGE.write_text(page(whole), encoding="utf-8")
    if not options.write:
        print(page(whole), end="")


if __name__ == "__main__":
    main()
