"""Workers that are started before anything else is done: they import while this process does, and reads.

Whatever this module knows is imported before the first of them is started, so it is little.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xent_conformance.asking.patience import ANSWER_SECONDS
from xent_conformance.asking.process import compiled_folder, connect
from xent_conformance.running.early import Early
from xent_conformance.running.precedence import Precedence
from xent_conformance.worker.machine import cores

if TYPE_CHECKING:
    from xent_conformance.discovery.framework import Seat
    from xent_conformance.running.conversation import Connect
    from xent_conformance.running.plan import Asked

LOOKED_AT = 512
"""Batches of a narrowed corpus that are made to see who is asked any: the whole is made once, by the plan.
Who is asked none of them imports when it is asked."""


@dataclass(frozen=True)
class Opened:
    """Who is asked in a run, some of them begun.

    ``reach`` connects to a seat. ``jobs``: so many workers at a time; None where all answer in this process,
    one by one. ``how``: what decides a verdict beside what is asked, ``interpreters`` and ``timeout``.
    """

    seats: Mapping[str, Seat]
    reach: Early
    precedence: Precedence
    jobs: int | None
    how: Mapping[str, Any]

    @property
    def few(self) -> bool:
        """Whether more seats than may answer at a time: who is for a mode alone is left a worker."""
        return self.jobs is not None and self.jobs < len(self.seats)


@contextlib.contextmanager
def opened(
    asked: Asked,
    *,
    interpreters: Mapping[str, str] | None = None,
    inside: Connect | None = None,
    timeout: float = ANSWER_SECONDS,
    jobs: int | None = None,
    cache: bool = True,
    begin: bool = True,
) -> Iterator[Opened]:
    """The seats of a run, each with a worker that imports, as :func:`~.engine.run` has these words.

    Without ``begin`` a worker is started when it is asked. Left, it closes what nobody has taken.
    """
    by = dict(interpreters or {})
    seats = {seat.key: seat for seat in asked.seats(by)}
    most = None if inside else jobs or cores()
    precedence = Precedence(most or 1)
    how: dict[str, Any] = {"interpreters": by, "timeout": timeout}
    with contextlib.nullcontext(compiled_folder()) if cache else _for_this_run() as compiled:
        reaching = functools.partial(
            connect, answer_seconds=timeout, compiled=compiled, opened=precedence.opened
        )
        with Early(inside or reaching, most or 1) as reach:
            found = Opened(seats, reach, precedence, most, how)
            if begin and most:
                for seat in _begun_first(asked, found):
                    reach.begin(seat)
            yield found


def _begun_first(asked: Asked, there: Opened) -> Iterator[Seat]:
    """Those that are asked anything: first who has a mode to begin that takes longest, or compiles."""
    seats = [seat for seat in there.seats.values() if not (there.few and seat.apart)]
    seats.sort(key=lambda seat: (not seat.apart, not seat.declaration.compiling))
    yield from _asked_anything(asked, seats) if narrowed(asked) else seats


def _asked_anything(asked: Asked, seats: Iterable[Seat]) -> Iterator[Seat]:
    """Each as soon as a batch is found that it is asked."""
    left = list(seats)
    for batch in itertools.islice(asked.batches(), LOOKED_AT):
        for seat in [seat for seat in left if asked.questions(seat, batch, asked.possible)]:
            left.remove(seat)
            yield seat
        if not left:
            return


def narrowed(asked: Asked) -> bool:
    """Whether less than a profile is asked of whole frameworks: not all of their seats may be asked then."""
    return any(found for name, found in asked.as_dict().items() if name not in _WHOLE)


_WHOLE = ("frameworks", "plugins", "profile")
"""What a selection may name and ask the whole corpus all the same."""


@contextlib.contextmanager
def _for_this_run() -> Iterator[Path]:
    """A folder for what is compiled that is empty and goes again."""
    with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
