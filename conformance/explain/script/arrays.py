"""Arrays as Python source, to the last bit and as short as they can be said.

Floating-point numbers are written by their bits, with the decimals beside them where there are few. What
nearly repeats is one number and its exceptions; what is long and has no pattern is compressed.
"""

from __future__ import annotations

import base64
import textwrap
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from xent_conformance.frameworks.interface import Array

FEW = 16
"""So many numbers stand one below the other, each with its decimals."""

MANY = 512
"""So many stand as words of hexadecimal digits."""

EXCEPTIONS = 8
"""With at most so many exceptions an array is one number, repeated."""

WIDTH = 96


def is_brain(dtype: np.dtype[Any]) -> bool:
    """Whether it is a format that NumPy has not by itself."""
    return dtype.name == "bfloat16" or dtype.name.startswith("float8")


def type_name(dtype: np.dtype[Any], *, by_bits: bool = False) -> str:
    """``np.float32``; ``ml_dtypes.bfloat16``, or ``by_bits``, where there is none, ``np.uint16``."""
    if is_brain(dtype):
        return bits_name(dtype) if by_bits else f"ml_dtypes.{dtype.name}"
    return f"np.{dtype.name}"


def bits_name(dtype: np.dtype[Any]) -> str:
    """The unsigned integers that carry the bits of a type."""
    return f"np.uint{8 * dtype.itemsize}"


def needs(a: Array) -> frozenset[str]:
    """The modules that :func:`assigned` takes for granted beside NumPy."""
    return frozenset({"base64", "zlib"} if is_packed(a) else ())


def is_packed(a: Array) -> bool:
    """Whether it is long and has no pattern, so that no digits of it can be read."""
    return _how(a) == "packed"


def assigned(name: str, a: Array, *, by_bits: bool = False) -> str:
    """Statements that give ``name`` the array ``a``, contiguous and writable.

    ``by_bits``: bfloat16 stays unsigned integers, which the framework takes for its own type.
    """
    return "\n".join(_assigned(name, np.ascontiguousarray(a).reshape(a.shape), by_bits))


def _words(a: Array) -> Array:
    """Flat: integers as they are, other numbers as their bits."""
    flat = a.reshape(-1)
    return flat if a.dtype.kind in "iu" else flat.view(f"u{a.dtype.itemsize}")


def _how(a: Array) -> str:
    words = _words(a)
    if not words.size:
        return "none"
    _, count = _usual(words)
    if words.size > 4 and words.size - count <= min(EXCEPTIONS, words.size // 3):
        return "repeated"
    return "listed" if words.size <= FEW else "words" if words.size <= MANY else "packed"


def _usual(words: Array) -> tuple[Any, int]:
    values, counts = np.unique(words, return_counts=True)
    return values[np.argmax(counts)], int(counts.max())


def _assigned(name: str, a: Array, by_bits: bool) -> Iterator[str]:
    words, how, floats = _words(a), _how(a), a.dtype.kind not in "iu"
    dtype = bits_name(a.dtype) if floats else type_name(a.dtype)
    if how == "none":
        yield f"{name} = np.zeros({a.shape}, dtype={type_name(a.dtype, by_bits=by_bits)})"
        return
    if how == "listed" and not floats:
        yield f"{name} = np.array({_nested(a)}, dtype={dtype})"
        return
    yield from {"listed": _listed, "repeated": _repeated, "words": _hex_words, "packed": _packed}[how](
        name, words, a, dtype
    )
    stays = by_bits and is_brain(a.dtype)
    typed = f".view({type_name(a.dtype)})" if floats and not stays else ""
    shaped = f".reshape({', '.join(map(str, a.shape)) or '()'})" if a.ndim != 1 else ""
    if typed or shaped:
        yield f"{name} = {name}{typed}{shaped}"


def _nested(a: Array) -> str:
    return repr(a.tolist())


def _digits(word: Any, a: Array) -> str:
    if a.dtype.kind in "iu":
        return str(int(word))
    return "0x" + format(int(word), f"0{2 * a.dtype.itemsize}X")


def _decimal(word: Any, a: Array) -> str:
    return str(np.array(word).reshape(1).view(a.dtype)[0])


def _listed(name: str, words: Array, a: Array, dtype: str) -> Iterator[str]:
    if words.size == 1:
        yield f"{name} = np.array([{_digits(words[0], a)}], dtype={dtype})  # {_decimal(words[0], a)}"
        return
    yield f"{name} = np.array(\n    ["
    for word in words:
        yield f"        {_digits(word, a)},  # {_decimal(word, a)}"
    yield f"    ],\n    dtype={dtype},\n)"


def _repeated(name: str, words: Array, a: Array, dtype: str) -> Iterator[str]:
    usual, _ = _usual(words)
    tail = "" if a.dtype.kind in "iu" else f"  # {_decimal(usual, a)}"
    yield f"{name} = np.full({words.size}, {_digits(usual, a)}, dtype={dtype}){tail}"
    for i in np.flatnonzero(words != usual):
        tail = "" if a.dtype.kind in "iu" else f"  # {_decimal(words[i], a)}"
        yield f"{name}[{i}] = {_digits(words[i], a)}{tail}"


def _hex_words(name: str, words: Array, a: Array, dtype: str) -> Iterator[str]:
    integers = a.dtype.kind in "iu"
    told = [str(int(w)) if integers else _digits(w, a)[2:].lower() for w in words]
    yield 'words = """'
    yield textwrap.fill(" ".join(told), WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield '"""'
    base = "" if integers else ", 16"
    yield f"{name} = np.array([int(word{base}) for word in words.split()], dtype={dtype})"


def _packed(name: str, words: Array, a: Array, dtype: str) -> Iterator[str]:
    raw = words.astype(words.dtype.newbyteorder("<")).tobytes()
    yield 'packed = """'
    yield textwrap.fill(base64.b64encode(zlib.compress(raw, 9)).decode(), WIDTH)
    yield '"""'
    yield f"{name} = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype={dtype}).copy()"
