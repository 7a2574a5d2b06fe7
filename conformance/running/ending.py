"""What becomes of the verdicts when all is answered: what is plain elsewhere, causes, the header."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.diagnosis.causes import diagnose
from xent_conformance.diagnosis.said import Said
from xent_conformance.discovery.framework import Seat
from xent_conformance.judging.charge import by_what_is_plain
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import PART, Run
from xent_conformance.running.claims import told_of
from xent_conformance.running.header import Asked, header
from xent_conformance.running.ledger import Ledger


def ended(
    asked: Asked,
    batches: Sequence[Batch],
    seats: Mapping[str, Seat],
    ledger: Ledger,
    verdicts: Callable[[], pl.DataFrame],
    said: Said,
    more: Mapping[str, Any],
    began: float | None,
    relieve: Callable[[], None] = lambda: None,
) -> Run:
    """A whole run of the ``verdicts``, which are had when they are looked at, for they are much memory.

    ``more`` goes into its header; ``began``: when, if it is what took the time.

    ``relieve`` is called where much of what memory holds is not looked at any more.
    """
    judged = verdicts()
    with ledger.timed("diagnosis"):
        charged = Run(by_what_is_plain(judged), ({},))
        del judged  # which has columns that the run has not
        relieve()
        named = diagnose(charged, batches, said, relieve)
    relieve()
    _total(ledger, began)
    told = header(asked, seats, ledger, named.verdicts) | {"causes": named.causes, **more}
    return Run(named.verdicts, (told | _files(asked.files, batches, said.oracle),))


def part_ended(
    asked: Asked,
    batches: Sequence[Batch],
    seats: Mapping[str, Seat],
    ledger: Ledger,
    verdicts: Callable[[], pl.DataFrame],
    said: Said,
    more: Mapping[str, Any],
    began: float | None,
) -> Run:
    """A part of one: as it was judged, row by row. What all rows together say is said by all parts."""
    _total(ledger, began)
    index, _, of = asked.as_dict()["shard"][0].partition("/")
    part = {
        "index": int(index),
        "of": int(of),
        "batches": [batch.id for batch in batches],
        # whose the frameworks of the header are, in their order
        "seats": [key for key, seat in seats.items() if key in ledger.hellos and not seat.apart],
    }
    judged = verdicts()
    told = header(asked, seats, ledger, judged.clear()) | {"causes": {}, PART: part, **more}
    return Run(judged, (told,))


def _total(ledger: Ledger, began: float | None) -> None:
    if began is not None:
        ledger.seconds["total"] = time.perf_counter() - began


def _files(files: Sequence[CaseFile], batches: Sequence[Batch], oracle: Oracle) -> dict[str, Any]:
    return {"cases": told_of(files, batches, oracle)} if files else {}
