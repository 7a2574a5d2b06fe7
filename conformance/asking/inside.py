"""An adapter asked in this process, without a worker: for what cannot be sent to another."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xent_conformance.asking.process import Process, Reply
from xent_conformance.frameworks.interface import Adapter, Array, Question
from xent_conformance.registry.framework import Framework
from xent_conformance.worker.serve import Worker, _environment


@dataclass(frozen=True)
class Own(Framework):
    """A framework whose adapter class is at hand: its module need not be importable anywhere."""

    own: Any = None

    @classmethod
    def of(cls, kind: Any, **changed: Any) -> Own:
        """The framework of a class, with some of the class's attributes ``changed``."""
        like = type(kind.__name__, (kind,), changed) if changed else kind
        return cls(
            kind.name, f"{kind.__module__}:{kind.__name__}", f"pip install {kind.distribution}", own=like
        )

    @property
    def kind(self) -> Any:
        return self.own


class Here(Process):
    """What an Asker needs of a worker's process, answered in this one. A crash is ours."""

    def __init__(self, adapter: Adapter) -> None:
        self.worker = Worker(adapter)

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        """One reply a question; arrays are read-only, as they are behind a pipe."""
        for array in arrays.values():
            array.flags.writeable = False
        for question in questions:
            header, results = self.worker.answer(question, arrays)
            yield Reply(results, header["failures"], header["compile_s"], header["kernel_s"])

    def restart(self) -> None:
        """There is nothing to restart."""

    def close(self) -> None:
        """There is nothing to close."""


def made(kind: Any) -> Adapter:
    """The adapter, its framework imported here."""
    os.environ.update(getattr(kind, "environment_before", {}))
    adapter: Adapter = kind()
    return adapter


def started(kind: Any) -> tuple[Adapter, dict[str, Any]]:
    """The adapter, and what its worker would say hello with."""
    start = time.perf_counter()
    adapter = made(kind)
    hello = {
        "framework": adapter.name,
        "version": adapter.version(),
        "devices": list(adapter.devices()),
        "environment": _environment(adapter),
        "import_s": time.perf_counter() - start,
    }
    return adapter, hello
