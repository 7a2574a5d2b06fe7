"""Tests that a wheel ships as files, collected once by pytest and run many times over."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from _pytest.config import get_config
from _pytest.main import Session
from _pytest.runner import runtestprotocol

from benchmarks.peers.peer import Check

_PLAIN = ("-p", "no:cacheprovider", "-p", "no:conformance", "-p", "no:xdist", "-c", os.devnull, "-q")
"""No settings of whoever runs this, and nothing written."""


def collected(modules: Iterable[str], wanted: Callable[[str], bool] = lambda name: True) -> list[Check]:
    """A check a test of these modules, whose names behind the module's are wanted."""
    config = get_config()
    config.parse([*_PLAIN, "--pyargs", *modules])
    config._do_configure()
    session = Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    items: Sequence[Any] = session.perform_collect()
    found = [(item.nodeid.partition("::"), item) for item in items]
    return [
        Check(f"{file.rpartition('/')[2]}::{name}", functools.partial(_run, item))
        for (file, _, name), item in found
        if wanted(name) and not item.get_closest_marker("slow")
    ]


def _run(item: Any) -> None:
    """Once more, from the start. Raises AssertionError with what it says where it fails."""
    item._initrequest()
    for report in runtestprotocol(item, log=False, nextitem=None):
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            raise AssertionError(crash.message if crash else report.longreprtext[-400:])
