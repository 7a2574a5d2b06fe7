"""What all tests share: Hypothesis draws the same examples every time; fakes in place of the frameworks.

``make explore`` lets it draw others; what it finds there is promoted to a family, and gates only then.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# xdist tells its workers 80, whatever the terminal is, and the command line believes it
os.environ.pop("COLUMNS", None)
# a shell with an active environment would have its frameworks asked
os.environ.pop("CONFORMANCE_PYTHON", None)
os.environ.pop("VIRTUAL_ENV", None)
os.environ.pop("CONDA_PREFIX", None)
# a script that starts the tests in its background has Ctrl-C ignored, by all that they start as well
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from tests.support import corpus as made_once
from tests.support import fakes, shared
from tests.support.by_hand import Install
from tests.support.corpus import Corpus
from tests.support.forked import Forks
from tests.support.gating import Make, maker
from tests.support.scripts import end_scripts
from tests.support.workers import Workers
from xent_conformance.asking import process
from xent_conformance.discovery.framework import FRAMEWORKS, Framework

settings.register_profile("gate", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

# a corpus is hundreds of thousands of objects that stay: by default each collection walks them all again
gc.set_threshold(200_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: processes take tests from each other, but not one that is begun."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """A plug-in that is loaded leaves its folder on the path, and itself among the frameworks."""
    path, frameworks = list(sys.path), dict(FRAMEWORKS)
    yield
    sys.path[:] = path
    FRAMEWORKS.clear()
    FRAMEWORKS.update(frameworks)  # in their order, which listings show


@pytest.fixture(scope="session", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Workers of pytest-xdist have a folder each, side by side in one of the session."""
    base = tmp_path_factory.getbasetemp()
    shared.keep_in((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared")
    yield
    shared.keep_in(None)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """``corpus("quick")``: the batches of a profile, the same objects for all tests of this process."""
    return made_once.corpus


@pytest.fixture(scope="session")
def _workers() -> Iterator[Workers]:
    """Nobody who starts no worker waits for them."""
    workers = Workers()
    yield workers
    workers.close()


@pytest.fixture(scope="session", autouse=True)
def _scripts() -> Iterator[None]:
    """Whoever runs scripts waits for more of them; here are no more."""
    yield
    end_scripts()


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch, _workers: Workers) -> Workers:
    """Whoever asks a framework is lent a worker that another test had (:mod:`tests.support.workers`)."""
    monkeypatch.setattr(process, "Process", _workers)
    return _workers


@pytest.fixture(scope="session")
def _forks() -> Iterator[Forks]:
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch, _forks: Forks) -> Forks:
    """Workers under our own interpreter are forked, and not started (:mod:`tests.support.forked`)."""
    monkeypatch.setattr(subprocess, "Popen", _forks)
    return _forks


@pytest.fixture
def install() -> Install:
    """``install(fake="Exact", other="Crashes")`` makes these the only frameworks there are.

    Of :mod:`tests.support.fakes`, or of the module that is named: ``install(fake="…:Whole")``.
    """

    def only(**classes: str) -> None:
        FRAMEWORKS.clear()
        for name, fake in classes.items():
            adapter = fake if ":" in fake else f"tests.support.fakes:{fake}"
            FRAMEWORKS[name] = Framework(name, adapter, f"pip install '{name}'", (fakes.HERE,))

    return only


@pytest.fixture
def make(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """``make("AlwaysNan", *TWO_CLASSES)``: the run file of a fake, made once a session."""
    return maker(install, tmp_path_factory)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every stream that a worker's start opens; what is left open is closed after the test.

    A stream that nobody closed would otherwise be reported in whichever test the collector runs.
    """
    streams: list[Any] = []
    start = subprocess.Popen

    def popen(*args: Any, **kwargs: Any) -> Any:
        child = start(*args, **kwargs)
        if child.stdout is not None:  # a worker's: the guardian of all workers tells nothing
            streams.extend([child.stdin, child.stdout])
        return child

    monkeypatch.setattr(subprocess, "Popen", popen)
    yield streams
    for stream in streams:
        stream.close()
