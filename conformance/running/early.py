"""Seats that are begun as soon as anything is asked of them: they import while the corpus is made.

Not more at a time than there are processors: who is begun first, having most to do, is not to be there last.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from xent_conformance.asking.connection import Connection
from xent_conformance.discovery.framework import Seat
from xent_conformance.running.conversation import Connect


class Early:
    """Connects, with a head start for those that were begun; as a context it closes what nobody has taken."""

    def __init__(self, connect: Connect, at_once: int) -> None:
        self._connect = connect
        self._place = threading.Semaphore(at_once)
        self._begun: dict[str, _Begun] = {}
        self._over = threading.Event()

    def begin(self, seat: Seat) -> None:
        """Start it in a thread; whether it is there is told to whoever takes it."""
        self._begun[seat.key] = _Begun(self._connect, seat, self._place, self._over)

    def __call__(self, seat: Seat) -> Connection:
        """The one that was begun, once; then others."""
        begun = self._begun.pop(seat.key, None)
        return self._connect(seat) if begun is None else begun.taken()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._begun:
            _, begun = self._begun.popitem()
            begun.leave()
        self._over.set()


class _Begun:
    """A seat that a thread connects to, which stays until all is over: a worker dies with its parent, and
    that is the thread that has started it (:mod:`xent_conformance.worker.parent`)."""

    def __init__(
        self, connect: Connect, seat: Seat, place: threading.Semaphore, over: threading.Event
    ) -> None:
        self._connection: Connection | None = None
        self._error: BaseException | None = None
        self._left = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._place, self._over = place, over
        threading.Thread(
            target=self._reach, args=(connect, seat), name=f"begin-{seat.key}", daemon=True
        ).start()

    def _reach(self, connect: Connect, seat: Seat) -> None:
        connection = None
        with self._place:
            try:
                connection = None if self._left else connect(seat)
            except BaseException as error:  # noqa: BLE001  # raised by whoever takes it
                self._error = error
        with self._lock:
            self._connection = connection
            left = self._left
        self._done.set()
        if left and connection is not None:
            connection.close()
        self._over.wait()

    def taken(self) -> Connection:
        """It, when it is there. Raises what connecting has raised."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        assert self._connection is not None
        return self._connection

    def leave(self) -> None:
        """Nobody takes it: it is closed, as soon as it is there."""
        with self._lock:
            self._left = True
            connection = self._connection
        if connection is not None:
            connection.close()
