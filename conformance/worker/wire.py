"""Frames between the driver and a worker: a JSON header and raw arrays. Bits cross exactly.

A frame is four bytes of header length, the header, then the arrays' bytes one after another. No text
numbers, no pickle. Imports nothing but NumPy and ml_dtypes, because a worker may live in another
interpreter that has little else.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from xent_conformance.frameworks.interface import dtype_of

Arrays = Mapping[str, NDArray[Any]]


class Closed(EOFError):
    """The other side went away, between frames or inside one."""


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
    stream.write(struct.pack("<I", len(text)) + text)
    for a in contiguous.values():
        stream.write(a.tobytes())
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read one frame. Raises :class:`Closed` at the end of the stream."""
    (length,) = struct.unpack("<I", _exactly(stream, 4))
    header = json.loads(_exactly(stream, length))
    arrays = {}
    for entry in header.pop("arrays"):
        dtype, shape = dtype_of(entry["dtype"]), tuple(entry["shape"])
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        arrays[entry["name"]] = np.frombuffer(_exactly(stream, size), dtype=dtype).reshape(shape)
    return header, arrays


def _exactly(stream: BinaryIO, size: int) -> bytes:
    chunks = []
    while size:
        chunk = stream.read(size)
        if not chunk:
            raise Closed
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)
