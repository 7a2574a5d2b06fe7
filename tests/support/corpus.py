"""The corpus, made once in a process for all its tests; nobody can write into the arrays.

The suite keeps the last batches that it made; tests make the whole corpus many times over, and have room.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import shared
from xent_conformance.cases import corpus as made
from xent_conformance.cases import remembered
from xent_conformance.cases.case import Batch
from xent_conformance.cases.family import Family
from xent_conformance.cases.recent import Recent
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

Corpus = Callable[[str], tuple[Batch, ...]]
"""What the fixture ``corpus`` gives."""

_make = made.batches_of.__wrapped__


def _read_only(operator: Operator, family: Family, fmt: Format, n: int) -> tuple[Batch, ...]:
    found = _make(operator, family, fmt, n)
    for b in found:
        for array in (b.inputs.logits, b.inputs.labels, b.inputs.cotangent, b.inputs.tangent):
            array.flags.writeable = False
    return found


class _All(Recent[tuple[Batch, ...]]):
    """Keeps whatever was made, although a run that has written its corpus to a file has it forgotten."""

    _began = False

    def forget(self) -> None:
        if not self._began:
            super().forget()
            self._began = True


made.batches_of = _All(_read_only, 1, lambda _: 0)


def as_in_a_run(monkeypatch: pytest.MonkeyPatch) -> Recent[tuple[Batch, ...]]:
    """Until the test ends, what is made is kept and forgotten as it is in a run."""
    own = Recent(_make, made.LIMIT, made._size)
    for module in (made, remembered):
        monkeypatch.setattr(module, "batches_of", own)
    return own


@functools.cache
def corpus(profile: str) -> tuple[Batch, ...]:
    """All batches of a profile, in their order."""
    return tuple(made.batches(profile))


def of_corpus(
    profile: str,
    *,
    operators: Collection[str] | None = None,
    families: Collection[str] | None = None,
    dtypes: Collection[str] | None = None,
) -> list[Batch]:
    """Those that name one of these operators, families and formats; None is all. No others are made."""
    return list(made.batches(profile, operators=operators, families_=families, dtypes=dtypes))


class Told(NamedTuple):
    """What a case is called, and one of the clauses that it or an output of it is charged to."""

    operator: str
    family: str
    variant: str
    clause: str


@functools.cache
def told() -> frozenset[Told]:
    """Of every case there is: all of them are in ``full``. Its batches are made for it once in a session."""
    name = "told.json"

    def make(folder: Path) -> None:
        found = {
            Told(b.operator, b.family, a.variant, clause)
            for b in corpus("full")
            for a in b.asks
            for clause in {a.clause, *a.clauses.values()}
        }
        (folder / name).write_text(json.dumps(sorted(found)), encoding="utf-8")

    made = shared.once("told-of-the-corpus", make) / name
    return frozenset(Told(*one) for one in json.loads(made.read_text(encoding="utf-8")))
