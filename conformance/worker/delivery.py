"""Puts a batch to an implementation in the manner that is asked, and brings the answer back to rows.

Runs in the worker, so it imports nothing but NumPy. A batch travels as ``(rows, N)`` arrays; here it is
folded to the shape, class axis and memory layout of its form, called as a whole or row by row, and
every output is unfolded to ``(rows, elements)`` again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import numpy as np

from xent_conformance.frameworks.interface import SPARSE, Array, Manner, dtype_of
from xent_conformance.frameworks.layer import PARTS, places
from xent_conformance.worker.bits import any_of_row, other_bits
from xent_conformance.worker.layouts import laid_out

Arrays = Mapping[str, Array]
Compute = Callable[[Arrays, "Mapping[str, object]", str], Mapping[str, Array]]
"""``compute(arrays, keywords, state)``: one call of the implementation. Of an argument that it changed, and
only then, ``name#changed`` says where."""

AGAIN = "#again"
"""Ending of the name of an output that was asked once more."""

CHANGED = "#changed"
"""Ending of the name of an argument that was changed; which rows of it."""

PLAIN = Manner()


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
    result: str = ""
    """The format that is asked for, where it is not that of the logits."""

    def answer(self, compute: Compute, arrays: Arrays) -> dict[str, Array]:
        """Every output as ``(rows, elements)``, or ``(rows,)`` where the value is a scalar."""
        if self.manner.wrong:
            value = np.asarray(compute(misfit(arrays, self.manner.wrong), {}, "")["value"])
            raise Described(f"returned shape {value.shape}, {_content(value)}")
        if self.manner == PLAIN:  # whatever has come back is for the judge to see
            return {name: self._row_of(name, array) for name, array in compute(arrays, {}, "").items()}
        found = self._once(compute, arrays, apart=self._apart)
        if self.manner.again:
            once_more = self._again(compute, arrays, found)
            found |= {name + AGAIN: array for name, array in once_more.items()}
        return found

    def _again(self, compute: Compute, arrays: Arrays, first: Arrays) -> dict[str, Array]:
        """The answer once more, which is to be the first one's bits (SPEC.md §7)."""
        kind, rows = self.manner.again, len(arrays["logits"])

        def once(arrays: Arrays = arrays, *, apart: bool = self._apart, state: str = "") -> dict[str, Array]:
            return self._once(compute, arrays, apart=apart, state=state)

        if kind == "twice":
            return once()
        if kind == "alone":
            return once({name: a[: self.manner.rows] for name, a in arrays.items()}, apart=True)
        if kind == "other_between":
            once(
                {name: a[: rows // 2] if rows > 1 else np.repeat(a, 2, axis=0) for name, a in arrays.items()}
            )
            return once()
        if kind == "threads":
            return _at_once(once, first)
        if kind == "shared":
            return once({**arrays, "labels" if "labels" in arrays else "cotangent": arrays["logits"]})
        found = once(state=kind)
        # two backwards have added up to twice the gradient, and half of that is exact
        return {name: a * a.dtype.type(0.5) for name, a in found.items()} if kind == "accumulated" else found

    def _once(self, compute: Compute, arrays: Arrays, *, apart: bool, state: str = "") -> dict[str, Array]:
        rows = 1 if apart else len(arrays["logits"])
        parts = [self._call(compute, part, rows, state) for part in _parts(arrays, apart)]
        unchanged = np.zeros(rows, dtype=np.bool_)
        return {
            name: np.concatenate([part.get(name, unchanged) for part in parts])
            for name in dict.fromkeys(name for part in parts for name in part)
        }

    def _call(self, compute: Compute, arrays: Arrays, rows: int, state: str) -> dict[str, Array]:
        folded = {name: self._fold(name, array) for name, array in arrays.items()}
        laid = {name: laid_out(name, array, self.manner.layout) for name, array in folded.items()}
        results = compute(laid, self._keywords(), state)
        return {
            name: self._row_of(name, a) if CHANGED in name else self._unfold(name, np.asarray(a), folded)
            for name, a in results.items()
        }

    def _row_of(self, name: str, a: Array) -> Array:
        """Which rows an argument was changed in, from where it was; anything else as it is."""
        if CHANGED not in name:
            return a
        if self.manner.examples is not None:
            return np.array([a.any()])  # a group is one row, whatever its shape
        if self.manner.class_shape is not None:
            classes = a.ndim == len(self._lead or ()) + len(self.manner.class_shape)
            return any_of_row(a.reshape(int(np.prod(self._lead or ())), -1) if classes else a.reshape(-1))
        if self._lead is not None:
            a = a.reshape(-1) if a.ndim == len(self._lead) else np.moveaxis(a, self._axis, -1)
            a = a.reshape(int(np.prod(self._lead)), -1)
        return any_of_row(a)

    # --- shapes ---

    @property
    def _apart(self) -> bool:
        """Whether every row is a call of its own."""
        return self.manner.each or self.manner.examples is not None

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
        return self._shaped(name, a)

    def _shaped(self, name: str, a: Array) -> Array:
        """Rows folded to the leading shape, their elements along the class axis."""
        if self._lead is None:
            return a
        if a.ndim == 1:  # a number a row: index labels, cotangents of a scalar value
            return self._kept(a.reshape(self._lead)) if name == "cotangent" else a.reshape(self._lead)
        if self.manner.class_shape is not None:
            return a.reshape((*self._lead, *self.manner.class_shape))
        return np.moveaxis(a.reshape(*self._lead, a.shape[1]), -1, self._axis)

    def _kept(self, a: Array) -> Array:
        """A number a row as the value has it: with the axes that are summed over, where they stay."""
        if not self.manner.keepdims:
            return a
        axes = self._axis if self.manner.class_shape is None else tuple(self._class_axes)
        kept: Array = np.expand_dims(a, axes)
        return kept

    @property
    def _class_axes(self) -> range:
        """The axes that the classes are folded into, counted from the front."""
        lead, classes = len(self._lead or ()), len(self.manner.class_shape or ())
        return range(lead, lead + classes)

    def _group(self, name: str, a: Array, examples: int) -> Array:
        if name == "cotangent":
            if dict(self.manner.attributes).get("reduction", "none") != "none":
                return a.reshape(())
            return np.resize(a, (examples,) if self.scalar else (examples, self.manner.n))
        if name == "labels" and a.dtype.kind in "iu" and a.size == examples:
            return self._shaped(name, a.reshape(examples))
        if "features" in dict(self.manner.attributes):
            return a  # hidden states and their layer, one behind the other
        return self._shaped(name, a.reshape(examples, self.manner.n))

    def _unfold(self, name: str, a: Array, folded: Arrays) -> Array:
        like = folded["cotangent"] if name in ("value", "jvp") else folded["logits"]
        if a.shape != like.shape:
            raise WrongShape(f"returned shape {a.shape} for {name}, the operator's is {like.shape}")
        if name in PARTS:
            attributes = dict(self.manner.attributes)
            a = a[places(a.size, self.manner.examples or 0, attributes)[PARTS.index(name)]]
        if self.manner.examples is not None:
            if self._lead is not None and a.ndim == len(self._lead) + 1:
                a = np.moveaxis(a, self._axis, -1)
            return a.reshape(1) if a.ndim == 0 else a.reshape(1, -1)
        if self.manner.class_shape is not None and (like is folded["logits"] or not self.scalar):
            a = a.reshape(int(np.prod(self._lead or ())), -1)
        elif self._lead is not None and (like is folded["logits"] or not self.scalar):
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
        if self.manner.class_shape and "axes" in self.takes:
            classes = len(self.manner.class_shape)
            keywords["axis"] = tuple(range(-classes, 0)) if self._lead else None
        if self.manner.keepdims:
            keywords["keepdims"] = True
        if self.manner.logits_dtype:
            keywords["dtype"] = self.result
        if self.manner.out:
            keywords["out"] = True
        return keywords


def _at_once(call: Callable[[], dict[str, Array]], first: Arrays) -> dict[str, Array]:
    """What two threads get that call at the same time: of each element the one that is not the first's."""
    both = Barrier(2)

    def one(_: int) -> dict[str, Array]:
        both.wait()
        return call()

    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(one, range(2))
    names = [name for name in first if CHANGED not in name]
    return {name: np.where(other_bits(first[name], a[name]), a[name], b[name]) for name in names}


def misfit(arrays: Arrays, wrong: str) -> Arrays:
    """The arrays with an argument that does not fit."""
    logits, labels = arrays["logits"], arrays.get("labels")
    changed = dict(arrays)
    if wrong == "logits_integers":
        changed["logits"] = np.rint(logits.astype(np.float64)).astype(np.int64)
    elif wrong == "logits_complex":
        changed["logits"] = logits.astype(np.complex64)
    elif wrong.startswith("logits_float8"):
        changed["logits"] = logits.astype(dtype_of(wrong.removeprefix("logits_")))
    elif wrong == SPARSE:
        pass  # the numbers are these; the tensor is made by the adapter
    elif labels is not None:
        changed["labels"] = {
            "labels_fewer_rows": lambda: labels[:-1],
            "labels_one_row": lambda: labels[:1],
            "labels_more_classes": lambda: np.concatenate([labels, labels[:, :1]], axis=1),
            "labels_extra_axis": lambda: labels[..., None],
            "labels_floats": lambda: labels.astype(logits.dtype),
        }[wrong]()
    return changed


def _content(a: Array) -> str:
    if a.dtype.kind == "c":
        return f"complex, {_content(np.abs(a))}"
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
    if not other_bits(groups, np.broadcast_to(groups[:, :, :1], groups.shape)).any():
        return groups[:, :, 0].copy()  # as almost always: none is far from any, in one pass over many
    wide = groups.astype(np.float64)
    first, middle, last = wide[:, :, 0], wide[:, :, copies // 2], wide[:, :, -1]
    usual = np.where((middle == last) & (first != middle), middle, first)
    distance = np.abs(wide - usual[:, :, None])
    worst = np.argmax(np.where(np.isnan(distance), np.inf, distance), axis=2)
    picked: Array = np.take_along_axis(groups, worst[:, :, None], axis=2)[:, :, 0]
    return picked
