"""What stands behind a project's public names, now; and the two sets of kernels that are put there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from tests.support.faults.layer import correct
from tests.support.faults.seeded import FAULTS
from tests.support.mutants import textbook
from tests.support.mutants.adapter import DOORS, answer
from tests.support.mutants.mutate import callers, mutants
from xent_conformance.frameworks.interface import Array, Call, Implementation
from xent_conformance.reference.operators import OPERATORS

Answering = Callable[[Call], Mapping[str, Any]]

MUTANTS, SEEDED = "mutants", "faults"


@dataclass(frozen=True)
class Kernel:
    """Answers to some operators; what it does not answer is the project's own."""

    name: str
    answers: Mapping[str, Answering]

    def of(self, operators: Container[str]) -> Kernel:
        """As far as these operators go."""
        return replace(self, answers={o: a for o, a in self.answers.items() if o in operators})


def _of_textbook(module: Callable[[], ModuleType], operator: str) -> Answering:
    function, takes = DOORS[operator]

    def answering(call: Call) -> Mapping[str, Any]:
        kept = {k: v for k, v in call.keywords.items() if k in takes or k == "axis"}
        return answer(module(), function, replace(call, keywords=kept))

    return answering


def right(of: str) -> Kernel:
    """The correct kernels that a set is made from: whoever accuses them says nothing about the set."""
    if of == MUTANTS:
        return Kernel("textbook", {o: _of_textbook(lambda: textbook, o) for o in DOORS})
    return Kernel("right", {o: correct(o) for o in OPERATORS})


@functools.cache
def kernels(of: str) -> tuple[Kernel, ...]:
    """The mutants of the textbook, each behind all operators that use the changed function; or the seeded
    faults, each behind its own. A fault of a mode is put behind no name: there is one."""
    if of == MUTANTS:
        found = []
        for mutant in mutants():
            doors = callers(mutant.function)
            touched = [o for o, (function, _) in DOORS.items() if function in doors]
            made = functools.cache(mutant.module)
            found.append(Kernel(mutant.name, {o: _of_textbook(made, o) for o in touched}))
        return tuple(found)
    return tuple(
        Kernel(fault.name, {fault.operator: fault.kernel}) for fault in FAULTS if fault.mode == "eager"
    )


class Stage:
    """The kernel that answers for the public names, and which operators were asked of it."""

    def __init__(self) -> None:
        self.kernel = Kernel("", {})
        self.reached: set[str] = set()

    @contextlib.contextmanager
    def holding(self, kernel: Kernel) -> Iterator[None]:
        """Within, this kernel stands there."""
        before, self.kernel = self.kernel, kernel
        try:
            yield
        finally:
            self.kernel = before

    def has(self, operator: str) -> bool:
        """Whether the kernel answers it; if not, the project's own does."""
        return operator in self.kernel.answers

    def ask(
        self,
        operator: str,
        logits: Array,
        labels: Array | None = None,
        *,
        outputs: tuple[str, ...] = ("value",),
        cotangent: Array | None = None,
        **keywords: Any,
    ) -> Mapping[str, Array]:
        """Outputs of ``logits`` of any rank, the classes at ``axis`` (the last); attributes as the suite has
        them. The cotangent is ones where none is given."""
        self.reached.add(operator)
        if keywords.get("reduction") == "none":
            del keywords["reduction"]
        axis = keywords.setdefault("axis", -1) % logits.ndim
        if cotangent is None:
            shape = logits.shape
            if OPERATORS[operator].value_shape == "scalar":
                shape = shape[:axis] + shape[axis + 1 :]
            cotangent = np.ones(() if "reduction" in keywords else shape, logits.dtype)
        call = Call(
            Implementation(self.kernel.name, operator, "composed", self.kernel.answers[operator]),
            "eager",
            "cpu",
            logits,
            labels,
            cotangent,
            outputs,
            keywords=keywords,
        )
        return {name: np.asarray(a) for name, a in self.kernel.answers[operator](call).items()}

    def value(self, operator: str, logits: Array, labels: Array | None = None, **keywords: Any) -> Array:
        return self.ask(operator, logits, labels, **keywords)["value"]
