"""Named arrays as bytes and back: a line of JSON that describes them, then their bits one after another.

NumPy's own container parses a header for each array, which is slower than reading ten numbers is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
