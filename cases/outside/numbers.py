"""The numbers of a file of cases: JSON numbers, what JSON has not, and bits; each exact in its format.

A number is a JSON number, one of ``"nan"``, ``"inf"``, ``"-inf"``, or a hexadecimal one as C and Python print
it, ``"0x1.8p+1"``. An array is nested lists of these, or ``{"bits": base64, "shape": [...]}``: its elements
in the format of the case, indices as int64, little-endian, the last axis fastest.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.formats import Floats, Format

MAX_NUMBERS = 2**22
"""So many numbers in an array: the reference certifies half a million a second."""

MAX_AXES = 8

INDEX = np.dtype("<i8")

_WORDS = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
_HEXADECIMAL = re.compile(
    r"(?P<sign>[+-]?)0x(?P<whole>[0-9a-f]+)(\.(?P<rest>[0-9a-f]*))?p(?P<exponent>[+-]?\d{1,5})", re.IGNORECASE
)


class CasesError(ValueError):
    """A file of cases that cannot be used; the message says where, why, and what to do."""


def floats(value: Any, fmt: Format, where: str, *, nearest: bool = False) -> Floats:
    """The array in ``value`` as binary64 carriers of numbers of ``fmt``.

    ``nearest`` rounds what the format has not, to nearest; otherwise that raises :class:`CasesError`, which
    names ``where``, the index and the nearest number.
    """
    if isinstance(value, dict):
        return _from_bits(value, fmt.dtype.newbyteorder("<"), where).astype(np.float64)
    shape, flat = _flat(value, where)
    place = functools.partial(_at, where, shape)
    found = np.array([_number(v, place, i) for i, v in enumerate(flat)], dtype=np.float64)
    carried = fmt.nearest(found)
    off = np.flatnonzero((carried != found) & ~np.isnan(found))
    if off.size and not nearest:
        i = int(off[0])
        near = json.dumps(told(np.asarray(carried[i])))
        raise CasesError(
            f"{place(i)}: {flat[i]} is no {fmt.name} number, the nearest is {near}; "
            'write that, or "rounding": "nearest" beside "schema" to have all rounded'
        )
    return carried.reshape(shape)


def indices(value: Any, where: str) -> Floats:
    """The whole numbers in ``value``, as binary64 carriers."""
    if isinstance(value, dict):
        exact = _from_bits(value, INDEX, where)
        shape, flat = exact.shape, exact.reshape(-1).tolist()
    else:
        shape, flat = _flat(value, where)
    for i, v in enumerate(flat):
        if isinstance(v, bool) or not isinstance(v, int):
            raise CasesError(
                f"{_at(where, shape, i)}: {v!r} is no index: a label of this operator is a whole number"
            )
        if abs(v) >= 2**63 or int(float(v)) != v:
            at = _at(where, shape, i)
            raise CasesError(f"{at}: {v} is no index that a case can hold (an integer of 53 bits)")
    return np.array(flat, dtype=np.float64).reshape(shape)


def bits(array: NDArray[Any]) -> dict[str, Any]:
    """The array as a file holds it: its own bits."""
    little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return {"bits": base64.b64encode(little.tobytes()).decode(), "shape": list(array.shape)}


def told(array: Floats) -> Any:
    """The array as nested lists of JSON numbers, for a file that a person reads."""
    if array.ndim:
        return [told(row) for row in array]
    value = float(array)
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


# --- one number ------------------------------------------------------------------------------------------


def _number(value: Any, place: Callable[[int], str], i: int) -> float:
    if isinstance(value, str):
        return _spelled(value, place(i))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CasesError(f"{place(i)}: {str(value)[:40]!r} is no number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if math.isinf(found):  # as Python reads 1e400, too
        raise CasesError(f'{place(i)}: it is beyond every format; an infinity is written "inf"')
    return found


def _spelled(text: str, at: str) -> float:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    found = _HEXADECIMAL.fullmatch(text)
    if found is None:
        raise CasesError(
            f'{at}: {text[:40]!r} is no number: strings are "nan", "inf", "-inf" and "0x1.8p+1" (hexadecimal)'
        )
    rest = found["rest"] or ""
    exact = Fraction(int(found["whole"] + rest, 16)) * Fraction(2) ** (int(found["exponent"]) - 4 * len(rest))
    try:
        value = float(exact)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or Fraction(value) != exact:
        raise CasesError(f"{at}: {text[:40]} is no binary64 number, so it is of no format")
    return math.copysign(value, -1.0 if found["sign"] == "-" else 1.0)


# --- arrays ----------------------------------------------------------------------------------------------


def _at(where: str, shape: tuple[int, ...], i: int) -> str:
    """``logits[1][2]``."""
    return where + "".join(f"[{k}]" for k in np.unravel_index(i, shape)) if shape else where


def _flat(value: Any, where: str) -> tuple[tuple[int, ...], list[Any]]:
    """Shape and elements of nested lists; a number by itself has no axis."""
    shape: list[int] = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
        if len(shape) > MAX_AXES:
            raise CasesError(f"{where}: it has more than {MAX_AXES} axes")
    if math.prod(shape) > MAX_NUMBERS:
        raise CasesError(_too_many(where, math.prod(shape)))
    return tuple(shape), list(_elements(value, shape, 0, where))


def _elements(value: Any, shape: list[int], axis: int, where: str) -> Iterator[Any]:
    if axis == len(shape):  # a number by itself
        yield value
        return
    if not isinstance(value, list) or len(value) != shape[axis]:
        has = f"{len(value)} elements" if isinstance(value, list) else "a number"
        raise CasesError(f"{where}: it has {has}, and the first list there has {shape[axis]} elements")
    inner = axis + 1 < len(shape)
    for i, v in enumerate(value):
        if inner:
            yield from _elements(v, shape, axis + 1, f"{where}[{i}]")
        elif isinstance(v, list):
            raise CasesError(f"{where}[{i}]: a list stands where its neighbours are numbers")
        else:
            yield v


def _from_bits(value: dict[str, Any], dtype: np.dtype[Any], where: str) -> NDArray[Any]:
    if set(value) != {"bits", "shape"}:
        raise CasesError(
            f'{where}: an object has "bits" and "shape", this one {", ".join(value) or "nothing"}'
        )
    shape, text = value["shape"], value["bits"]
    whole = isinstance(shape, list) and all(type(k) is int and k >= 0 for k in shape)
    if not whole or len(shape) > MAX_AXES:
        raise CasesError(f"{where}: shape {shape!r} is no list of at most {MAX_AXES} lengths")
    if math.prod(shape) > MAX_NUMBERS:
        raise CasesError(_too_many(where, math.prod(shape)))
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise CasesError(f"{where}: bits are no base64 ({error})") from None
    needed = math.prod(shape) * dtype.itemsize
    if len(raw) != needed:
        raise CasesError(
            f"{where}: {len(raw)} bytes of bits; shape {tuple(shape)} of {dtype.name} needs {needed}"
        )
    return np.frombuffer(raw, dtype=dtype).reshape(shape)


def _too_many(where: str, count: int) -> str:
    return (
        f"{where}: {count} numbers; a case holds at most {MAX_NUMBERS} (the reference certifies half a "
        "million a second): keep the rows that matter"
    )
