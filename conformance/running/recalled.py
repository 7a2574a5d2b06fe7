"""What an earlier run of all of ``quick`` has made, where truths are remembered: the corpus, and yardsticks.

A run of less makes what it asks in less time than it takes to read all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from xent_conformance.cases.corpus import batches
from xent_conformance.cases.digest import batches_entry
from xent_conformance.cases.remembered import REMEMBERED, recall, remember
from xent_conformance.judging.remembered import yardsticks_of
from xent_conformance.judging.yardstick import Measure, Yardstick
from xent_conformance.running.opening import narrowed
from xent_conformance.running.plan import Asked


@contextlib.contextmanager
def recalled(asked: Asked, cache: Path | None) -> Iterator[None]:
    """While a plan is made nothing is made that is remembered; what was made is remembered."""
    if not _remembers(asked, cache):
        yield
        return
    entry = batches_entry(REMEMBERED)
    known = recall(entry)
    yield
    if not known:
        remember(entry, batches(REMEMBERED))


@contextlib.contextmanager
def measuring(asked: Asked, cache: Path | None) -> Iterator[Measure]:
    """What measures in a run; what it has made is remembered when it is over."""
    if not _remembers(asked, cache):
        yield Yardstick.of
        return
    yardsticks = yardsticks_of(REMEMBERED)
    yield yardsticks
    yardsticks.write()


def _remembers(asked: Asked, cache: Path | None) -> bool:
    return cache is not None and asked.as_dict()["profile"] == REMEMBERED and not narrowed(asked)
