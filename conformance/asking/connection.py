"""What asks a framework questions: a worker's process, or an adapter in this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from xent_conformance.asking.patience import Patience
from xent_conformance.frameworks.interface import Array, Question


class WorkerLost(Exception):
    """The worker died, fell silent (``timed_out``), or answers nothing any more after an error (``broken``).

    The message says how.
    """

    def __init__(self, message: str, *, timed_out: bool = False, broken: bool = False) -> None:
        super().__init__(message)
        self.timed_out, self.broken = timed_out, broken


class FrameworkAbsent(Exception):
    """The worker's interpreter cannot import the framework; the message is the import error.

    ``lacks``: what a worker needs beside its framework, where it is that which is not there. ``broken``: the
    framework is there, or may be, and cannot be imported.
    """

    def __init__(self, message: str, *, lacks: str = "", broken: bool = False) -> None:
        super().__init__(message)
        self.lacks = lacks
        self.broken = broken


@dataclass(frozen=True)
class Reply:
    """One answer: outputs that came, and for the others ``{"outcome", "message"}``."""

    results: Mapping[str, Array]
    failures: Mapping[str, Mapping[str, str]]
    compile_s: float
    kernel_s: float


class Connection(Protocol):
    """A framework that can be asked.

    ``hello``: ``framework``, ``version``, ``devices``, ``environment``, ``cores`` and ``import_s``, the
    seconds that its import took. ``starts``: how often it was started.
    """

    hello: Mapping[str, Any]
    starts: int
    canaries: dict[str, tuple[Question, Mapping[str, Array]]]
    """By device, a call that was answered: whether it still is tells a process that an error has broken."""
    asserting: set[tuple[str, str]]
    """Implementations and the devices on which a row that breaks the process is expected of them."""
    patience: Patience
    """What its silences have cost."""

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        """One reply a question, in order. Raises :class:`WorkerLost` at the one that killed it."""

    def restart(self) -> None:
        """A fresh start after a loss."""

    def close(self) -> None:
        """End it."""


@runtime_checkable
class Begins(Protocol):
    """A connection that can be told what it will be asked next."""

    def begin(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> None:
        """Send what is asked next, so that it is computed meanwhile. What goes wrong is raised by whoever
        asks it, with these very arrays; nothing else may be asked before.
        """
