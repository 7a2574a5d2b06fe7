"""Batches whose asks are made when they are looked at, of their arrays and of the little that is told beside.

A run looks at the arrays, the form and the cases of every batch, and at the asks of few.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Self

from xent_conformance.cases.case import Ask, Batch, Case
from xent_conformance.cases.form import Form
from xent_conformance.reference.inputs import Inputs


class Given(NamedTuple):
    """What a family has given of a row: the others of its arrays were drawn for the batch."""

    labels: bool
    unit_cotangent: bool
    cotangent: bool
    tangent: bool


Rows = tuple[tuple[Case, ...], Sequence[Given]]
"""The cases of a batch, and what was given of each."""


class Told(Batch):
    """A batch of which :meth:`told` says what its rows are."""

    @classmethod
    def made(cls, family: str, inputs: Inputs, form: Form, name: str, *, outside: bool = False) -> Self:
        """A batch with that id, whose rows nobody has asked for yet."""
        batch = object.__new__(cls)
        vars(batch).update(family=family, inputs=inputs, outside=outside, form=form, id=name)
        return batch

    def told(self) -> Rows:
        """Its rows."""
        raise NotImplementedError

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        return self.told()[0]

    @cached_property
    def asks(self) -> Sequence[Ask]:
        """Of a case, its row, and what its family has given: the others share the rest."""
        i, (_, given) = self.inputs, self.told()
        return tuple(
            Ask(
                case.variant,
                i.logits[row],
                case.clause,
                i.labels[row] if its.labels else None,
                case.clauses,
                its.unit_cotangent,
                i.cotangent[row] if its.cotangent else None,
                i.tangent[row] if its.tangent else None,
                i.attributes,
                self.form,
                i.copies,
            )
            for row, (case, its) in enumerate(zip(self.cases, given, strict=True))
        )


def given_of(batch: Batch) -> list[Given]:
    """What was given of each row."""
    return [
        Given(a.labels is not None, a.unit_cotangent, a.cotangent is not None, a.tangent is not None)
        for a in batch.asks
    ]
