"""Frames between the driver and a worker: a JSON header and raw arrays. Bits cross exactly.

A frame is four bytes that say so, four of header length, the header, then the arrays' bytes one after
another. No text numbers, no pickle. What is no frame is found at once: a framework may find our pipe. Imports
nothing but NumPy and ml_dtypes, because a worker may live in another interpreter that has little else.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from xent_conformance.frameworks.interface import dtype_of

Arrays = Mapping[str, NDArray[Any]]


BEGINS = b"xent"
"""The first bytes of every frame."""

LONGEST_HEADER = 1 << 26
LARGEST_ARRAY = 1 << 36
"""Bytes that no header and no array of ours has."""

WIDEST = 16
"""Bytes of the widest number that an answer can have."""

WHATEVER = 1 << 20
"""An answer may be of another shape than what was asked, and is told as it is, up to so many bytes."""

MOST_DIMENSIONS = 32
"""No array of ours has more; some versions of NumPy know no more."""


class Closed(EOFError):
    """The other side went away, between frames or inside one."""


class NoFrame(ValueError):
    """What came is no frame; the message shows its beginning, or what is wrong with it."""


def send(stream: BinaryIO, header: Mapping[str, Any], arrays: Arrays | None = None) -> None:
    """Write one frame and flush it."""
    contiguous = {
        name: np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("=")) for name, a in (arrays or {}).items()
    }
    described = [
        {"name": n, "dtype": a.dtype.name, "shape": arrays[n].shape}  # type: ignore[index]
        for n, a in contiguous.items()
    ]
    text = json.dumps({**header, "arrays": described}).encode()
    stream.write(BEGINS + struct.pack("<I", len(text)) + text)
    for a in contiguous.values():
        stream.write(a.tobytes())
    stream.flush()


def most_of(arrays: Arrays, outputs: Sequence[str]) -> int:
    """Bytes that an answer to these arguments has at most, of all its arrays: each output may come twice."""
    return sum(largest_of(arrays) for _ in outputs) * 2 + sum(a.size + WHATEVER for a in arrays.values())


def largest_of(arrays: Arrays) -> int:
    """Bytes that one output of these arguments has at most, with room for what is of another shape."""
    return WIDEST * max(a.size for a in arrays.values()) + WHATEVER


def receive(stream: BinaryIO, *, most: int = 0) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read one frame, whose arrays have at most so many bytes, if it is said.

    Raises :class:`Closed` at the end of the stream, :class:`NoFrame` for anything else.
    """
    begins = _exactly(stream, len(BEGINS))
    if begins != BEGINS:
        raise NoFrame(f"it begins with {begins!r}")
    (length,) = struct.unpack("<I", _exactly(stream, 4))
    if length > LONGEST_HEADER:
        raise NoFrame(f"its header has {length} bytes")
    try:
        header = json.loads(_exactly(stream, length))
        described = [_described(entry) for entry in header.pop("arrays")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NoFrame(f"its header cannot be read: {type(error).__name__}: {error}"[:200]) from None
    if most and (total := sum(size for *_, size in described)) > most:
        raise NoFrame(f"its arrays have {total:,} bytes, and no answer has more than {most:,}")
    arrays = {}
    for name, dtype, shape, size in described:
        arrays[name] = np.frombuffer(_exactly(stream, size), dtype=dtype).reshape(shape)
    return header, arrays


def _described(entry: Mapping[str, Any]) -> tuple[str, np.dtype[Any], tuple[int, ...], int]:
    """Name, format, shape and bytes of an array that follows."""
    dtype, shape = dtype_of(entry["dtype"]), tuple(map(int, entry["shape"]))
    size = dtype.itemsize * math.prod(shape)
    odd = dtype.hasobject or len(shape) > MOST_DIMENSIONS or min(shape, default=0) < 0
    if odd or size > LARGEST_ARRAY:
        raise ValueError(f"no array of ours has shape {shape} and format {dtype}")
    return str(entry["name"]), dtype, shape, size


def _exactly(stream: BinaryIO, size: int) -> bytes:
    chunks = []
    while size:
        chunk = stream.read(size)
        if not chunk:
            raise Closed
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)
