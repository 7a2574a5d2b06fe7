"""Reported refusals: what is offered raises, always or for some arguments (SPEC.md 1.7).

They were once *unsupported* by the suite's own verdict: a framework that refused what it offers passed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.faults.fault import SPARSE, delivery
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call

Refuses = Callable[[Call], str]
"""Why a call is refused, or nothing."""


def refusal(about: str, *operators: str) -> Callable[[Refuses], Refuses]:
    """``refuses(call)`` are the words of an error, where there is one."""

    def register(refuses: Refuses) -> Refuses:
        def called(self: Kernel, call: Call) -> dict[str, Array]:
            words = refuses(call)
            if words:
                raise NotImplementedError(words)
            return Kernel.__call__(self, call)

        called.__name__, called.__module__ = refuses.__name__, refuses.__module__
        for operator in operators:
            delivery(operator, "__call__", about)(called)
        return refuses

    return register


# --- whatever the numbers: charged as 1.7 ------------------------------------------------------------


@refusal("there is no gradient", "log_softmax")
def no_gradient(call: Call) -> str:
    return "log_softmax has no gradient defined" if "grad_logits" in call.outputs else ""


@refusal("there is neither a second derivative nor forward mode", SPARSE)
def no_second_derivative(call: Call) -> str:
    return "no second derivative is registered" if {"hvp", "jvp"} & set(call.outputs) else ""


@refusal("the last axis may not be given by its positive number", "softmax")
def last_axis_by_its_number(call: Call) -> str:
    return "axis out of range" if call.keywords.get("axis", -1) == call.logits.ndim - 1 else ""


@refusal("binary16 has no backward kernel for classes that are not the last axis", "softmax")
def half_backward_inside(call: Call) -> str:
    inside = call.logits.ndim > 2 and call.keywords.get("axis", -1) not in (-1, call.logits.ndim - 1)
    backward = "grad_logits" in call.outputs and call.logits.dtype == np.float16
    return "expected scalar type Half" if backward and (inside or not call.logits.flags.c_contiguous) else ""


@refusal("only contiguous arrays are taken", "softmax", "log_softmax", SPARSE)
def contiguous_alone(call: Call) -> str:
    return "" if call.logits.flags.c_contiguous else "the array is not contiguous"


@refusal("an index to ignore may not be negative", SPARSE)
def negative_ignored(call: Call) -> str:
    index = call.keywords.get("ignore_index")
    return "Target -1 is out of bounds" if isinstance(index, int) and index < 0 else ""


# --- for some labels: charged to the clause of the case ---------------------------------------------


def _ignored_outside(call: Call) -> bool:
    """Whether a label is the index to ignore, and names no class."""
    index, n = call.keywords.get("ignore_index"), call.logits.shape[call.keywords.get("axis", -1)]
    return index is not None and not 0 <= index < n and bool((call.labels == index).any())


@refusal("a label outside of the classes is refused, although it is the one to ignore", SPARSE)
def ignored_label_refused(call: Call) -> str:
    return "Target is out of bounds" if _ignored_outside(call) else ""


@refusal("smoothing looks up the weight of an ignored label, which has none", SPARSE)
def weight_of_the_ignored(call: Call) -> str:
    both = "weight" in call.keywords and "label_smoothing" in call.keywords
    return "index out of range in gather" if both and _ignored_outside(call) else ""
