"""A Ray that runs a task when it is waited for, in this process, and loses what it is told to lose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from xent_conformance.fleet.part import Part


class RayError(Exception):
    """As Ray's: what is not the task's own."""


class RayTaskError(RayError):
    """What a task has raised, as ``cause``."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"ray::ask() (pid=1)\n{cause}")
        self.cause = cause


class NodeDiedError(RayError):
    """The node of a task is gone."""


EXCEPTIONS = SimpleNamespace(
    RayError=RayError,
    NodeDiedError=NodeDiedError,
    WorkerCrashedError=type("WorkerCrashedError", (RayError,), {}),
    ObjectLostError=type("ObjectLostError", (RayError,), {}),
    OutOfMemoryError=type("OutOfMemoryError", (RayError,), {}),
    LocalRayletDiedError=type("LocalRayletDiedError", (RayError,), {}),
)

ROOMY = {"CPU": 2.0, "memory": 2.0**36}


@dataclass(eq=False)
class Reference:
    """What a task that was submitted will have returned."""

    part: Part


@dataclass
class FakeRay:
    """The module, as far as :mod:`xent_conformance.fleet.cluster` knows it.

    ``answer`` stands in for what the task is; ``loses``: how often a part is lost, by its number.
    """

    answer: Callable[[Part], bytes] | None = None
    loses: Mapping[int, int] = field(default_factory=dict)
    resources: list[dict[str, float]] = field(default_factory=lambda: [dict(ROOMY)])
    silent: bool = False
    unreachable: bool = False
    exceptions: Any = field(default_factory=lambda: EXCEPTIONS)
    options_asked: dict[str, Any] = field(default_factory=dict)
    asked: Counter[int] = field(default_factory=Counter)
    cancelled: list[int] = field(default_factory=list)
    running: bool = False
    inits: int = 0

    def is_initialized(self) -> bool:
        return self.running

    def init(self, **_: Any) -> None:
        if self.unreachable:
            raise ConnectionError("Could not find any running Ray instance.\nPlease specify one.")
        self.running = True
        self.inits += 1

    def shutdown(self) -> None:
        self.running = False

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": r} for r in self.resources] + [{"Alive": False, "Resources": {}}]

    def remote(self, function: Callable[[Part], bytes]) -> Any:
        task = self.answer or function

        def options(**asked: Any) -> Any:
            self.options_asked = asked
            return SimpleNamespace(remote=lambda part: Reference(part))

        self.task = task
        return SimpleNamespace(options=options)

    def wait(self, waiting: list[Reference], **_: Any) -> tuple[list[Reference], list[Reference]]:
        return ([], waiting) if self.silent else (waiting[:1], waiting[1:])

    def get(self, reference: Reference) -> bytes:
        index = reference.part.index
        self.asked[index] += 1
        if self.asked[index] <= self.loses.get(index, 0):
            raise NodeDiedError("Task failed because the node it was running on is dead\nmore of it")
        try:
            return self.task(reference.part)
        except Exception as error:  # whatever a task raises comes back as this
            raise RayTaskError(error) from error

    def cancel(self, reference: Reference, *, force: bool) -> None:
        assert force, "a part that is being asked does not look at signals"
        self.cancelled.append(reference.part.index)
