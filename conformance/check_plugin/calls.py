"""Asks an adapter two plain rows and says what is wrong with its answers: types, shapes, bits.

Runs in this process, with the framework, because a worker makes NumPy arrays of whatever comes back, and
what it hides is what an author wants to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xent_conformance.discovery.declaration import Declaration
from xent_conformance.discovery.problems import Problem
from xent_conformance.frameworks.interface import (
    GRADIENT_STATES,
    Adapter,
    Call,
    Implementation,
    Manner,
    Unsupported,
)
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.worker.bits import other_bits
from xent_conformance.worker.identity import IDENTITY, Misdeclared, said
from xent_conformance.worker.odd import are_numbers, kind
from xent_conformance.worker.words import words as told_by

PLAIN = "float32"

FRACTIONS = [[0.25, 0.5, 0.75], [0.5, 0.125, 0.5]]
DEFAULT = [[0.0, 0.0, 0.0], [1.0, 3.0, 2.0]]
"""Two rows of three numbers, probabilities where an operator is taken of them."""

About = tuple[str, Problem]
"""The implementation's name, or nothing, and what is wrong."""


def identity(adapter: Adapter) -> Iterator[Problem]:
    """Problems of ``version``, ``environment``, ``devices`` and ``missing``."""
    for method, (_, remedy) in IDENTITY.items():
        if not hasattr(adapter, method):
            continue
        try:
            told = said(adapter, method)
        except Misdeclared as wrong:
            yield Problem(str(wrong).removesuffix(f": {remedy}"), remedy)
            continue
        if method == "devices" and any("[" in device for device in told):
            yield Problem(
                f"devices() returns {told!r:.80}", "name variants in `variants`, without brackets here"
            )


# --- single calls ----------------------------------------------------------------------------------------


def calls(adapter: Adapter) -> Iterator[About]:
    """Problems of what ``run`` returns for two plain rows, in every mode and format.

    A kernel may lack a gradient or a format, or give another dtype: that is the framework's, and a run
    judges it. Where all of them do, it is the adapter.
    """
    tried = [_Tried(adapter, call) for call in _calls(adapter)]
    for one in tried:
        yield from ((one.call.implementation.name, problem) for problem in one.problems())
    for output in ("value", "grad_logits", "grad_labels"):
        asked = [one for one in tried if output in one.call.outputs]
        if asked and not any(output in one.found for one in asked):
            words = next((one.refused[output] for one in asked if output in one.refused), "no reason given")
            remedy = "answer it, or list it in `not_offered` with who says so"
            if output != "value":
                remedy = "compute it, list it in `not_offered`, or say `autodiff = False`"
            yield "", Problem(f"run() has no {output} of any implementation ({words})", remedy)
    for dtype in FORMATS:
        found = [one for one in tried if one.dtype == dtype and one.returned_dtype]
        if found and all(one.returned_dtype != dtype and not one.widens for one in found):
            yield (
                "",
                Problem(
                    f"run() returns {found[0].returned_dtype} for {dtype} logits",
                    "return the dtype that the framework gave; where a mode widens, name it in `widening`",
                ),
            )


def _calls(adapter: Adapter) -> Iterator[Call]:
    """Every implementation in every mode in binary32, and in the first mode for values in all formats."""
    declared = Declaration.of(adapter)
    device, first = next(iter(adapter.devices())), next(iter(declared.modes))
    of_rows = [i for i in declared.implementations if i.operator in OF_ROWS]
    for i in of_rows:  # of a layer two rows are none
        for mode in declared.modes:
            for dtype in FORMATS if mode == first else (PLAIN,):
                if not declared.asks(i.name, mode, dtype):
                    continue
                whole = declared.autodiff and dtype == PLAIN
                due = OPERATORS[i.operator].outputs if whole else ("value",)
                asked = [o for o in due if declared.withheld(i.name, mode, dtype, Manner(), o) is None]
                if asked:
                    yield _call(i, mode, device, dtype, tuple(asked))


def _call(
    i: Implementation, mode: str, device: str, dtype: str, outputs: tuple[str, ...], state: str = ""
) -> Call:
    """Two rows of three numbers, fresh and writable."""
    op, to = OPERATORS[i.operator], FORMATS[dtype].dtype
    logits = np.array(FRACTIONS if OPERATORS[i.operator].within_unit else DEFAULT).astype(to)
    labels = {
        "none": None,
        "index": np.array([0, 2], dtype=np.int64),
        "dense": np.array([[1, 0, 0], [0, 0, 1]]).astype(to),
    }[op.labels]
    cotangent = np.ones((2,) if op.value_shape == "scalar" else (2, 3)).astype(to)
    return Call(i, mode, device, logits, labels, cotangent, outputs, state=state)


class _Tried:
    """One call that was made: what was ``found`` for each output, or how it was ``refused``."""

    def __init__(self, adapter: Adapter, call: Call) -> None:
        self.adapter, self.call = adapter, call
        self.dtype = call.logits.dtype.name
        self.widens = call.mode in getattr(adapter, "widening", ())
        self.where = f"run() in mode {call.mode!r}"
        self.found: dict[str, Any] = {}
        self.refused: dict[str, str] = {}
        self.wrong: list[Problem] = []
        self._ask(call.outputs)
        if not self.found and len(call.outputs) > 1:  # as a worker does: what can be had apart?
            for output in call.outputs:
                self._ask((output,))
        if self.found:
            self.wrong += self._again(self._fresh(tuple(self.found)))
        if self.dtype == PLAIN:
            self.wrong += self._in_states()

    def _fresh(self, outputs: tuple[str, ...], state: str = "") -> Call:
        return _call(self.call.implementation, self.call.mode, self.call.device, self.dtype, outputs, state)

    def _ask(self, outputs: tuple[str, ...]) -> None:
        call = self._fresh(outputs)
        given = [*call.arguments, call.cotangent]
        before = [a.tobytes() for a in given]
        try:
            found: Any = self.adapter.run(call)
        except Exception as error:  # noqa: BLE001  # it is foreign code
            self.refused |= dict.fromkeys(outputs, _words(error))
            if outputs == ("value",) and self.dtype == PLAIN and not isinstance(error, Unsupported):
                words = f"{self.where} raises {_words(error)} for two plain rows"
                self.wrong.append(Problem(words, "answer them, or list what they lack in `not_offered`"))
            return
        if [a.tobytes() for a in given] != before:
            words = f"{self.where} changes the arrays it is given"
            self.wrong.append(Problem(words, "copy them: arguments are left as they are (SPEC.md 7.11)"))
        if not isinstance(found, Mapping):
            words = f"{self.where} returns {kind(found)}, not a mapping"
            self.wrong.append(Problem(words, "return a dict from each of `call.outputs` to its array"))
            return
        for output in outputs:
            if found.get(output) is None:
                remedy = "compute it, or say `autodiff = False`" if output != "value" else "return it"
                self.wrong.append(Problem(f"{self.where} returns a dict without {output}", remedy))
            else:
                self.found[output] = found[output]

    @property
    def returned_dtype(self) -> str:
        """The dtype of the value; empty where there is none."""
        value = self.found.get("value")
        return value.dtype.name if isinstance(value, np.ndarray) else ""

    def problems(self) -> Iterator[Problem]:
        """Everything but what only all calls together tell."""
        yield from dict.fromkeys(self.wrong)
        for output, got in self.found.items():
            yield from self._of_output(output, got)

    def _of_output(self, output: str, got: Any) -> Iterator[Problem]:
        call = self.call
        shape = call.cotangent.shape if output == "value" else call.logits.shape
        if not isinstance(got, np.ndarray):
            yield Problem(
                f"{self.where} returns {kind(got)} for {output}",
                "bring it to the host, as a NumPy array of the same dtype",
            )
        elif not are_numbers(got.dtype):
            yield Problem(
                f"{self.where} returns dtype {got.dtype} for {output}",
                "return the numbers that the framework gave, as a NumPy array of their format",
            )
        elif got.shape != shape:
            yield Problem(
                f"{self.where} returns shape {got.shape} for {output} of logits {call.logits.shape}",
                f"return {shape}: a value a row"
                if len(shape) == 1
                else f"return {shape}, as the logits have",
            )

    def _again(self, call: Call) -> Iterator[Problem]:
        try:
            again: Any = self.adapter.run(call)
        except Exception as error:  # noqa: BLE001  # it is foreign code
            words = f"{self.where} raises {_words(error)} when it is asked again"
            yield Problem(words, "keep no state between calls")
            return
        for output, got in self.found.items():
            other = again.get(output) if isinstance(again, Mapping) else None
            if _measured(got) and _measured(other) and other_bits(got, np.asarray(other)).any():
                yield Problem(
                    f"{self.where} returns other bits for {output} when it is asked again",
                    "make it deterministic: fix seeds and threads in __init__",
                )

    def _in_states(self) -> Iterator[Problem]:
        """A state that is declared, and is not answered or passed over."""
        has = getattr(self.adapter, "states", {}).get(self.call.mode, ())
        for state in (s for s in GRADIENT_STATES if s in has):
            where, remedy = f"{self.where} and state {state!r}", "compute it, or leave it out of `states`"
            wanted = tuple(o for o in self.found if (o == "value") == (state == "inference"))
            if not wanted:
                continue
            try:
                found: Any = self.adapter.run(self._fresh(wanted, state))
            except Exception as error:  # noqa: BLE001  # it is foreign code
                yield Problem(f"{where} raises {_words(error)}", remedy)
                continue
            for output in wanted:
                got = found.get(output) if isinstance(found, Mapping) else None
                if not _measured(got) or not _measured(self.found[output]):
                    yield Problem(f"{where} returns {kind(got)} for {output}", remedy)
                elif state == "accumulated" and other_bits(np.asarray(got), 2 * self.found[output]).any():
                    words = f"{where} returns for {output} what is not twice the gradient"
                    yield Problem(words, "add up two backwards, or leave it out of `states`")


def _measured(got: Any) -> bool:
    """Whether it is an array of numbers."""
    return isinstance(got, np.ndarray) and are_numbers(got.dtype)


def _words(error: Exception) -> str:
    return told_by(error)[:200]
