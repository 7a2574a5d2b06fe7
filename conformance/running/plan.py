"""What a run asks, of whom, and what of it is left where a journal has a part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches_of
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.running.costs import Weights
from xent_conformance.running.journal import Journal
from xent_conformance.running.memory import Kept
from xent_conformance.running.paged import Paged
from xent_conformance.running.shares import Piece, kind_of

Plan = Mapping[str, Sequence[Piece]]
"""Of each seat what it is asked."""


class Asked(Protocol):
    """What a run asks: :class:`xent_conformance.asking.selection.Selection`, or one function's questions."""

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The frameworks that are asked for by name, which must be there."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that are asked for by name, which must be there."""

    @property
    def possible(self) -> Sequence[str]:
        """Devices that may be there; which are is known when a seat has started."""

    @property
    def files(self) -> Sequence[CaseFile]:
        """The files whose cases are asked instead of the corpus; none for the corpus."""

    def batches(self) -> Iterable[Batch]:
        """Every batch that may be asked."""

    def find(self, case_id: str) -> tuple[Batch, Case]:
        """The case of that id that may be asked, with its batch."""

    def seats(self, interpreters: Mapping[str, str]) -> Sequence[Seat]:
        """Whoever is asked, each by its interpreter."""

    def questions(self, seat: Seat, batch: Batch, devices: Sequence[str]) -> Sequence[Question]:
        """What a seat is asked about a batch on those of the devices that are chosen."""

    def as_dict(self) -> Mapping[str, Any]:
        """What a run file's header says was asked."""


def plan_of(
    asked: Asked, seats: Mapping[str, Seat], weights: Weights, paged: Paged
) -> tuple[list[Batch], Plan]:
    """The batches, and what each seat may be asked about which; a seat that is asked nothing is left out.

    ``paged``: where the arrays of a large corpus lie.
    """
    batches: list[Batch] = []
    plan: dict[str, list[Piece]] = {key: [] for key in seats}
    for batch in map(paged.batch, asked.batches()):
        batches.append(batch)
        for key, seat in seats.items():
            if questions := asked.questions(seat, batch, asked.possible):
                kind = kind_of(seat, batch, questions)
                plan[key].append(Piece(batch, kind, weights.seconds(seat, kind, questions)))
    paged.settle()
    if paged.large:
        batches_of.forget()  # it keeps the last that it has made, and nobody looks at those alone
    return batches, {key: found for key, found in plan.items() if found}


def left_of(plan: Plan, journal: Journal | Kept) -> Plan:
    """What is left of the plan.

    A seat is asked once more what others have still to answer, if its own answer is not kept to be compared
    with theirs: it was damaged with a part of the journal, or was too large. Its verdicts stay as they are.
    """
    due = {p.batch.id for key, found in plan.items() for p in found if p.batch.id not in journal.done(key)}

    def is_left(key: str, batch: str) -> bool:
        return batch not in journal.done(key) or (batch in due and not journal.holds(key, batch))

    return {key: [p for p in found if is_left(key, p.batch.id)] for key, found in plan.items()}
