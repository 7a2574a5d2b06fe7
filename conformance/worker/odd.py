"""Answers that are no arrays of numbers: told in words, because nothing can be measured."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from xent_conformance.frameworks.interface import Array, dtype_of
from xent_conformance.worker.delivery import Described
from xent_conformance.worker.words import words


def kind(value: Any) -> str:
    """``torch.Tensor``."""
    return f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")


@functools.lru_cache(maxsize=64)
def are_numbers(dtype: np.dtype[Any]) -> bool:
    """Whether it is a format of numbers, of NumPy's or of ml_dtypes': not text, objects, dates or records."""
    if dtype.hasobject or dtype.kind in "SUMm" or issubclass(dtype.type, np.void):
        return False
    try:
        return dtype_of(dtype.name) == dtype.newbyteorder("=")
    except (TypeError, AttributeError):
        return False


def numbers_of(found: Any, output: str, most: int) -> Array:
    """The array of an output among what ``run`` returned, which has at most so many bytes.

    Raises :class:`Described` where there is none.
    """
    if not isinstance(found, Mapping):
        raise Described(f"returned {kind(found)}, not a mapping from outputs to arrays")
    got = found.get(output)
    if got is None:
        raise Described(f"returned nothing for {output}")
    try:
        array = np.asarray(got)
    except Exception as error:  # noqa: BLE001  # it is foreign code
        told = f"returned {kind(got)} for {output}, of which no array can be made ({words(error)})"
        raise Described(told) from None
    if not are_numbers(array.dtype):
        raise Described(f"returned {kind(got)} of dtype {array.dtype} for {output}: no numbers")
    if array.nbytes > most:  # nothing of it goes through the pipe
        raise Described(f"returned shape {array.shape} for {output}: {array.nbytes:,} bytes")
    return array
