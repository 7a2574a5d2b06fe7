"""The batches of one seat, shared among several workers of it so that the answers are those of one worker.

What a framework has compiled, and what it does at a first call, belongs to calls of one kind: an operator, a
format, a shape and a manner. All batches of a kind go to one worker, in the order of the corpus; the kinds
are independent of each other, and the largest are asked first. Modes that say otherwise of themselves
(``in_order``) are one kind.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from xent_conformance.asking.arrays import filled_rows
from xent_conformance.asking.questions import manner_of
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.running.turns import Turns

Kind = Hashable

IN_ORDER: Kind = "in order"
"""The kind of all that is asked in modes whose answers depend on what came before."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A batch that a seat is asked: which calls it is like, and about how many seconds it takes."""

    batch: Batch
    kind: Kind
    seconds: float


def kind_of(seat: Seat, batch: Batch, questions: Iterable[Question]) -> Kind:
    """What batches have in common whose calls may share what is compiled, or otherwise remembered."""
    if any(question.mode in seat.declaration.in_order for question in questions):
        return IN_ORDER
    inputs = batch.inputs
    shape = (inputs.format.name, inputs.n, filled_rows(batch), inputs.tangent.size > 0)
    return batch.operator, *shape, manner_of(batch)


def largest_first(pieces: Mapping[str, Sequence[Piece]]) -> dict[str, list[list[Piece]]]:
    """Of each seat its pieces by kind, the kind that costs all seats together most first.

    One order for all: what one has answered is compared with what the next answers soon after.
    """
    cost: Counter[Kind] = Counter()
    for found in pieces.values():
        for piece in found:
            cost[piece.kind] += piece.seconds  # type: ignore[assignment]  # seconds are no counts
    ordered = {}
    for seat, found in pieces.items():
        by_kind: dict[Kind, list[Piece]] = {}
        for piece in found:
            by_kind.setdefault(piece.kind, []).append(piece)
        ordered[seat] = sorted(by_kind.values(), key=lambda same: -cost[same[0].kind])
    return ordered


class Share:
    """What is left of one seat's batches. Workers take from it, each in a thread of its own."""

    def __init__(self, kinds: Iterable[Sequence[Piece]]) -> None:
        self._kinds = deque(deque(same) for same in kinds)
        self._lock = threading.Lock()
        self._whole = sum(piece.seconds for same in self._kinds for piece in same)
        self.answered = 0.0
        """Seconds that the pieces were thought to take which have been answered."""

    @property
    def progress(self) -> float:
        """What part of it is answered."""
        return self.answered / self._whole if self._whole else 1.0

    @property
    def left(self) -> float:
        """Seconds that the pieces are thought to take which nobody has taken."""
        with self._lock:
            return sum(piece.seconds for same in self._kinds for piece in same)

    @property
    def kinds(self) -> int:
        """Kinds that nobody has taken."""
        return len(self._kinds)

    def taken(self) -> deque[Piece] | None:
        """The next kind; None where there is none left."""
        with self._lock:
            return self._kinds.popleft() if self._kinds else None

    def done(self, piece: Piece) -> None:
        """It is answered."""
        with self._lock:
            self.answered += piece.seconds

    def back(self, same: deque[Piece]) -> None:
        """What one has taken and does not answer any more: it is the next to be taken."""
        with self._lock:
            if same:
                self._kinds.appendleft(same)


class Taker(Iterator[Batch]):
    """The batches that one worker is asked, taken while it answers; closed, it gives back what it has left.

    ``goes_on`` is asked between two kinds; where it says no, the worker has nothing more to answer. If there
    are ``turns``, each batch is answered in its turn.
    """

    def __init__(
        self, share: Share, goes_on: Callable[[], bool] = lambda: True, turns: Turns | None = None
    ) -> None:
        self._share, self._goes_on, self._turns = share, goes_on, turns
        self._same: deque[Piece] = deque()
        self._asked: Piece | None = None
        self._begun = self._over = False

    def __iter__(self) -> Self:
        return self

    def _taken(self) -> bool:
        """Whether there is a batch for it: of the kind that it has begun, or of one that it takes now."""
        if not self._same and not self._over:
            # a worker that has just started has been thought about
            self._over = self._begun and not self._goes_on()
            self._begun = True
            self._same = (None if self._over else self._share.taken()) or deque()
        return bool(self._same)

    def following(self) -> Batch | None:
        """What it gives next, where nobody else may answer first."""
        return self._same[0].batch if self._turns is None and self._taken() else None

    def __next__(self) -> Batch:
        """The next batch; raises StopIteration where there is none."""
        if not self._taken():
            raise StopIteration
        if self._turns is not None:
            self._turns.begin(self._share.progress)
        self._asked = self._same.popleft()
        return self._asked.batch

    def answered(self) -> None:
        """The batch that it was given last is answered."""
        if (piece := self._no_longer()) is not None:
            self._share.done(piece)

    def close(self) -> None:
        """What it was asked and has not answered, and all that is like it, is another's."""
        if (piece := self._no_longer()) is not None:
            self._same.appendleft(piece)
        self._share.back(self._same)
        self._same = deque()

    def _no_longer(self) -> Piece | None:
        """What it is asked, which it is not from now on."""
        piece, self._asked = self._asked, None
        if piece is not None and self._turns is not None:
            self._turns.end()
        return piece
