"""Runs whose processes are killed, resumed until they are finished, and compared with one that was not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.run.file import TARGET, Run, read_run

MARK = "TRUST_CAMPAIGN"
"""A variable that all processes of a campaign inherit, so that what is left of them is found."""

NEVER = 1 << 30
"""A step that no run comes to."""

PATIENCE = 10.0
"""Seconds in which what a killed driver has started is gone."""


@dataclass
class Kills:
    """What came of it; everything but ``driver`` and ``worker`` is to be zero."""

    driver: int = 0
    """Kill points of the process that asks and writes."""
    worker: int = 0
    real: int = 0
    """Of these, with a real framework."""
    lost: int = 0
    twice: int = 0
    changed: int = 0
    tracebacks: int = 0
    orphans: int = 0
    left: int = 0
    """Files that no finished run leaves."""
    told: list[str] = field(default_factory=list)
    """What went wrong, in words."""

    @property
    def wrong(self) -> int:
        """What must not be."""
        return self.lost + self.twice + self.changed + self.tracebacks + self.orphans + self.left


@dataclass
class Campaign:
    """Kills in a folder; the same seed kills at the same steps."""

    folder: Path
    seed: int = 16
    found: Kills = field(default_factory=Kills)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)
        self._mark = uuid.uuid4().hex
        self._server: subprocess.Popen[str] | None = None

    def whole(self, who: str) -> tuple[Run, int]:
        """The run that nothing disturbs, and how many steps it takes."""
        out = self.folder / f"whole-{who}.parquet"
        done = self._start(out, who, 0)
        if done.returncode:
            raise RuntimeError(f"the undisturbed run fails: {done.stderr}")
        return read_run(out), int(done.stdout.split()[-2])

    def kill_driver(self, who: str, whole: Run, kills: int, longest: int) -> None:
        """So many times, each within so many steps of its start, until each run is finished."""
        number, killed = 0, 0
        while killed < kills:
            out, number = self.folder / f"{who}-{number}.parquet", number + 1
            while True:
                step = self._draw.randint(1, longest) if killed < kills else NEVER
                done = self._start(out, who, step)
                if done.returncode != -signal.SIGKILL:
                    break
                killed += 1
                self._no_orphans()
            self._compare(done, out, whole, f"{who}, seed {self.seed}, run {number}")
        self.found.driver += killed
        self.found.real += killed if who.startswith("jax") else 0

    def kill_workers(self, who: str, whole: Run, runs: int) -> None:
        """So many runs of which every seventh question loses its worker, each counted from another."""
        for first in range(runs):
            out = self.folder / f"{who}-{first}.parquet"
            done = self._start(out, who, first)
            killed = int(done.stdout.split()[-1]) if done.returncode == 0 else 0
            self.found.worker += killed
            self.found.real += killed if who.startswith("jax") else 0
            self._no_orphans()
            self._compare(done, out, whole, f"{who}, counted from {first}")

    def _start(self, out: Path, who: str, step: int) -> subprocess.CompletedProcess[str]:
        if who == "fakes" and step:
            return self._served(out, step)
        told = {**os.environ, "PYTHONPATH": str(ROOT), MARK: self._mark, "POLARS_MAX_THREADS": "1"}
        words = [sys.executable, "-m", "tests.support.trust.killed", str(out), who, str(step)]
        return subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True, check=False)

    def _served(self, out: Path, step: int) -> subprocess.CompletedProcess[str]:
        """By a process that has imported everything, and forks."""
        if self._server is None:
            told = {**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1"}
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.support.trust.killed", "serve"],
                cwd=ROOT,
                env=told,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._server.stdin is not None and self._server.stdout is not None
        errors = self.folder / "errors"
        self._server.stdin.write(f"{out} {step} {errors}\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return subprocess.CompletedProcess([], status, "", errors.read_text())

    def close(self) -> None:
        """End what serves it."""
        if self._server is not None:
            self._server.communicate()

    def _compare(self, done: subprocess.CompletedProcess[str], out: Path, whole: Run, what: str) -> None:
        if done.returncode or "Traceback" in done.stderr:
            self.found.tracebacks += 1
            self.found.told.append(f"{what}: {done.stderr[-400:]}")
            return
        found = read_run(out).verdicts  # refuses a verdict that is there twice
        key = ["case", "output", *TARGET]
        lost = whole.verdicts.join(found, on=key, how="anti").height
        twice = found.height - found.unique(key).height
        same = found.equals(whole.verdicts) and read_run(out).header["distances"] == whole.header["distances"]
        self.found.lost += lost
        self.found.twice += twice
        self.found.changed += not (lost or twice or same)
        self.found.left += journal_of(out).exists()
        if lost or twice or not same or journal_of(out).exists():
            self.found.told.append(f"{what}: {lost} lost, {twice} twice, {'same' if same else 'changed'}")

    def _no_orphans(self) -> None:
        """Count what is alive of a driver that is dead, and end it."""
        until = time.monotonic() + PATIENCE
        while alive := list(self._marked()):
            if time.monotonic() > until:
                self.found.orphans += len(alive)
                self.found.told.append(f"orphans: {alive}")
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.05)

    def _marked(self) -> Iterator[int]:
        sought = f"{MARK}={self._mark}".encode()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if sought in entry.read_bytes().split(b"\0"):
                    yield int(entry.parent.name)
            except OSError:  # another's, or it has ended meanwhile
                continue
