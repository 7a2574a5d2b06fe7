"""Yardsticks of small batches, remembered by what decides them: to make them is a second of every run.

An entry holds each field of all of them, one behind the other, and which batch and output they are of
(:func:`xent_conformance.reference.cache.packed`). It is never trusted and never an error.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.digest import of_corpus
from xent_conformance.judging.yardstick import MEASURED_WITH, Yardstick
from xent_conformance.reference.cache import packed, unpacked
from xent_conformance.reference.kept import keep, kept, kept_folder
from xent_conformance.reference.oracle import Truth
from xent_conformance.reference.sources import hash_of

SMALL = 2**12
"""Elements of an output that is remembered; to measure with a larger one takes longer than to make it."""

LARGEST = 2**26
"""Bytes of an entry, about."""

_BYTES = 4 + 7 * 8 + 2
"""Of an element."""


def yardsticks_folder() -> Path:
    """Where yardsticks are remembered between runs."""
    return kept_folder() / "yardsticks"


@functools.cache
def of_yardsticks() -> str:
    """What decides them: this package, and the corpus with the reference and who computes it."""
    both = hash_of(Path(__file__).parent) + of_corpus()
    return hashlib.sha256(both.encode()).hexdigest()[:16]


class Yardsticks:
    """Those of an entry, and those that are made because it has them not; called, one of them."""

    def __init__(self, entry: Path) -> None:
        self._entry = entry
        self._known: dict[tuple[str, str], tuple[NDArray[Any], ...]] = {}
        self._size = 0
        self.new = 0
        """How many the entry has not."""
        body = kept(entry)
        if body is not None:
            with contextlib.suppress(ValueError, LookupError):  # another version's: all are made anew
                self._read(unpacked(body))

    def __call__(self, truth: Truth, output: str) -> Yardstick:
        key = truth.inputs.digest, output
        fields = self._known.get(key)
        if fields is None:
            made = Yardstick.of(truth, output)
            self._take(key, made)
            return made
        named = dict(zip(MEASURED_WITH, fields, strict=True))
        return Yardstick(truth.inputs.format, truth.enclosure(output), **named, _truth=truth, _output=output)

    def _take(self, key: tuple[str, str], made: Yardstick) -> None:
        if made.rounded.size <= SMALL and self._size < LARGEST:
            self._known[key] = tuple(getattr(made, name) for name in MEASURED_WITH)
            self._size += made.rounded.size * _BYTES
            self.new += 1

    def _read(self, arrays: dict[str, NDArray[Any]]) -> None:
        begin = 0
        shapes = arrays["shapes"].tolist()
        columns = [arrays[name] for name in MEASURED_WITH]
        for (digest, output), shape in zip(json.loads(arrays["whose"].tobytes()), shapes, strict=True):
            end = begin + shape[0] * shape[1]
            self._known[digest, output] = tuple(column[begin:end].reshape(shape) for column in columns)
            begin = end
        self._size = begin * _BYTES

    def write(self) -> None:
        """Remember all of them; where the disk refuses, the next run makes them again."""
        if not self.new:
            return
        every = list(self._known.values())
        arrays: dict[str, NDArray[Any]] = {
            "whose": np.frombuffer(json.dumps(list(self._known)).encode(), np.uint8),
            "shapes": np.array([fields[0].shape for fields in every], np.int32),
        }
        for name, column in zip(MEASURED_WITH, zip(*every, strict=True), strict=True):
            arrays[name] = np.concatenate([part.reshape(-1) for part in column])
        with contextlib.suppress(OSError):
            keep(self._entry, packed(arrays))


def yardsticks_of(profile: str) -> Yardsticks:
    """Those of a profile."""
    return Yardsticks(yardsticks_folder() / of_yardsticks() / f"{profile}.yardsticks")
