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
from xent_conformance.diagnosis.said import PLACE_BYTES, Said
from xent_conformance.diagnosis.sayings import Packed
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
            sizes = np.repeat(2 * ((a["rows"] + 7) // 8), np.diff(a["begins"]))
            self._ends = np.concatenate([[0], np.cumsum(np.where(a["says"], sizes, 0))])
            self._of = {place.tobytes(): i for i, place in enumerate(a["places"])}

    def at(self, place: bytes) -> Packed:
        """What each hypothesis that was asked said of a call; None of those that said nothing."""
        i = self._of.get(place)
        if i is None:
            return Packed()
        a, (first, last) = self._a, self._a["begins"][i : i + 2]
        begin, end = self._ends[[first, last]]
        return Packed(
            tuple(self._names[number] for number in a["name"][first:last].tolist()),
            a["says"][first:last].tobytes(),
            int(a["rows"][i]),
            a["masks"][begin:end].tobytes(),
        )


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


def remember(path: Path, known: Mapping[bytes, Packed]) -> None:
    """Write the file; where the disk refuses, the next run says it all again."""
    numbers: dict[Name, int] = {}
    name = [numbers.setdefault(n, len(numbers)) for of in known.values() for n in of.names]
    arrays: dict[str, NDArray[Any]] = {
        "names": np.frombuffer(json.dumps(list(numbers)).encode(), dtype=np.uint8),
        "places": np.frombuffer(b"".join(known), dtype=np.uint8).reshape(-1, PLACE_BYTES),
        "rows": np.array([of.rows for of in known.values()], dtype=np.int32),
        "begins": np.cumsum([0, *(len(of.names) for of in known.values())], dtype=np.int32),
        "name": np.array(name, dtype=np.uint16),
        "says": np.frombuffer(b"".join(of.says for of in known.values()), dtype=np.bool_),
        "masks": np.frombuffer(b"".join(of.masks for of in known.values()), dtype=np.uint8),
    }
    with contextlib.suppress(OSError):
        keep(path, packed(arrays))
