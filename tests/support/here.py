"""A fake asked without a process: the worker, the isolation of rows and the verdicts, all in this one.

The arrays and answers do not cross a pipe, and the exact answers are remembered from fake to fake.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from tests.support import fakes_in_any_manner as fakes
from tests.support.judging import rows_of
from xent_conformance.asking import asker
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import manner_of, outputs, takes
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

TARGET = {"framework": "fake", "version": "1.0", "machine": "here", "formulation": "fused"}


def seat(fake: str) -> Seat:
    return Seat(Framework(fake, f"tests.support.fakes_in_any_manner:{fake}", ""))


def questions(fake: str, batch: Batch) -> list[Question]:
    """What the fake is asked of a batch: it has one implementation of each operator."""
    declared = seat(fake).declaration
    asked, manner = outputs(declared, batch), manner_of(batch)
    return [
        Question(i.name, i.operator, "eager", "cpu", asked, manner)
        for i in declared.implementations
        if asked and takes(declared, i, batch)
    ]


@functools.lru_cache(maxsize=256)
def _judge(batch_id: str, batch: Any) -> Judge:
    return Judge(Oracle().truth(batch.batch.inputs))


class _Named:
    """A batch that is hashed by its id: its arrays cannot be."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __hash__(self) -> int:
        return hash(self.batch.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and other.batch.inputs.digest == self.batch.inputs.digest


def ask(fake: str, batch: Batch) -> list[Answer]:
    """As the engine asks."""
    return asker.ask(InProcess(getattr(fakes, fake)), batch, questions(fake, batch))


def verdicts(fake: str, asked: Iterable[Batch]) -> list[dict[str, Any]]:
    """Rows of the run file."""
    found = []
    for batch in asked:
        for answer in ask(fake, batch):
            found += rows_of(batch, _judge(batch.id, _Named(batch)), answer, TARGET)
    return found


def family(
    name: str, operator: str, *, dtype: str = "float32", n: int | None = None, variant: str = ""
) -> list[Batch]:
    """Batches of a family, at its smallest length, of all variants or of those that begin so."""
    f, op = families()[name], OPERATORS[operator]
    asked = n if n is not None else min(f.lengths(op, "full"))
    found = batches_of(op, f, FORMATS[dtype], asked)
    return [b for b in found if any(a.variant.startswith(variant) for a in b.asks)]
