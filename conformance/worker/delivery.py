"""Puts a batch to an implementation in the manner that is asked, and brings the answer back to rows.

Runs in the worker, so it imports nothing but NumPy. A batch travels as ``(rows, N)`` arrays; here it is
folded to the shape, class axis and memory layout of its form, called as a whole or row by row, and
every output is unfolded to ``(rows, elements)`` again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from xent_conformance.frameworks.interface import Array, Manner
from xent_conformance.worker.layouts import laid_out

Arrays = Mapping[str, Array]
Compute = Callable[[Arrays, "Mapping[str, object]"], Mapping[str, Array]]
"""``compute(arrays, keywords)``: one call of the implementation."""

AGAIN = "#again"
"""Ending of the name of an output that was asked once more."""


class Described(Exception):
    """What came back is told in words, because it cannot be measured."""


class WrongShape(Described):
    """An output has not the shape that its operator gives it; the message says both."""


@dataclass(frozen=True)
class Delivery:
    """How one question is delivered: its manner, and which keywords the implementation takes."""

    manner: Manner
    takes: frozenset[str]
    scalar: bool

    def answer(self, compute: Compute, arrays: Arrays) -> dict[str, Array]:
        """Every output as ``(rows, elements)``, or ``(rows,)`` where the value is a scalar."""
        if self.manner.wrong:
            value = np.asarray(compute(misfit(arrays, self.manner.wrong), {})["value"])
            raise Described(f"returned shape {value.shape}, {_content(value)}")
        found = self._once(compute, arrays, apart=self.manner.each or self.manner.examples is not None)
        if self.manner.again:
            alone = self.manner.again == "alone"
            few = {name: array[: self.manner.rows] for name, array in arrays.items()} if alone else arrays
            once_more = self._once(compute, few, apart=alone)
            found |= {name + AGAIN: array for name, array in once_more.items()}
        return found

    def _once(self, compute: Compute, arrays: Arrays, *, apart: bool) -> dict[str, Array]:
        rows = len(arrays["logits"])
        parts = [self._call(compute, part, rows=1 if apart else rows) for part in _parts(arrays, apart)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _call(self, compute: Compute, arrays: Arrays, rows: int) -> dict[str, Array]:
        folded = {name: self._fold(name, array) for name, array in arrays.items()}
        results = compute(
            {name: laid_out(name, array, self.manner.layout) for name, array in folded.items()},
            self._keywords(),
        )
        return {name: self._unfold(name, np.asarray(result), folded) for name, result in results.items()}

    # --- shapes ---

    @property
    def _lead(self) -> tuple[int, ...] | None:
        return self.manner.shape

    @property
    def _axis(self) -> int:
        rank = 2 if self._lead is None else len(self._lead) + 1
        return self.manner.axis % rank

    def _fold(self, name: str, a: Array) -> Array:
        m = self.manner
        if m.examples is not None:
            return self._group(name, a[0], m.examples)
        if m.copies > 1 and a.ndim == 2:
            a = np.repeat(a, m.copies, axis=1)
        elif m.copies > 1 and name == "labels":
            a = a * m.copies  # the first of the classes that the labelled logit stands for
        if self._lead is None:
            return a
        if a.ndim == 1:  # a number a row: index labels, cotangents of a scalar value
            return a.reshape(self._lead)
        return np.moveaxis(a.reshape(*self._lead, a.shape[1]), -1, self._axis)

    def _group(self, name: str, a: Array, examples: int) -> Array:
        if name == "cotangent":
            if dict(self.manner.attributes).get("reduction", "none") != "none":
                return a.reshape(())
            return np.resize(a, (examples,) if self.scalar else (examples, self.manner.n))
        if name == "labels" and a.dtype.kind in "iu" and a.size == examples:
            return a.reshape(examples)
        return a.reshape(examples, self.manner.n)

    def _unfold(self, name: str, a: Array, folded: Arrays) -> Array:
        like = folded["cotangent"] if name in ("value", "jvp") else folded["logits"]
        if a.shape != like.shape:
            raise WrongShape(f"returned shape {a.shape} for {name}, the operator's is {like.shape}")
        if self.manner.examples is not None:
            return a.reshape(1) if a.ndim == 0 else a.reshape(1, -1)
        if self._lead is not None and (like is folded["logits"] or not self.scalar):
            a = np.moveaxis(a, self._axis, -1)
            a = a.reshape(-1, a.shape[-1])
        elif self._lead is not None:
            a = a.reshape(-1)
        if self.manner.copies > 1 and a.ndim == 2:
            return _extremes(a, self.manner.copies)
        return a

    def _keywords(self) -> dict[str, object]:
        keywords: dict[str, object] = dict(self.manner.attributes)
        if self._lead is not None and "axis" in self.takes:
            keywords["axis"] = self.manner.axis  # negative where the form says so
        if self.manner.out:
            keywords["out"] = True
        return keywords


def misfit(arrays: Arrays, wrong: str) -> Arrays:
    """The arrays with an argument that does not fit."""
    logits, labels = arrays["logits"], arrays.get("labels")
    changed = dict(arrays)
    if wrong == "logits_integers":
        changed["logits"] = np.rint(logits.astype(np.float64)).astype(np.int64)
    elif labels is not None:
        changed["labels"] = {
            "labels_fewer_rows": lambda: labels[:-1],
            "labels_more_classes": lambda: np.concatenate([labels, labels[:, :1]], axis=1),
            "labels_extra_axis": lambda: labels[..., None],
            "labels_floats": lambda: labels.astype(logits.dtype),
        }[wrong]()
    return changed


def _content(a: Array) -> str:
    wide = a.astype(np.float64)
    return "NaN" if np.isnan(wide).any() else "infinite" if np.isinf(wide).any() else "finite"


def _parts(arrays: Arrays, apart: bool) -> Iterator[Arrays]:
    if not apart:
        yield arrays
        return
    for i in range(len(arrays["logits"])):
        yield {name: array[i : i + 1] for name, array in arrays.items()}


def _extremes(a: Array, copies: int) -> Array:
    """Of every group of equal classes the element that is farthest from the others, NaN first.

    The others are stood for by what two of the first, the middle and the last agree on.
    """
    groups = a.reshape(len(a), -1, copies)
    wide = groups.astype(np.float64)
    first, middle, last = wide[:, :, 0], wide[:, :, copies // 2], wide[:, :, -1]
    usual = np.where((middle == last) & (first != middle), middle, first)
    distance = np.abs(wide - usual[:, :, None])
    worst = np.argmax(np.where(np.isnan(distance), np.inf, distance), axis=2)
    picked: Array = np.take_along_axis(groups, worst[:, :, None], axis=2)[:, :, 0]
    return picked
