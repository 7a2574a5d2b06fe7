"""The batches of ``quick``, remembered by what decides them: to make them is a second of every run.

An entry is a line of JSON, what is told of the batches, and their arrays one behind the other. It lies where
the digest does (:mod:`.digest`), and is as little trusted. Larger profiles are not remembered: they are much
more on a disk, and less of a run.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.form import Form
from xent_conformance.cases.profile import Profile
from xent_conformance.cases.told import Given, Rows, Told, given_of
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import FORMATS, JUDGED
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.kept import keep, kept
from xent_conformance.reference.operators import OPERATORS

REMEMBERED = Profile.QUICK
_ARRAYS = ("logits", "labels", "cotangent", "tangent")


def recall(entry: Path) -> bool:
    """The corpus has the batches of an entry as if it had made them; whether there was one that is whole."""
    body = kept(entry)
    if body is None:
        return False
    try:
        every = _read(body)
    except (ValueError, LookupError, TypeError):  # another version's: all are made anew
        return False
    for (operator, family, fmt, n), found in every:
        batches_of.know(found, OPERATORS[operator], families()[family], JUDGED[fmt], n)
    return True


_Group = tuple[str, str, str, int]
"""Operator, family, format and row length: what the corpus makes together."""


def _read(body: bytes) -> list[tuple[_Group, tuple[Batch, ...]]]:
    head, _, bits = body.partition(b"\n")
    place, numbers = 0, np.frombuffer(bits, "<f8").astype(np.float64)  # a copy, as writable as what is made
    every = []
    for operator, family, fmt, n, told in json.loads(head):
        found = []
        for one in told:
            arrays = []
            for shape in one["shapes"]:
                size = math.prod(shape)
                arrays.append(numbers[place : place + size].reshape(shape))
                place += size
            found.append(_batch(operator, family, fmt, one, arrays))
        every.append(((operator, family, fmt, n), tuple(found)))
    return every


def remember(entry: Path, made: Iterable[Batch]) -> None:
    """Write the batches, in the order of the corpus; where the disk refuses, the next run makes them."""
    groups: list[list[Any]] = []
    numbers = []
    for batch in made:
        group = [batch.operator, batch.family, batch.inputs.format.name, batch.inputs.n]
        if not groups or groups[-1][:-1] != group:
            groups.append([*group, []])
        groups[-1][-1].append(_told(batch))
        numbers += [getattr(batch.inputs, name).astype("<f8").tobytes() for name in _ARRAYS]
    with contextlib.suppress(OSError):
        keep(entry, b"".join([json.dumps(groups).encode(), b"\n", *numbers]))


def _told(batch: Batch) -> dict[str, Any]:
    i = batch.inputs
    return {
        "id": batch.id,
        "digest": i.digest,
        "shapes": [getattr(i, name).shape for name in _ARRAYS],
        "copies": i.copies,
        "empty_of": i.empty_of,
        "labels_format": i.labels_format.name if i.labels_format else None,
        "attributes": {**i.attributes.given, "examples": i.attributes.examples},
        "form": vars(batch.form),
        "cases": [[c.id, c.hash, c.variant, c.clause, c.clauses] for c in batch.cases],
        "given": given_of(batch),
    }


class _Remembered(Told):
    """A batch that another process has made."""

    lines: tuple[list[list[Any]], list[list[bool]]]

    def told(self) -> Rows:
        cases, given = self.lines
        rows = enumerate(cases)
        made = tuple(Case(name, bits, variant, row, *by) for row, (name, bits, variant, *by) in rows)
        return made, [Given(*its) for its in given]


def _batch(operator: str, family: str, fmt: str, told: dict[str, Any], arrays: list[Any]) -> Batch:
    attributes = {name: _tuples(value) for name, value in told["attributes"].items()}
    inputs = object.__new__(Inputs)  # which were looked at when they were made
    vars(inputs).update(
        zip(_ARRAYS, arrays, strict=True),
        operator=operator,
        format=JUDGED[fmt],
        attributes=Attributes(**attributes),
        copies=told["copies"],
        empty_of=told["empty_of"],
        labels_format=FORMATS[told["labels_format"]] if told["labels_format"] else None,
        digest=told["digest"],
    )
    form = Form(**{name: _tuples(value) for name, value in told["form"].items()})
    batch = _Remembered.made(family, inputs, form, told["id"])
    batch.lines = told["cases"], told["given"]
    return batch


def _tuples(told: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(map(_tuples, told)) if isinstance(told, list) else told
