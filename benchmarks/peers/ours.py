"""What ``quick`` of this suite notices of the same kernels, through the same names.

A kernel is asked as a framework would be that has no more than the project's public names take: those
operators, attributes, formats and layouts, values alone where its tests ask for no gradients. Where a name
computes a part of an operator, what its callers do beside is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers.peer import Peer, Through
from benchmarks.peers.stage import Kernel
from tests.support.corpus import of_corpus
from tests.support.faults.asked import Dying
from xent_conformance.asking.asker import ask
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.frameworks.interface import Call, Implementation, NotOffered
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import STATUSES
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import FAULTS, Status

NAME = "peer"
PROFILE = "quick"

_BROKEN = [STATUSES.index(Status(status)) for status in FAULTS]


class Asked:
    """The kernel as an adapter; ``for_peer`` says what it has."""

    name = distribution = NAME
    modes: ClassVar = {"eager": PROFILE}
    autodiff = True
    layouts: ClassVar[frozenset[str]] = frozenset()
    formats: ClassVar[Mapping[str, frozenset[str]]] = {}
    implementations: ClassVar[tuple[Implementation, ...]] = ()
    not_offered = (NotOffered("a kernel takes arguments that fit", manners=("misfit",)),)
    through: ClassVar[Mapping[str, Through]] = {}
    kernel: ClassVar = Kernel("", {})

    @classmethod
    def for_peer(cls, peer: Peer) -> None:
        """Has what the peer's names take, and nothing else."""
        cls.autodiff, cls.through = peer.gradients, peer.through
        cls.layouts, cls.formats = peer.layouts, {"eager": peer.formats}
        cls.implementations = tuple(
            Implementation(NAME, operator, "composed", operator, takes=takes)  # type: ignore[arg-type]
            for operator, takes in peer.doors.items()
        )

    def version(self) -> str:
        return "0"

    def environment(self) -> Mapping[str, str]:
        return {}

    def devices(self) -> list[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Any]:
        operator = call.implementation.operator
        answering = type(self).kernel.answers[operator]
        return self.through[operator](answering, call) if operator in self.through else answering(call)


class Ours:
    """Asks kernels what ``quick`` asks, until one verdict breaks a clause."""

    def __init__(self, peer: Peer) -> None:
        Asked.for_peer(peer)
        self.peer = peer
        self.seat = Seat(Framework(NAME, f"{__name__}:Asked", ""))
        self._connection = Dying(Asked)  # type: ignore[arg-type]  # a protocol knows no class variables
        self._oracle = Oracle(default_cache())
        self._judges: dict[str, Judge] = {}
        every = of_corpus(PROFILE, operators=peer.doors, dtypes=peer.formats)
        self._every = sorted(every, key=lambda b: (b.inputs.logits.size, b.id))
        self._telling: list[Batch] = []

    def by(self, kernel: Kernel) -> str:
        """The id of a batch that tells the kernel from a right one; empty if none does."""
        Asked.kernel = kernel
        for batch in self._batches(frozenset(kernel.answers) & frozenset(self.peer.doors)):
            if self._breaks(batch):
                self._telling = [batch, *(b for b in self._telling if b is not batch)]
                return batch.id
        return ""

    def _batches(self, operators: frozenset[str]) -> Iterator[Batch]:
        """Those that told others first, then what is small."""
        yield from (b for b in self._telling if b.operator in operators)
        yield from (b for b in self._every if b.operator in operators)

    def _breaks(self, batch: Batch) -> bool:
        asked = questions(self.seat, batch, ["cpu"], [NAME], PROFILE)
        if not asked:
            return False
        if batch.id not in self._judges:
            self._judges[batch.id] = Judge(self._oracle.truth(batch.inputs))
        judge = self._judges[batch.id]
        answers = [Answered(batch, judge, answer, {}) for answer in ask(self._connection, batch, asked)]
        return bool(np.isin(verdicts(answers).status, _BROKEN).any())
