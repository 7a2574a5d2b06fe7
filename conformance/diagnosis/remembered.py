"""What was said of calls in an earlier run, by content: the same numbers are not looked at twice.

A file is a few arrays (:func:`xent_conformance.reference.cache.packed`), and holds what one kind of run has
said: whose questions, cases and instrument are the same. It is never trusted and never an error.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.diagnosis.predict import Name
from xent_conformance.diagnosis.said import PLACE_BYTES, Known, Said, Saying
from xent_conformance.diagnosis.where import sayings_of
from xent_conformance.reference.cache import packed, unpacked
from xent_conformance.reference.kept import keep, kept
from xent_conformance.reference.oracle import Oracle

_FIELDS = ("names", "places", "rows", "begins", "name", "says", "masks")


class Remembered:
    """The sayings of a file; nothing, where there is none that is whole."""

    def __init__(self, path: Path | None) -> None:
        body = None if path is None else kept(path)
        self._of: dict[bytes, int] = {}
        if body is None:
            return
        with contextlib.suppress(ValueError):  # another version's: all is said anew
            a = unpacked(body)
            if set(a) != set(_FIELDS):
                return
            self._a, self._names = a, [tuple(name) for name in json.loads(a["names"].tobytes())]
            sizes = np.repeat(2 * _bytes(a["rows"]), np.diff(a["begins"]))
            self._ends = np.cumsum(np.where(a["says"], sizes, 0))
            self._of = {place.tobytes(): i for i, place in enumerate(a["places"])}

    def at(self, place: bytes) -> Known:
        """What each hypothesis that was asked said of a call; None of those that said nothing."""
        i = self._of.get(place)
        if i is None:
            return {}
        a, (first, last) = self._a, self._a["begins"][i : i + 2]
        rows = int(a["rows"][i])
        half = _bytes(rows)
        known: dict[Name, Saying | None] = {}
        for number, says, end in zip(
            a["name"][first:last].tolist(),
            a["says"][first:last].tolist(),
            self._ends[first:last].tolist(),
            strict=True,
        ):
            known[self._names[number]] = None
            if says:
                bits = a["masks"][end - 2 * half : end].reshape(2, half)
                masks = np.unpackbits(bits, axis=1, count=rows).astype(np.bool_)
                known[self._names[number]] = Saying(self._names[number], *masks)
        return known


@contextlib.contextmanager
def remembering(oracle: Oracle, identity: Mapping[str, Any]) -> Iterator[Said]:
    """What says of calls in a run of that identity; the next one knows it, where truths are remembered."""
    if oracle.cache is None:
        yield Said(oracle)
        return
    path = sayings_of(identity)
    said = Said(oracle, Remembered(path))
    yield said
    if said.anything_new:
        remember(path, said.known)


def remember(path: Path, known: Mapping[bytes, Known]) -> None:
    """Write the file; where the disk refuses, the next run says it all again."""
    numbers: dict[Name, int] = {}
    rows, begins, name, says, masks = [], [0], [], [], []
    for of in known.values():
        there = [saying for saying in of.values() if saying is not None]
        rows.append(there[0].met.size if there else 0)
        begins.append(begins[-1] + len(of))
        name += [numbers.setdefault(n, len(numbers)) for n in of]
        says += [saying is not None for saying in of.values()]
        if there:
            both = np.array([(saying.contradicted, saying.met) for saying in there])
            masks.append(np.packbits(both, axis=2).ravel())
    arrays: dict[str, NDArray[Any]] = {
        "names": np.frombuffer(json.dumps(list(numbers)).encode(), dtype=np.uint8),
        "places": np.frombuffer(b"".join(known), dtype=np.uint8).reshape(-1, PLACE_BYTES),
        "rows": np.array(rows, dtype=np.int32),
        "begins": np.array(begins, dtype=np.int32),
        "name": np.array(name, dtype=np.uint16),
        "says": np.array(says, dtype=np.bool_),
        "masks": np.concatenate(masks or [np.zeros(0, dtype=np.uint8)]),
    }
    with contextlib.suppress(OSError):
        keep(path, packed(arrays))


def _bytes(rows: Any) -> Any:
    """Of a mask of so many rows."""
    return (rows + 7) // 8
