"""Faults, and the correct implementations, as ordinary adapters that take everything there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, get_args

from tests.support.faults import seeded_eight_bits
from tests.support.faults.fault import Fault
from tests.support.faults.kernel import TAKES
from tests.support.faults.layer import correct
from tests.support.faults.reported import REPORTED
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from xent_conformance.cases.form import Layout
from xent_conformance.frameworks.interface import STATES, Call, Implementation
from xent_conformance.reference.operators import MOVING, OPERATORS

EIGHT = seeded_eight_bits.__name__

Answering = Callable[[Call], Mapping[str, Any]]


def _implementation(name: str, operator: str, answering: Answering, note: str) -> Implementation:
    return Implementation(name, operator, "composed", answering, note, TAKES)


def _compiled(fault: Fault) -> Answering:
    """Right but for the mode that is wrong."""
    right = correct(fault.operator)
    return lambda call: (fault.kernel if call.mode == fault.mode else right)(call)


class Faults:
    """The variants and the faults of the eager mode."""

    name = distribution = "faults"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    moving = MOVING
    layouts = frozenset(get_args(Layout))
    states: ClassVar = {"eager": frozenset(STATES)}
    implementations: ClassVar[Sequence[Implementation]] = (
        *(_implementation(v.name, o, v.of(o), v.about) for v in VARIANTS for o in v.operators),
        *(_implementation(f.name, f.operator, f.kernel, f.about) for f in FAULTS if f.mode == "eager"),
    )
    from_eight_bits: ClassVar = frozenset(i.name for i in implementations)
    in_eight_bits: ClassVar = frozenset(
        {*(v.name for v in VARIANTS), *(f.name for f in FAULTS if f.idea == EIGHT)}
    )

    def version(self) -> str:
        return "0"

    def environment(self) -> Mapping[str, str]:
        return {}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Any]:
        answering: Answering = call.implementation.call
        return answering(call)


class Compiled(Faults):
    """The faults of another mode; only they are asked in two."""

    name = distribution = "compiled"
    modes: ClassVar = {"eager": "quick", "compiled": "quick"}
    implementations: ClassVar[Sequence[Implementation]] = tuple(
        _implementation(f.name, f.operator, _compiled(f), f.about) for f in FAULTS if f.mode != "eager"
    )
    from_eight_bits: ClassVar = frozenset(i.name for i in implementations)


RIGHT = "right"
"""The correct implementation that is asked beside a report's fault."""


class Reported(Faults):
    """Every fault that shows a report, each in its own mode alone, and a correct implementation in both."""

    name = distribution = "reported"
    modes: ClassVar = {"eager": "quick", "compiled": "quick"}
    implementations: ClassVar[Sequence[Implementation]] = (
        *(_implementation(RIGHT, o, correct(o), "") for o in OPERATORS),
        *(_implementation(f.name, f.operator, f.kernel, f.about) for f in (*FAULTS, *REPORTED)),
    )
    from_eight_bits: ClassVar = frozenset(i.name for i in implementations)
    restricted: ClassVar = {
        mode: frozenset({RIGHT, *(f.name for f in (*FAULTS, *REPORTED) if f.mode == mode)}) for mode in modes
    }
