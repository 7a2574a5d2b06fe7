"""Asks mutants what everybody is asked, until one verdict tells them from the textbook."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from tests.support import shared
from tests.support.corpus import of_corpus
from tests.support.faults.asked import Bits, Dying, bits
from tests.support.mutants.adapter import DOORS, NAME, Textbook
from tests.support.mutants.mutate import Mutant, callers, mutants
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.asker import ask
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import STATUSES
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import FAULTS

SEAT = Seat(Framework(NAME, "tests.support.mutants.adapter:Textbook", ""))


class Bench:
    """The batches of a profile, and the judge of each, made once for all mutants."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self._oracle = Oracle(default_cache())
        self._connection = Dying(Textbook)
        self._judges: dict[str, Judge] = {}
        self._told: dict[tuple[str, Bits], bool] = {}
        self._telling: dict[str, list[Batch]] = {}

    def breaks(self, module: ModuleType, batch: Batch) -> bool:
        """Whether a verdict of one batch breaks a clause."""
        Textbook.module = module
        if batch.id not in self._judges:
            self._judges[batch.id] = Judge(self._oracle.truth(batch.inputs))
        asked = questions(SEAT, batch, ["cpu"], [NAME], self.profile)
        answers = list(ask(self._connection, batch, asked))
        return any(self._broken(batch, answer) for answer in answers)

    def _broken(self, batch: Batch, answer: Answer) -> bool:
        """Verdicts are a function of the bits, and most mutants return those of the textbook."""
        key = batch.id, bits(answer)
        if key not in self._told:
            judged = verdicts([Answered(batch, self._judges[batch.id], answer, {})])
            broken = np.isin(judged.status, [STATUSES.index(status) for status in FAULTS])
            self._told[key] = bool(broken.any())
        return self._told[key]

    def caught(self, mutant: Mutant) -> bool:
        """Whether a batch tells a mutant from the textbook; first come those that told one like it."""
        module, telling = mutant.module(), self._telling.setdefault(mutant.function, [])
        for batch in (*telling, *self._batches(mutant.function)):
            if self.breaks(module, batch):
                telling[:] = [batch, *(b for b in telling if b is not batch)]
                return True
        return False

    def _batches(self, function: str) -> Iterator[Batch]:
        """Of the operators that the function has a part in, what is small first."""
        doors = callers(function)
        operators = [operator for operator, (door, _) in DOORS.items() if door in doors]
        found = of_corpus(self.profile, operators=operators)
        yield from sorted(found, key=lambda b: (b.inputs.logits.size, b.id))


@functools.cache
def survivors() -> tuple[Mutant, ...]:
    """The mutants that ``quick`` does not tell from the textbook; asked once in a test session."""

    def put(folder: Path) -> None:
        bench = Bench("quick")
        left = [m.name for m in mutants() if not bench.caught(m)]
        (folder / "left.json").write_text(json.dumps(left), encoding="utf-8")

    left = json.loads((shared.once("mutants-in-quick", put) / "left.json").read_text(encoding="utf-8"))
    return tuple(m for m in mutants() if m.name in left)
