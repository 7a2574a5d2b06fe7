"""How much memory the end of a run takes as its verdicts grow: causes, the run file, the decision.

The verdicts of a run file of ``quick`` are taken for those of once, twice, four and eight times as many
implementations, in a process each, which begins with them on disk as a run does. ``own`` is what nobody else
can have while it is held; to ``peak`` count pages of files, which the system takes back when it needs room.
Linux alone says which is which.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from xent_conformance.__main__ import frugal

if TYPE_CHECKING:
    from xent_conformance.running.journal import Journal
    from xent_conformance.running.paged import Paged

TIMES = (1, 2, 4, 8)
LOT = 50_000
"""Verdicts of a part of the journal."""


class Peak:
    """The most that this process holds while it is looked at, in kB: of its own, and with pages of files."""

    def __init__(self) -> None:
        self.own = self.all = 0
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
            told = dict(line.split(":", 1) for line in lines)
            self.own = max(self.own, int(told["RssAnon"].split()[0]))
            self.all = max(self.all, int(told["VmRSS"].split()[0]))

    def over(self) -> None:
        """It is not looked at any more."""
        self._over.set()


def write(path: Path, times: int, journal: Journal) -> int:
    """Put the verdicts on disk so many times, each time of others; how many there are."""
    import polars as pl

    from xent_conformance.reports.run.file import SCHEMA, read_run

    once = read_run(path).verdicts.with_columns(cause=pl.lit(""))
    names = once["implementation"].cast(pl.String)
    for i in range(times):
        every = once.with_columns(implementation=names + f" {i}" if i else names)
        every = every.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        for begin in range(0, every.height, LOT):
            journal.add([("seat", f"{i}/{begin}")], every[begin : begin + LOT])
    return times * once.height


def end(path: Path, journal: Journal, paged: Paged, out: Path) -> None:
    """What a run does when all is answered, in the order in which it does it."""
    from xent_conformance.asking.selection import Selection
    from xent_conformance.decision.gate import decide
    from xent_conformance.diagnosis.said import Said
    from xent_conformance.reference.cache import default_cache
    from xent_conformance.reference.oracle import Oracle
    from xent_conformance.reports.run.file import read_run, write_run
    from xent_conformance.reports.views.causes import causes
    from xent_conformance.running.ending import ended
    from xent_conformance.running.ledger import Ledger
    from xent_conformance.running.relief import Relief, give_back_all
    from xent_conformance.worker.machine import cores

    asked = Selection("quick")
    batches = [paged.batch(batch) for batch in asked.batches()]
    paged.settle()
    whose = {name: told for name, told in read_run(path).header.items() if name not in ("causes", "exhibits")}
    give_back_all(paged)
    said = Said(Oracle(default_cache()))
    run = ended(asked, batches, {}, Ledger({}), journal.verdicts, said, whose, Relief(paged), cores())
    write_run(out, run, paged.pages.let_go)
    give_back_all(paged)
    causes(run)
    decide(run)


def one(path: Path, times: int, *, in_file: bool) -> str:
    """A line on the end of a run of so many times the verdicts, whose table lies in a file or in memory."""
    from xent_conformance.running.journal import Journal
    from xent_conformance.running.paged import MOST, Paged

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.parquet"
        with Journal(out, {}) as journal:
            verdicts = write(path, times, journal)
            peak = Peak()
            end(path, journal, Paged(Path(folder), 0 if in_file else MOST), out)
            peak.over()
            journal.remove()
    where = "in a file" if in_file else "in memory"
    return f"{verdicts:9,} verdicts, {where}: own {peak.own / 1024:4.0f} MiB, peak {peak.all / 1024:4.0f} MiB"


def main() -> None:
    """The lines of all, each from a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a run file of `conformance run --profile quick`")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--in-file", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(one(given.run, given.one, in_file=given.in_file))
        return
    for in_file in ([], ["--in-file"]):
        for times in TIMES:
            alone = [sys.executable, "-m", "benchmarks.memory", str(given.run), "--one", str(times), *in_file]
            subprocess.run(alone, check=True)


if __name__ == "__main__":
    frugal()
    main()
