"""Small batches, questions and workers made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests.support import fakes
from xent_conformance.asking.process import Process
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.form import PLAIN_FORM, Form
from xent_conformance.discovery.framework import Launch
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS

NAN = float("nan")
INFINITY = float("inf")

Install = Callable[..., None]
"""What the fixture ``install`` gives."""


@contextmanager
def process(fake: str, *, answer_seconds: float = 60.0) -> Iterator[Process]:
    """A running worker of one of the fakes."""
    started = Process(launch(fake), answer_seconds=answer_seconds)
    try:
        yield started
    finally:
        started.close()


def launch(fake: str, **environment: str) -> Launch:
    """A fake of :mod:`tests.support.fakes`, or of the module that is named with it."""
    adapter = fake if ":" in fake else f"tests.support.fakes:{fake}"
    return Launch(adapter, search=(fakes.HERE,), environment=environment)


def batch(
    operator: str,
    logits: Sequence[Sequence[float]],
    *,
    labels: Sequence[Sequence[float]] | None = None,
    dtype: str = "float32",
    clause: str = "1.1",
    clauses: Mapping[str, str] | None = None,
    form: Form = PLAIN_FORM,
    attributes: Attributes = PLAIN,
) -> Batch:
    """A batch of these rows, all testing ``clause`` (another for the outputs in ``clauses``); cotangent 1."""
    x = np.array(logits, dtype=np.float64)
    o = OPERATORS[operator]
    width = x.shape[1] if o.value_shape == "row" and not attributes.grouped else 1
    given = np.zeros((len(x), 0)) if labels is None else np.array(labels, dtype=np.float64)
    asks = tuple(Ask("by_hand", row, clause, clauses=clauses or {}, form=form) for row in x)
    inputs = Inputs(operator, FORMATS[dtype], x, given, np.ones((len(x), width)), attributes)
    return Batch("ordinary", inputs, asks)


def question(operator: str = "softmax", *outputs: str) -> Question:
    """A question to a fake: for these outputs, or for all."""
    return Question(f"fake.{operator}", operator, "eager", "cpu", outputs or OPERATORS[operator].outputs)


SMALL_OPERATORS = ("softmax", "sparse_softmax_cross_entropy")


def selection(**changes: Any) -> Selection:
    """Two operators in binary32, the families with NaN and with two classes."""
    asked: dict[str, Any] = {
        "profile": "quick",
        "operators": SMALL_OPERATORS,
        "dtypes": ("float32",),
        "families": ("special_values", "two_classes"),
    }
    return Selection(**asked | changes)
