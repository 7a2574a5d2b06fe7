"""What asking costs, for `conformance run --dry-run`: writes conformance/running/costs.json.

Seconds are those in the headers of run files that were made for it, divided by the questions that the same
selection puts today. Memory is watched while each framework that they asked is asked one operator of
``quick``, so it is the least that a worker needs; the reference is timed, of one core, without its cache. Run
it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xent_conformance.asking.selection import Selection
from xent_conformance.cases.corpus import batches
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import read_run
from xent_conformance.running.costs import TABLE, mode_of_seat, plan

POLL = 0.05
"""Seconds between two looks; the system itself remembers the highest."""

LEAST = ("--profile", "quick", "--operator", "sparse_softmax_cross_entropy", "--operator", "softmax")
"""What is asked while memory is watched; a worker that compiles more holds more."""

SAMPLE = 200
"""Batches of quick, evenly spread, whose truths are certified and then read."""


def _selection(header: Mapping[str, Any]) -> Selection:
    given: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in header["selection"].items()
    }
    return Selection(**given)


def of_modes(header: Mapping[str, Any]) -> dict[str, float]:
    """Seconds a question, by ``seat mode``."""
    selection = _selection(header)
    planned = plan(selection, list(selection.batches()), {})
    asked = {mode_of_seat(p.seat, mode): n for p in planned for mode, n in p.questions.items()}
    spent = header["seconds_by_mode"]
    return {mode: (s["compile"] + s["kernels"]) / asked[mode] for mode, s in spent.items() if asked.get(mode)}


def of_reference() -> tuple[float, float]:
    """Seconds an element certified, and seconds a batch read."""
    every = list(batches("quick"))
    some = every[:: max(1, len(every) // SAMPLE)]
    with tempfile.TemporaryDirectory() as folder:
        oracle, spent = Oracle(Path(folder)), []
        for _ in range(2):
            start = time.process_time()
            for batch in some:
                oracle.truth(batch.inputs)
            spent.append(time.process_time() - start)
    return spent[0] / sum(b.inputs.logits.size for b in some), spent[1] / len(some)


def of_memory(names: list[str]) -> dict[str, float]:
    """The most that the suite and each framework's largest worker hold, in MB. Linux alone."""
    found: dict[str, float] = {"suite": 0.0}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            words = ["run", "--framework", name, *LEAST, "-q", "-o", f"{folder}/run.parquet"]
            driver = subprocess.Popen([sys.executable, "-m", "xent_conformance", *words])
            most = {"suite": 0.0, name: 0.0}
            while driver.poll() is None:
                for pid, parent, peak in _processes():
                    who = "suite" if pid == driver.pid else name if parent == driver.pid else ""
                    if who:
                        most[who] = max(most[who], peak)
                time.sleep(POLL)
        found = {**found, name: most[name], "suite": max(found["suite"], most["suite"])}
    return {who: round(mb) for who, mb in found.items() if mb}  # what asks nothing of it has none


def _processes() -> Iterator[tuple[int, int, float]]:
    """Process, its parent, and the most it has held in MB."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue  # it has ended
        if "VmHWM" in lines:
            yield int(status.parent.name), int(lines["PPid"]), int(lines["VmHWM"].split()[0]) / 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN.parquet", help="One a profile.")
    found = [read_run(path) for path in parser.parse_args().runs]
    modes: dict[str, dict[str, float]] = {}
    imports: dict[str, float] = {}
    for run in found:
        modes[run.header["selection"]["profile"]] = of_modes(run.header)
        imports |= {f["framework"]: round(f["import_s"], 2) for f in run.header["frameworks"]}
    certifying, reading = of_reference()
    verdicts = sum(run.verdicts.height for run in found)
    judged = sum(run.header["seconds"]["judging"] + run.header["seconds"]["diagnosis"] for run in found)
    environment = found[0].header["frameworks"][0]["environment"]
    table = {
        "machine": environment["processor"],
        "day": min(run.header["created"] for run in found)[:10],
        "imports": dict(sorted(imports.items())),
        "modes": {
            p: {m: float(f"{s:.3g}") for m, s in sorted(by.items())} for p, by in sorted(modes.items())
        },
        "judging": float(f"{judged / verdicts:.3g}"),
        "certifying": float(f"{certifying:.3g}"),
        "reading": float(f"{reading:.3g}"),
        "memory": of_memory(sorted(imports)),
        # of a GPU, and by benchmarks/starts.py
        **{name: json.loads(TABLE.read_text(encoding="utf-8"))[name] for name in ("restart", "losing")},
    }
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
