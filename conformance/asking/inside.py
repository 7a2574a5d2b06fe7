"""An adapter asked in this process, without a worker: for what cannot be sent to another."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.asking.connection import Reply
from xent_conformance.asking.patience import Patience
from xent_conformance.frameworks.interface import Adapter, Array, Implementation, Question
from xent_conformance.worker.hello import hello_of
from xent_conformance.worker.serve import Worker


class InProcess:
    """A :class:`~.connection.Connection` to an adapter in this process. A crash is ours."""

    worker: ClassVar = Worker

    def __init__(
        self, make: Callable[[], Adapter], implementations: Iterable[Implementation] | None = None
    ) -> None:
        """Make the adapter, whose framework is imported here.

        ``implementations``: what it has, where that is not what it declares. Raises what its start raises.
        """
        adapter, hello = hello_of(make)
        self.hello: Mapping[str, Any] = hello
        self.starts = 1
        self.canaries: dict[str, tuple[Question, Mapping[str, Array]]] = {}
        self.asserting: set[tuple[str, str]] = set()
        self.patience = Patience()
        self._worker = self.worker(adapter, implementations)

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        """One reply a question; arrays are read-only, as they are behind a pipe.

        What a library warns of is no outcome, even where the caller makes errors of warnings.
        """
        for array in arrays.values():
            array.flags.writeable = False
        for question in questions:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                header, results = self._worker.answer(question, arrays)
            yield Reply(results, header["failures"], header["compile_s"], header["kernel_s"])

    def restart(self) -> None:
        """There is nothing to restart."""

    def close(self) -> None:
        """There is nothing to close."""


def made(kind: Any) -> Adapter:
    """The adapter, its framework imported here, after the variables that it wants set before.

    Nothing is hidden from it: what a framework did without while it was imported it lacks for good
    (``tensorflow.keras``), and the process may be somebody's who asks for it.
    """
    os.environ.update(getattr(kind, "environment_before", {}))
    adapter: Adapter = kind()
    return adapter
