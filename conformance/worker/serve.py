"""Answers questions inside a framework's own process, whose adapter is ``MODULE:CLASS``.

Imports nothing but NumPy, ml_dtypes and the framework. The protocol is :mod:`xent_conformance.worker.wire` on
the process's first output; whatever the framework prints goes to the error stream.

``hello`` (or ``absent``) once; then for each ``ask`` frame one ``answer`` frame a question, at once, so
that the driver knows which question a crash belongs to.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np

from xent_conformance.frameworks.interface import (
    GRADIENT_STATES,
    SPARSE,
    Adapter,
    Array,
    Call,
    Implementation,
    Manner,
    Question,
    Unsupported,
)
from xent_conformance.frameworks.layer import PARTS, asked_of
from xent_conformance.worker.apart import begin
from xent_conformance.worker.arithmetic import Kept
from xent_conformance.worker.bits import other_bits
from xent_conformance.worker.compiled import let_go
from xent_conformance.worker.delivery import CHANGED, Delivery, Described
from xent_conformance.worker.garbage import collect_after, ending_at_once, nothing_to_collect
from xent_conformance.worker.harmless import harmless
from xent_conformance.worker.hello import hello_of, load
from xent_conformance.worker.identity import Misdeclared
from xent_conformance.worker.inputs import Inputs
from xent_conformance.worker.odd import numbers_of
from xent_conformance.worker.unwritten import OTHER, USUAL, filled, may_be_unwritten, told_apart
from xent_conformance.worker.wire import Closed, largest_of, receive, send
from xent_conformance.worker.words import words


class Worker:
    """One adapter and what has been compiled in it."""

    def __init__(self, adapter: Adapter, implementations: Iterable[Implementation] | None = None) -> None:
        self.adapter = adapter
        has = adapter.implementations if implementations is None else implementations
        self.by_name = {(i.name, i.operator): i for i in has}
        self._warm: set[tuple[Any, ...]] = set()
        self._refusals: dict[tuple[Any, ...], str | None] = {}

    def answer(
        self, question: Question, arrays: Mapping[str, Array]
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """The outputs as far as they can be had; for the others, what happened and in whose words."""
        results: dict[str, Array] = {}
        failures: dict[str, dict[str, str]] = {}
        compile_s = kernel_s = 0.0
        for outputs in _groups(question.outputs):
            if set(outputs) <= set(results):
                continue
            try:
                found, first, again = self._timed(question, outputs, arrays)
            except Exception as error:  # noqa: BLE001  # whatever a framework raises is an outcome
                failure = self._failure(question, outputs, arrays, error)
                failures |= dict.fromkeys(set(outputs) - set(results), failure)
            else:
                results |= found
                failures = {o: f for o, f in failures.items() if o not in found}
                compile_s += max(first - again, 0.0)
                kernel_s += again
        header = {"failures": failures, "compile_s": compile_s, "kernel_s": kernel_s}
        return header, results

    def _timed(
        self, question: Question, outputs: tuple[str, ...], arrays: Mapping[str, Array]
    ) -> tuple[dict[str, Array], float, float]:
        """Results, and the seconds of the first and of a warm call of this signature.

        Of rows that are asked once more: of all calls, and of those without what the first has compiled.
        """
        door = (question.implementation, question.operator, question.mode, question.device)
        key = (*door, outputs, question.manner, *((a.dtype.name, a.shape) for a in arrays.values()))
        cold, compared = key not in self._warm, not question.manner.wrong
        self._warm.add(key)
        if question.manner.again:  # a warm call is part of it, and what differs is a finding of its own
            calls: list[float] = []
            results = self._run(question, outputs, arrays, calls=calls)
            return results, sum(calls), sum(calls) - max(calls[0] - calls[-1], 0.0) * cold
        results = {}
        first = 0.0
        if cold:
            start = time.perf_counter()
            # of arguments that do not fit there is one answer, which is told in words
            results = self._run(question, outputs, arrays, USUAL if question.manner.wrong else OTHER)
            first = time.perf_counter() - start
        start = time.perf_counter()
        warm = self._run(question, outputs, arrays)
        again = time.perf_counter() - start
        if not cold and compared and may_be_unwritten(warm):
            results = self._run(question, outputs, arrays, OTHER)
        differing = {o: a for o, a in results.items() if o in warm and other_bits(a, warm[o]).any()}
        if compared and differing:  # the first answer is one too: the same call gives the same bits (7.3)
            fillings = (OTHER, USUAL) if cold else (USUAL, OTHER)
            asked = functools.partial(self._run, question, outputs, arrays)
            warm |= told_apart(differing, warm, asked, fillings)
        return warm, first if cold else again, again

    def _run(
        self,
        question: Question,
        outputs: tuple[str, ...],
        arrays: Mapping[str, Array],
        memory: int = USUAL,
        calls: list[float] | None = None,
    ) -> dict[str, Array]:
        """The outputs; what is allocated for them is filled with the byte ``memory``.

        The seconds of each call of the framework are added to ``calls``.
        """
        implementation = self._implementation(question)

        def compute(
            arrays: Mapping[str, Array], keywords: Mapping[str, object], state: str
        ) -> Mapping[str, Array]:
            wanted = _concerned(state, outputs)
            if not wanted:
                return {}
            inputs, most = Inputs(arrays), largest_of(arrays)
            own = inputs.own
            call = Call(
                implementation,
                question.mode,
                question.device,
                own["logits"],
                own.get("labels"),
                own["cotangent"],
                asked_of(wanted),
                own.get("tangent"),
                keywords,
                state,
                question.manner.wrong == SPARSE,
            )
            kept, start = Kept(), time.perf_counter()
            as_asked = {o: "grad_logits" if o in PARTS else o for o in wanted}
            with filled(memory):  # a call may have come back before it has computed
                try:
                    found = self.adapter.run(call)
                finally:
                    left = kept.restore()  # whoever is asked next computes as if nobody had been asked
                results = {o: numbers_of(found, name, most) for o, name in as_asked.items()}
            if calls is not None:
                calls.append(time.perf_counter() - start)
            everywhere = np.ones(own["logits"].shape, dtype=np.bool_)
            disturbed = {name + CHANGED: everywhere for name in left}
            return results | inputs.changed() | disturbed

        scalar = arrays["cotangent"].ndim == 1
        result = arrays["cotangent"].dtype.name
        return Delivery(question.manner, implementation.takes, scalar, result).answer(compute, arrays)

    def _implementation(self, question: Question) -> Implementation:
        return self.by_name[question.implementation, question.operator]

    def _failure(
        self, question: Question, outputs: tuple[str, ...], arrays: Mapping[str, Array], error: Exception
    ) -> dict[str, str]:
        """``refused`` if harmless inputs fail as well, else ``raised``."""
        if isinstance(error, Unsupported):
            return {"outcome": "refused", "message": str(error)}
        if isinstance(error, Described):
            return {"outcome": "returned", "message": str(error)}
        refused = self._harmless(question, outputs, arrays)
        if refused is not None:
            return {"outcome": "refused", "message": refused}
        return {"outcome": "raised", "message": words(error)}

    def _harmless(
        self, question: Question, outputs: tuple[str, ...], arrays: Mapping[str, Array]
    ) -> str | None:
        """What the framework says to harmless rows of the same kind; None if it answers them."""
        question, plain = harmless(question, arrays)
        key = (question, outputs, *((name, a.dtype.name) for name, a in arrays.items()))
        if key not in self._refusals:
            try:
                self._run(question, outputs, plain)
            except Exception as error:  # noqa: BLE001  # it is foreign code
                self._refusals[key] = words(error)
            else:
                self._refusals[key] = None
        return self._refusals[key]


def _concerned(state: str, outputs: tuple[str, ...]) -> tuple[str, ...]:
    """What is asked again in a state: the value without gradients, or gradients alone."""
    if state == "inference":
        return tuple(o for o in outputs if o == "value")
    return tuple(o for o in outputs if o != "value") if state in GRADIENT_STATES else outputs


def _groups(outputs: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All at once, the values apart from the rest, and then each of the rest: an error has its output."""
    rest = tuple(o for o in outputs if o != "value")
    singles = [(o,) for o in rest] if len(rest) > 1 else []
    apart = [("value",), rest] if "value" in outputs and rest else []
    return [outputs, *apart, *singles]


def serve(spec: str, source: BinaryIO, sink: BinaryIO) -> None:
    """Load the adapter, say hello, answer until the driver closes the stream."""
    try:
        with nothing_to_collect():
            adapter, hello = hello_of(lambda: load(spec))
    except ImportError as error:
        # what is not there at all is another thing than what is there and does not load
        broken = not isinstance(error, ModuleNotFoundError)
        send(sink, {"kind": "absent", "message": words(error), "broken": broken})
        return
    except Misdeclared as wrong:
        send(sink, {"kind": "absent", "message": str(wrong), "broken": True})
        return
    send(sink, {"kind": "hello", **hello})
    begin(adapter, hello["missing"])
    worker = Worker(adapter)
    while True:
        try:
            header, arrays = receive(source)
        except Closed:
            let_go()
            return
        for q in header["questions"]:
            question = Question(**{**q, "outputs": tuple(q["outputs"]), "manner": manner_of(q["manner"])})
            reply, results = worker.answer(question, arrays)
            send(sink, {"kind": "answer", **reply}, results)
        collect_after(arrays)


def manner_of(sent: Mapping[str, Any]) -> Manner:
    """A manner as it comes through the wire: JSON knows no tuples."""
    shapes = {name: None if sent[name] is None else tuple(sent[name]) for name in ("shape", "class_shape")}
    attributes = tuple((k, _tuples(v)) for k, v in sent["attributes"])
    return Manner(**{**sent, **shapes, "attributes": attributes})


def _tuples(sent: Any) -> Any:
    return tuple(map(_tuples, sent)) if isinstance(sent, list) else sent


def main() -> None:
    """Take the protocol's streams for ourselves before any framework can print on one or read the other.

    Ctrl-C is for the driver, which ends us; a worker that it interrupted as well would look like a crash.
    """
    leave = ending_at_once()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    source = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    serve(sys.argv[1], source, sink)
    leave(0)


if __name__ == "__main__":
    main()
