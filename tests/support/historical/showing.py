"""Whether the cases that claim a report catch its defect: a fault asked what they ask, as a run would ask it.

A fault is named in ``cases/data/historical.json``: ``operator:name`` is seeded (:mod:`tests.support.faults`),
``variant:operator:output`` a formula on the report's own rows (:mod:`.formulas`).
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Collection, Mapping

from tests.support.faults.adapter import RIGHT, Reported
from tests.support.faults.asked import Bench
from tests.support.faults.fault import Fault
from tests.support.faults.reported import REPORTED
from tests.support.faults.seeded import FAULTS
from tests.support.historical.asking import formula_flags
from tests.support.historical.formulas import WRONG
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.families.historical import path_safe
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS

SEATS = {Seat(Framework("reported", "tests.support.faults.adapter:Reported", "")): Reported}

SEEDED: Mapping[str, Fault] = {fault.name: fault for fault in (*FAULTS, *REPORTED)}

FORMULAS: Mapping[str, tuple[str, str, str]] = {
    f"{path_safe(name.partition(' ')[0])}:{operator}:{output}": (name, operator, output)
    for name, operator, output in WRONG
}

FEW = 4
"""Of the batches that a pattern names so many are tried, the cheapest first."""

DTYPES = ("float32", "float16", "bfloat16", "float64")
"""In the order in which they are tried."""


def matching(batch: Batch, pattern: str) -> set[str]:
    return {case.id for case in batch.cases if fnmatch.fnmatchcase(case.id, pattern)}


@functools.cache
def of_pattern(pattern: str) -> tuple[Batch, ...]:
    """All batches of the corpus that have a case of this pattern, the cheapest first."""
    name, family, *rest = pattern.split("/")
    operator, of = OPERATORS[name], families()[family]
    dtype, n = (*rest[1:-1], "*", "*")[:2]
    found = [
        b
        for length in of.lengths(operator, "full")
        for fmt in of.formats_asked("full", length)
        if fnmatch.fnmatchcase(fmt, dtype) and fnmatch.fnmatchcase(f"n{length}", n)
        for b in batches_of(operator, of, FORMATS[fmt], length)
        if matching(b, pattern)
    ]
    return tuple(sorted(found, key=lambda b: (_elements(b), DTYPES.index(b.inputs.format.name))))


def _elements(batch: Batch) -> int:
    """What is asked, in steps: of batches that cost about the same the formats decide."""
    return (batch.inputs.logits.size * batch.inputs.copies).bit_length() // 4


@functools.cache
def _bench() -> Bench:
    return Bench(default_cache(), SEATS)


@functools.cache
def _asked(batch_id: str, pattern: str, name: str) -> frozenset[tuple[str, str]]:
    """The cases of a batch that an implementation breaks, each with the clause."""
    batch = next(b for b in of_pattern(pattern) if b.id == batch_id)
    bench = _bench()
    before, bench.broken = bench.broken, []
    bench.ask(batch, "full", [name])
    found, bench.broken = bench.broken, before
    assert bench.judged[name], f"{name} is not asked {batch_id}"
    return frozenset((row["case"], row["clause"]) for row in found)


def caught(name: str, pattern: str) -> set[str]:
    """The clauses that the fault breaks in cases of the pattern; nothing where it is not caught.

    Where the fault is caught, a correct implementation has to pass.
    """
    if name in FORMULAS:
        own, _ = formula_flags(FORMULAS[name])
        return {"its own"} if fnmatch.filter(own, pattern) else set()
    if SEEDED[name].operator != pattern.split("/")[0]:
        return set()
    for batch in of_pattern(pattern)[:FEW]:
        cases = matching(batch, pattern)
        clauses = _of(cases, _asked(batch.id, pattern, name))
        if clauses:
            accused = _of(cases, _asked(batch.id, pattern, RIGHT))
            assert not accused, f"{pattern} accuses what is right: {accused}"
            return clauses
    return set()


def _of(cases: Collection[str], broken: Collection[tuple[str, str]]) -> set[str]:
    return {clause for case, clause in broken if case in cases}
