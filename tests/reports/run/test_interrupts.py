"""Ctrl-C is heard by who waits, and once, also where Polars has put its handler there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT
from xent_conformance.reports.run.interrupts import heeded

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such signals")

SOON, LATE = 0.02, 0.3
"""Seconds after which the signal comes, and after which the wait ends by itself."""


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    yield
    heeded()


def _waited() -> float:
    """Seconds that a wait for a lock took which Ctrl-C came into."""
    held = threading.Lock()
    held.acquire()
    since = time.monotonic()
    threading.Timer(SOON, os.kill, (os.getpid(), signal.SIGINT)).start()
    end = threading.Timer(LATE, held.release)
    end.start()
    with pytest.raises(KeyboardInterrupt):
        held.acquire()
        time.sleep(LATE)
    end.cancel()
    return time.monotonic() - since


def test_a_wait_for_a_lock_ends() -> None:
    heeded()
    assert _waited() < LATE


def test_it_would_not_as_polars_leaves_it() -> None:
    signal.siginterrupt(signal.SIGINT, False)  # the flag with which its handler is put there
    assert _waited() >= LATE


TWICE = """
import os, signal, sys, threading, time
import polars as pl
from {module} import heeded

work = pl.DataFrame({{"n": range(300_000)}}).lazy().select(pl.col("n").cast(pl.String).sort(descending=True))
for before in (lambda: None, heeded):
    before()
    heard = 0
    threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        try:
            while True:
                work.collect()
        except KeyboardInterrupt:
            heard += 1
            time.sleep(0.05)
    except KeyboardInterrupt:
        heard += 1
    print(heard)
"""


def test_work_of_polars_is_interrupted_once() -> None:
    """As it leaves it, a second time comes out of the words that answer the first."""
    told = subprocess.run(
        [sys.executable, "-c", TWICE.format(module=heeded.__module__)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    as_it_leaves_it, heeding = map(int, told.stdout.split())
    assert heeding == 1 <= as_it_leaves_it, told.stdout


def test_what_is_ignored_stays_ignored() -> None:
    """As of a job in the background of a script."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        heeded()
        os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
