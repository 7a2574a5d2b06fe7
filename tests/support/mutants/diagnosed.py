"""What a diagnosis names the mechanical mutants: nobody wrote them, and no hypothesis was made for them.

Each is asked small batches of binary32 of an operator that its change is in, until a few of them are broken;
the rows of those, and of an ordinary batch that is right, are what it is diagnosed by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from tests.support.corpus import corpus, of_corpus
from tests.support.faults.asked import Bits, Dying, bits
from tests.support.faults.diagnosed import TARGET, named_first, of_interest
from tests.support.judging import rows_of
from tests.support.mutants.adapter import DOORS, NAME, Textbook
from tests.support.mutants.asked import SEAT
from tests.support.mutants.mutate import Mutant, callers
from xent_conformance.asking.asker import ask
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.causes import diagnosed_alone
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import FAULTS, ORDINARY, Row
from xent_conformance.reports.views.causes import causes

FAMILIES = (ORDINARY, "special_values", "attributes", "element_weights")
"""What most changes show in; the others are told by a batch of another family, and not diagnosed here."""

BROKEN = 4
"""So many broken batches of a mutant are enough to say what it computes."""

CLASSES = 16
"""At most."""


def asked_of(function: str) -> Sequence[Batch]:
    """The batches that show a change in a function of the textbook: of its own operator, or its first."""
    doors = callers(function)
    reached = [operator for operator, (door, _) in DOORS.items() if door in doors]
    own = [operator for operator in reached if DOORS[operator][0] == function] or reached[:1]
    found = of_corpus("quick", operators=own, families=list(FAMILIES), dtypes=["float32"])
    return sorted((b for b in found if b.inputs.n <= CLASSES), key=lambda b: (b.family != ORDINARY, b.id))


def verdicts(mutants: Iterable[Mutant]) -> pl.DataFrame:
    """What is kept of each, under its name as an implementation's."""
    oracle, connection = Oracle(default_cache()), Dying(Textbook)
    judges: dict[str, Judge] = {}
    batches: dict[str, Sequence[Batch]] = {}
    told: dict[tuple[str, Bits], Sequence[Row]] = {}
    kept: list[Row] = []
    for mutant in mutants:
        module, broken = mutant.module(), 0
        if mutant.function not in batches:
            batches[mutant.function] = asked_of(mutant.function)
        for batch in batches[mutant.function]:
            Textbook.module = module
            if batch.id not in judges:
                judges[batch.id] = Judge(oracle.truth(batch.inputs))
            rows: list[Row] = []
            for answer in ask(connection, batch, questions(SEAT, batch, ["cpu"], [NAME], "quick")):
                key = batch.id, bits(answer)
                if key not in told:  # verdicts are a function of the bits
                    every = rows_of(batch, judges[batch.id], answer, TARGET)
                    told[key] = of_interest(every, ordinary=batch.family == ORDINARY)
                mine: Row = {"implementation": mutant.name, "mode": "eager", "device": "cpu"}
                rows += [row | mine for row in told[key]]
            kept += rows
            broken += any(row["status"] in FAULTS for row in rows)
            if broken == BROKEN:
                break
    return pl.DataFrame(kept, schema=SCHEMA)


def named(mutants: Iterable[Mutant]) -> Mapping[str, str]:
    """Of each mutant that something is broken of, what explains most of it; empty where nothing does."""
    found = verdicts(mutants)
    broken = found.filter(pl.col("status").is_in(FAULTS))["implementation"].unique().to_list()
    alone = diagnosed_alone(found, corpus("quick"), Oracle(default_cache()))
    return {name: named_first(causes(alone[name])) for name in broken}
