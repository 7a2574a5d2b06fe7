"""What becomes of the verdicts when all is answered: what is plain elsewhere, causes, the header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.diagnosis.said import Said
from xent_conformance.discovery.framework import Seat
from xent_conformance.judging.charge import CHARGED, by_what_is_plain
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import PART, Put, Run
from xent_conformance.running.claims import told_of
from xent_conformance.running.header import Asked, header
from xent_conformance.running.ledger import Ledger
from xent_conformance.running.relief import Relief
from xent_conformance.running.together import diagnose_together

Verdicts = Callable[[Put], pl.DataFrame]
"""Verdicts that are had when they are looked at, for they are much memory: each column where it is put."""


def ended(
    asked: Asked,
    batches: Sequence[Batch],
    seats: Mapping[str, Seat],
    ledger: Ledger,
    verdicts: Verdicts,
    said: Said,
    more: Mapping[str, Any],
    relief: Relief,
    jobs: int,
) -> Run:
    """A whole run of the ``verdicts``. ``more`` goes into its header; at most ``jobs`` processes help."""
    judged = verdicts(relief.put)
    with ledger.timed("diagnosis"):
        charged = Run(_put(by_what_is_plain(judged), CHARGED, relief), ({},))
        del judged  # which has columns that the run has not
        relief()
        named = diagnose_together(charged, batches, said, jobs, relief)
    table = _put(named.verdicts, ("cause",), relief)
    relief()
    ledger.over()
    told: dict[str, Any] = {}
    run = Run(table, (told,), relief.put)
    told |= header(asked, seats, ledger, run) | {"causes": named.causes, **more}
    told |= _files(asked.files, batches, said.oracle)
    return run


def _put(table: pl.DataFrame, names: Iterable[str], relief: Relief) -> pl.DataFrame:
    """The table, these columns of which are new, and lie where the others do."""
    return table.with_columns(relief.put(table[name]) for name in names)


def part_ended(
    asked: Asked,
    batches: Sequence[Batch],
    seats: Mapping[str, Seat],
    ledger: Ledger,
    verdicts: Verdicts,
    said: Said,
    more: Mapping[str, Any],
    relief: Relief,
    jobs: int,
) -> Run:
    """A part of one: as it was judged, row by row. What all rows together say is said by all parts."""
    ledger.over()
    index, _, of = asked.as_dict()["shard"][0].partition("/")
    part = {
        "index": int(index),
        "of": int(of),
        "batches": [batch.id for batch in batches],
        # whose the frameworks of the header are, in their order
        "seats": [key for key, seat in seats.items() if key in ledger.hellos and not seat.apart],
    }
    judged = verdicts(relief.put)
    told = header(asked, seats, ledger, Run(judged.clear(), ({},))) | {"causes": {}, PART: part, **more}
    return Run(judged, (told,))


def _files(files: Sequence[CaseFile], batches: Sequence[Batch], oracle: Oracle) -> dict[str, Any]:
    return {"cases": told_of(files, batches, oracle)} if files else {}
