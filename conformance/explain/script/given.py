"""What an implementation is given in a call, as its adapter gets it, and where in it an element lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from xent_conformance.asking.arrays import arrays_of
from xent_conformance.cases.case import Batch, Case
from xent_conformance.frameworks.interface import Array, Implementation, Question
from xent_conformance.frameworks.layer import named_parts
from xent_conformance.worker.delivery import Delivery


class Given(NamedTuple):
    """Arrays and keywords as the implementation gets them, the output's shape and the element's place."""

    arrays: Mapping[str, Array]
    keywords: Mapping[str, Any]
    shape: tuple[int, ...]
    place: tuple[int | slice, ...]


def given(
    batch: Batch, case: Case, door: Implementation, question: Question, take: Array, index: int, output: str
) -> Given:
    """Of a call with the rows ``take``, and the element ``index`` of the case's row of the output."""
    many = len(take) > len(batch.inputs)
    rows = take[: len(batch.inputs)] if many else take
    arrays = {name: a[rows] for name, a in arrays_of(batch).items()}
    copies = question.manner.copies
    manner = replace(question.manner, layout="contiguous", copies=1)
    taken: list[tuple[Mapping[str, Array], Mapping[str, Any]]] = []

    def numbered(arrays: Mapping[str, Array], keywords: Mapping[str, Any], state: str) -> Mapping[str, Array]:
        taken.append((arrays, keywords))
        like = arrays[_like(output)]
        return {output: np.arange(like.size).reshape(like.shape)}

    cotangent = arrays["cotangent"]
    delivery = Delivery(manner, door.takes, cotangent.ndim == 1, cotangent.dtype.name)
    numbers = delivery.answer(numbered, arrays)[output]
    (row,) = np.flatnonzero(rows == case.row)
    (called, keywords), *_ = taken
    if "features" in keywords:
        parts = named_parts(called, keywords)
        of = parts[_like(output) if output == "value" else output.removeprefix("grad_")]
        return Given(parts, keywords, of.shape, tuple(int(i) for i in np.unravel_index(index, of.shape)))
    like = called[_like(output)]
    if not like.size:  # a call without an example: its shape is all there is
        return Given(called, keywords, like.shape, ())
    flat = int(np.ravel(numbers[row])[index])
    place: tuple[int | slice, ...] = tuple(int(i) for i in np.unravel_index(flat, like.shape))
    if copies > 1 and like.ndim == called["logits"].ndim:
        axis = batch.form.class_axis
        group = slice(index * copies, (index + 1) * copies)
        place = tuple(group if a == axis else i for a, i in enumerate(place))
    return Given(called, keywords, like.shape, place)


def _like(output: str) -> str:
    """The argument that an output has the shape of."""
    return "cotangent" if output in ("value", "jvp") else "logits"
