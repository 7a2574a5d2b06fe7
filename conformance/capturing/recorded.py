"""A call as it was made, in our words: what a reader of a framework's call gives, or why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.outside.numbers import CasesError, bits
from xent_conformance.cases.outside.schema import SCHEMA, document
from xent_conformance.reference.formats import FORMATS

Array = NDArray[Any]


class Inexpressible(Exception):
    """A call that no case can say; the message says why, and what to do."""


@dataclass(frozen=True)
class Recorded:
    """``attributes``: those of :class:`xent_conformance.reference.attributes.Attributes` that are given."""

    operator: str
    logits: Array
    labels: Array | None = None
    axis: int = -1
    attributes: Mapping[str, Any] = field(default_factory=dict)


Reader = Callable[..., Recorded]
"""Has the signature of the public function, behind the framework's module."""


class Calls(Protocol):
    """The public functions of a framework that are watched, by module and name, and how they are read."""

    doors: Mapping[str, Mapping[str, Reader]]

    def __init__(self) -> None:
        """Import the framework."""

    @property
    def library(self) -> Any:
        """What readers are given."""

    @property
    def version(self) -> str:
        """``torch 2.13.0``."""

    def finite(self, result: Any) -> bool:
        """Whether what a call returned has neither NaN nor infinity."""


def text_of(recorded: Recorded, name: str, case: str, source: str) -> dict[str, Any]:
    """The document that holds a call, in its bits. Raises :class:`Inexpressible`."""
    dtype = recorded.logits.dtype.name
    if dtype not in FORMATS:
        raise Inexpressible(f"its logits are {dtype}; there are {', '.join(FORMATS)}")
    told: dict[str, Any] = {
        "id": case,
        "operator": recorded.operator,
        "dtype": dtype,
        "logits": bits(recorded.logits),
    }
    if recorded.axis != -1:
        told["axis"] = recorded.axis
    if recorded.labels is not None:
        told["labels"] = bits(_labels(recorded.labels, recorded.logits))
    given = {k: bits(v) if isinstance(v, np.ndarray) else v for k, v in recorded.attributes.items()}
    if given:
        told["attributes"] = given
    found = {"schema": SCHEMA, "name": name, "source": source, "cases": [told]}
    try:
        document(found)
    except CasesError as error:
        raise Inexpressible(str(error)) from None
    return found


def _labels(labels: Array, logits: Array) -> Array:
    if labels.dtype.kind in "iu":
        return labels.astype(np.int64)
    if labels.dtype != logits.dtype:
        raise Inexpressible(
            f"its labels are {labels.dtype.name} and its logits {logits.dtype.name}; a case has one format: "
            "convert the labels"
        )
    return labels


def per_class(weight: Array | None, logits: Array, name: str, axis: int = -1) -> Array | None:
    """A weight that is broadcast to the logits as one number a class. Raises :class:`Inexpressible`."""
    if weight is None:
        return None
    try:
        spread = np.moveaxis(np.broadcast_to(weight, logits.shape), axis, -1)
    except ValueError:
        raise Inexpressible(f"{name} of shape {weight.shape} does not fit the logits") from None
    rows = spread.reshape(-1, spread.shape[-1]) if spread.size else spread.reshape(0, spread.shape[-1])
    if len(rows) == 0 or (rows != rows[0]).any():
        raise Inexpressible(f"{name} differs from row to row; a case has one number a class")
    return np.ascontiguousarray(rows[0])


def given(**attributes: Any) -> dict[str, Any]:
    """The attributes that are not None."""
    return {name: value for name, value in attributes.items() if value is not None}
