"""Reports of something that was refused: each rebuilt as a fault, and caught by the cases that claim it.

They were once *unsupported* by the suite's own verdict: a framework that refused what it offers passed.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.support import fakes_in_any_manner as fakes
from tests.support.here import TARGET, questions
from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.families.historical import entries
from xent_conformance.frameworks.interface import Array, Call
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import rows_of
from xent_conformance.reference.oracle import Oracle

Refuses = Callable[[Call], str]
"""Why a call is refused, or nothing."""


def _no_gradient(call: Call) -> str:
    return "log_softmax has no gradient defined" if "grad_logits" in call.outputs else ""


def _no_second_derivative(call: Call) -> str:
    return "no second derivative is registered" if {"hvp", "jvp"} & set(call.outputs) else ""


def _last_axis_by_its_number(call: Call) -> str:
    axis = call.keywords.get("axis", -1)
    return "axis out of range" if axis == call.logits.ndim - 1 else ""


def _half_backward_inside(call: Call) -> str:
    inside = call.logits.ndim > 2 and call.keywords.get("axis", -1) not in (-1, call.logits.ndim - 1)
    backward = "grad_logits" in call.outputs and call.logits.dtype == np.float16
    return "expected scalar type Half" if backward and (inside or not call.logits.flags.c_contiguous) else ""


def _contiguous_alone(call: Call) -> str:
    return "" if call.logits.flags.c_contiguous else "the array is not contiguous"


def _negative_ignored(call: Call) -> str:
    index = call.keywords.get("ignore_index")
    return "Target -1 is out of bounds" if isinstance(index, int) and index < 0 else ""


REPORTS: Mapping[str, Refuses] = {
    "tensorflow#2351": _no_gradient,
    "tensorflow#9368": _no_second_derivative,
    "tensorflow#6590": _last_axis_by_its_number,
    "pytorch#30572": _half_backward_inside,
    "chainer#2034": _contiguous_alone,
    "pytorch#12576": _negative_ignored,
}


def _made(refuses: Refuses) -> fakes.Whole:
    class Refusing(fakes.Whole):
        def run(self, call: Call) -> Mapping[str, Array]:
            words = refuses(call)
            if words:
                raise NotImplementedError(words)
            return super().run(call)

    return Refusing()


@pytest.mark.parametrize("report", REPORTS)
def test_what_was_refused_is_caught_by_every_case_that_claims_it(report: str) -> None:
    (entry,) = (e for e in entries() if e.id == report)
    assert entry.patterns
    for pattern in entry.patterns:
        operator, family, _, dtype, *_ = (*pattern.split("/"), "*", "*", "*")
        chosen = [
            b
            for b in batches("full", operators=[operator], families_=[family])
            if fnmatch.fnmatchcase(b.inputs.format.name, dtype)
            and b.inputs.logits.size < 5_000
            and any(fnmatch.fnmatchcase(case.id, pattern) for case in b.cases)
        ][:3]
        assert chosen, pattern
        found = set()
        for batch in chosen:
            connection = InProcess(lambda: _made(REPORTS[report]))
            judge = Judge(Oracle().truth(batch.inputs))
            for answer in ask(connection, batch, questions("Whole", batch)):
                rows = rows_of(batch, judge, answer, TARGET)
                found |= {(r["clause"], r["status"]) for r in rows if r["outcome"] == "refused"}
        assert found == {("1.7", "breaks_must")}, pattern
