"""Certified truths on disk, by content.

An entry is named by the batch's digest, below the hash of the source that decides it. Its arrays are a line
of JSON that describes them, then their bits one after another: NumPy's own container parses a header for
each array, which is slower than reading ten numbers is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.exact.ball import Certified
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.kept import keep, kept, kept_folder

_FIELDS = ("hi", "lo", "radius", "exponent")


def default_cache() -> Path:
    """Where truths are remembered between runs."""
    return kept_folder() / "reference"


def write_entry(path: Path, certified: Certified) -> None:
    """Write an entry whole or not at all. Raises OSError, and leaves nothing of it then."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {"undecided": certified.undecided}
    for name, enclosure in certified.outputs.items():
        arrays |= {f"{name}.{field}": getattr(enclosure, field) for field in _FIELDS}
    arrays |= {f"{name}.size": array for name, array in certified.sizes.items()}
    keep(path, packed(arrays))


def read_entry(path: Path) -> Certified | None:
    """The entry at ``path``, or None if it is absent, torn or not what its checksum says."""
    body = kept(path)
    if body is None:
        return None
    try:
        arrays = unpacked(body)
    except ValueError:
        return None
    outputs = {n.removesuffix(".hi") for n in arrays if n.endswith(".hi")}
    return Certified(
        {o: Enclosure(*(arrays[f"{o}.{field}"] for field in _FIELDS)) for o in sorted(outputs)},
        {n.removesuffix(".size"): a for n, a in arrays.items() if n.endswith(".size")},
        arrays["undecided"].astype(bool),
    )


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """``arrays`` as bytes, little-endian."""
    little = {n: np.asarray(a, dtype=a.dtype.newbyteorder("<"), order="C") for n, a in arrays.items()}
    described = [[n, a.dtype.str, a.shape] for n, a in little.items()]
    return b"\n".join([json.dumps(described).encode(), b"".join(a.tobytes() for a in little.values())])


def unpacked(body: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in ``body``. Raises ValueError for bytes that :func:`packed` has not written."""
    head, _, bits = body.partition(b"\n")
    arrays: dict[str, NDArray[Any]] = {}
    start = 0
    try:
        for name, kind, shape in json.loads(head):
            dtype, count = np.dtype(kind), math.prod(shape)
            flat = np.frombuffer(bits, dtype=dtype, count=count, offset=start)
            arrays[name] = flat.reshape(shape).astype(dtype.newbyteorder("="), copy=False)
            start += dtype.itemsize * count
    except TypeError as error:
        raise ValueError(f"no description of arrays: {error}") from None
    if start != len(bits):
        raise ValueError(f"{len(bits) - start} bytes too many")
    return arrays
