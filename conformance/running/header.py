"""The header of a run file: what was asked, by what, and what a report needs beside the verdicts."""

from __future__ import annotations

import datetime
import functools
import hashlib
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import families
from xent_conformance.cases.digest import of_cases, remembered_digest
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.discovery.framework import Seat
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.formats import native
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.sources import COMPUTING, hash_of, of_reference
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.causes import worst_cases
from xent_conformance.running.ledger import Ledger
from xent_conformance.version import __version__

INSTRUMENT = ("devices", "frameworks", "worker", "discovery", "asking", "judging", "running")
"""Folders of ours that decide a verdict beside the reference and the cases: who is asked, how, the judge."""


@functools.cache
def of_instrument() -> str:
    """Hash of the source of :data:`INSTRUMENT`, and of the cases.

    The corpus has a digest of its own, which does not say what of it a compiler is asked.
    """
    both = hash_of(Path(__file__).parents[1], INSTRUMENT) + of_cases()
    return hashlib.sha256(both.encode()).hexdigest()[:16]


class Asked(Protocol):
    """What of a run's questions a header tells: see :class:`xent_conformance.running.plan.Asked`."""

    @property
    def files(self) -> Sequence[CaseFile]:
        """The files whose cases are asked instead of the corpus."""

    def find(self, case_id: str) -> tuple[Batch, Case]:
        """The case of that id, with its batch."""

    def as_dict(self) -> Mapping[str, Any]:
        """The selection."""


def identity(asked: Asked) -> dict[str, Any]:
    """What must be equal for two runs to have asked and judged the same."""
    selection = asked.as_dict()
    return {
        "suite": __version__,
        "selection": dict(selection),
        "corpus": _content(asked.files) if asked.files else remembered_digest(selection["profile"]),
        "reference": of_reference(),
        "instrument": of_instrument(),
        "judged_with": {"python": platform.python_version()} | {name: version(name) for name in COMPUTING},
    }


def _content(files: Sequence[CaseFile]) -> str:
    """Hash of what the files ask: it stands where the digest of the corpus does."""
    return hashlib.sha256("".join(f"{file.digest}\n" for file in files).encode()).hexdigest()


def header(asked: Asked, seats: Mapping[str, Seat], ledger: Ledger, run: Run) -> dict[str, Any]:
    """Who was asked what, what was finished and how long it took, and what a report needs to show it."""
    chosen = {seats[key].name: seats[key].framework for key in ledger.planned}.values()
    return {
        **identity(asked),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "operators": {o.name: o.formula for o in OPERATORS.values()},
        "families": {f.name: f.about for f in asked.files or families().values()},
        "clauses": {c.id: {"level": c.level, "title": c.title, "text": c.text} for c in clauses().values()},
        "notes": {c.id: c.note for c in clauses().values() if c.note},
        "exhibits": exhibits(_shown(run), asked.find),
        "planned": ledger.planned,
        "finished": {key: ledger.finished[key] for key in ledger.planned},
        "absent": ledger.absent,
        "not_installed": ledger.not_installed,
        "excluded": _excluded(asked),
        "distances": ledger.distances.listed(),
        "frameworks": [
            {**ledger.hellos[key], **_of_seat(seat), "starts": ledger.starts.get(key, 1)}
            for key, seat in seats.items()  # in their order, whoever started first
            if key in ledger.hellos and not seat.apart  # of which the seat beside it says the same
        ],
        "seconds": _rounded(ledger.seconds),
        "seconds_by_mode": {mode: _rounded(spent) for mode, spent in sorted(ledger.spent.items())},
        "implementations": [
            {"framework": f.name, "name": i.name, "operator": i.operator, "note": i.note}
            for f in chosen
            for i in f.declaration.implementations
        ],
    }


OF_SEAT = ("variant", "setting")
"""What a header says of a worker that the worker does not: under which setting it was started."""


def _of_seat(seat: Seat) -> dict[str, Any]:
    setting = seat.declaration.variants.get(seat.variant)
    return {"variant": seat.variant} | ({} if setting is None else {"setting": setting.told()})


def _excluded(asked: Asked) -> list[dict[str, str]]:
    """What a selection leaves out by name; a function of one's own leaves out nothing."""
    if not isinstance(asked, Selection):
        return []
    chosen = asked.chosen_frameworks()
    return [{"framework": f.name, "name": name} for f in chosen for name in asked.excluded(f)]


def _shown(run: Run) -> list[str]:
    """The cases that stand for a finding or for a cause: their inputs are carried along."""
    return sorted({*worst_cases(run), *findings(run.verdicts)["case"]})


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds to the millisecond."""
    return {what: round(value, 3) for what, value in seconds.items()}


SHOWN = 64
"""A row longer than this is carried by its first elements; its id regenerates all of it."""


def exhibits(case_ids: Iterable[str], find: Callable[[str], tuple[Batch, Case]]) -> dict[str, dict[str, Any]]:
    """For each case: dtype, length, the first elements of its arrays as hex bits, and how it is asked."""
    found = {}
    for case_id in case_ids:
        batch, case = find(case_id)
        inputs = batch.inputs
        dtype = inputs.format.dtype

        def bits(row: Any, dtype: Any = dtype) -> str:
            return native(row[:SHOWN], dtype).astype(dtype.newbyteorder("<")).tobytes().hex()

        index = inputs.definition.labels == "index"
        chosen = [int(y) for y in inputs.labels[case.row, :SHOWN]] if index else []
        found[case_id] = {
            "dtype": inputs.format.name,
            "n": inputs.n,
            "logits": bits(inputs.logits[case.row]),
            "labels": chosen if index else bits(inputs.labels[case.row]),
            "cotangent": bits(inputs.cotangent[case.row]),
            "tangent": bits(inputs.tangent[case.row]) if inputs.tangent.size else "",
            "asked": batch.manner,
        }
    return found
