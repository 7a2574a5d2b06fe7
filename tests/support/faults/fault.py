"""What a seeded fault is, and the four places where a correct implementation can be broken.

``output``: one output of the rows. ``part``: a piece that all outputs are made of. ``whole``: an output
after the reduction. ``delivery``: a step between tensors and rows. Nothing else of the kernel changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.support.faults.blocks import Ask, piece
from tests.support.faults.correct import Output
from tests.support.faults.kernel import Kernel
from tests.support.faults.layer import correct
from tests.support.faults.sums import Array

DENSE, SPARSE, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"
DIVERGENCE, LIKELIHOOD = "kl_divergence", "negative_log_likelihood"
GIVEN_BINARY, GIVEN_DENSE = "binary_cross_entropy", "categorical_cross_entropy"
GIVEN_SPARSE = "sparse_categorical_cross_entropy"
LOG_TARGET, RELATIVE = "kl_divergence_log_target", "relative_entropy"
ELEMENTWISE = "elementwise_kl_divergence"


@dataclass(frozen=True)
class Beyond:
    """Where a fault is seen that ``quick`` cannot see, and why it cannot."""

    family: str
    profile: str
    dtype: str
    reason: str


@dataclass(frozen=True)
class Fault:
    """A defect of one operator.

    ``beyond`` says where it is seen if not in ``quick``.
    """

    name: str
    operator: str
    about: str
    idea: str
    kernel: Kernel
    mode: str = "eager"
    beyond: Beyond | None = None


class Died(BaseException):
    """What a kernel raises in place of a signal that would end its process; the message names it."""


SEEDED: list[Fault] = []
"""In the order in which the files are imported; :mod:`seeded` has them all, by idea."""

Changed = Callable[..., Any]


def _seed(changed: Changed, operator: str, about: str, kernel: Kernel, how: dict[str, Any]) -> None:
    """Registers; ``how`` may change what the kernel computes in, the mode that is wrong, where it is seen."""
    own = {name: how.pop(name) for name in ("mode", "beyond") if name in how}
    name = f"{operator}:{changed.__name__}"
    SEEDED.append(Fault(name, operator, about, changed.__module__, replace(kernel, **how), **own))


def output(operator: str, name: str, about: str, **how: Any) -> Callable[[Output], Output]:
    """``changed(ask)`` is the wrong output of the rows."""

    def register(changed: Output) -> Output:
        right = correct(operator)
        _seed(changed, operator, about, replace(right, outputs={**right.outputs, name: changed}), how)
        return changed

    return register


def part(operator: str, name: str, about: str, **how: Any) -> Callable[[Changed], Changed]:
    """``changed(ask)`` is the wrong piece of that name; every output is made of it."""

    def register(changed: Changed) -> Changed:
        wrong = type("Wrong", (Ask,), {name: piece(changed)})
        _seed(changed, operator, about, replace(correct(operator), ask=wrong), how)
        return changed

    return register


def whole(operator: str, name: str, about: str, **how: Any) -> Callable[[Changed], Changed]:
    """``changed(ask, right)`` is the wrong output, made of the right one, after the reduction."""

    def register(changed: Changed) -> Changed:
        class Wrong(Kernel):
            def reduced(self, a: Ask, output: str) -> Array:
                found = super().reduced(a, output)
                return changed(a, found) if output == name else found

        right = correct(operator)
        _seed(changed, operator, about, Wrong(operator, right.outputs), how)
        return changed

    return register


def delivery(operator: str, step: str, about: str, **how: Any) -> Callable[[Changed], Changed]:
    """``changed`` takes the place of that method of the kernel."""

    def register(changed: Changed) -> Changed:
        right = correct(operator)
        wrong = type("Wrong", (type(right),), {step: changed})
        _seed(changed, operator, about, wrong(operator, right.outputs), how)
        return changed

    return register


def plain(a: Ask, **changed: Any) -> Ask:
    """The same call in right pieces, or one that was changed."""
    return Ask(**{field: getattr(a, field) for field in Ask.__dataclass_fields__} | changed)


def right(a: Ask, output: str, **changed: Any) -> Array:
    """A correct output of the rows of such a call."""
    asked = plain(a, **changed)
    return correct(asked.operator).outputs[output](asked)
