"""Long rows in a script as the rule that makes them: words of a generator, and what was changed.

The corpus draws its rows from Philox by exact arithmetic (:mod:`xent_conformance.cases.words`), so a script
can draw them again with NumPy alone, in place of half a megabyte of digits. A row is looked for among what
its family drew: as it came, reversed, moved by a constant from one class to another, or covered by one.
What is not found so has no rule. A hash in the script says that its numbers are those that were asked.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import drawn_from, families
from xent_conformance.cases.words import Words, key_of
from xent_conformance.explain.script.arrays import MANY, is_brain, is_packed, type_name
from xent_conformance.explain.script.call import helper_of
from xent_conformance.frameworks.interface import Array
from xent_conformance.reference.formats import JUDGED, Floats, Format
from xent_conformance.reference.operators import OPERATORS

RUNS = 16
"""A row with more changes than so many is no rule."""

STEP = 8
"""What a row is moved by is a multiple of one over so many."""


# --- what a script defines: plain NumPy ---------------------------------------------------------------


def raw_words(key: Any, start: int, count: int) -> Any:
    philox = np.random.Philox(key=np.array(key, dtype=np.uint64))
    philox.random_raw(start)
    return philox.random_raw(count)


def bell(key: Any, start: int, n: int, scale: float, digits: int) -> Any:
    fractions = np.ldexp((raw_words(key, start, 4 * n) >> np.uint64(24)).astype(np.float64), -40)
    return rounded((fractions.reshape(4, n).sum(axis=0) - 2.0) * (2.0 * scale), digits)


def eighths(key: Any, start: int, n: int) -> Any:
    k = (raw_words(key, start, n) >> np.uint64(59)).astype(np.int64)
    return (k - np.where(k >= 16, 15, 16)) / 8.0


def rounded(x: Any, digits: int) -> Any:
    fraction, exponent = np.frexp(x)
    return np.where(np.isfinite(x), np.ldexp(np.rint(np.ldexp(fraction, digits)), exponent - digits), x)


# --- what a family drew -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """A row that was drawn: the words from ``start`` on, and the expression that makes it of them."""

    call: str
    row: Floats


class _Recorded(Words):
    """A stream that remembers the rows that are drawn from it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.drawn: list[Drawn] = []
        self._at = 0

    def integers(self, bits: int, *shape: int) -> Any:
        self._at += int(np.prod(shape))
        return super().integers(bits, *shape)

    def bell(self, fmt: Format, scale: float, *shape: int) -> Floats:
        start = self._at
        found = super().bell(fmt, scale, *shape)
        if len(shape) == 1:  # rows of several are drawn apart
            call = f"bell(key, {start}, {shape[0]}, {scale}, {fmt.precision})"
            self.drawn.append(Drawn(call, found.copy()))  # its family may go on to change it
        return found

    def cotangent(self, *shape: int) -> Floats:
        start = self._at
        found = super().cotangent(*shape)
        n = shape[-1]
        for i, row in enumerate(found.reshape(-1, n)):
            self.drawn.append(Drawn(f"eighths(key, {start + i * n}, {n})", row.copy()))
        return found


@functools.lru_cache(maxsize=2)
def _drawn(path: str) -> tuple[Drawn, ...]:
    operator, family, dtype, n = path.split("/")
    stream = _Recorded(path)
    drawn_from(stream, OPERATORS[operator], families()[family], JUDGED[dtype], int(n.removeprefix("n")))
    return tuple(stream.drawn)


# --- the rule of an array -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """Statements that make an array, and the functions that they call."""

    lines: tuple[str, ...]
    helpers: tuple[str, ...]


def rule(name: str, a: Array, batch: Batch, *, by_bits: bool = False) -> Rule | None:
    """How ``name`` is made, of the family's own words; None where it is short, or no rule is found for it.

    ``by_bits``: bfloat16 as unsigned integers, as :func:`~.arrays.assigned` has it.
    """
    fmt = next((f for f in JUDGED.values() if f.dtype == a.dtype), None)
    if not is_packed(a) or a.ndim > 2 or fmt is None or batch.outside:
        return None
    path = f"{batch.operator}/{batch.family}/{batch.inputs.format.name}/n{batch.inputs.n}"
    rows = np.atleast_2d(a.astype(np.float64))
    if rows.shape[1] <= MANY:
        return None
    found = [_shortest(path, row, fmt) for row in rows]
    texts = [(f"{name}[{i}]" if len(rows) > 1 else name, made) for i, made in enumerate(found) if made]
    if len(texts) < len(rows):
        return None
    lines = [f"key = {key_of(path)}", *([f"{name} = np.zeros({rows.shape})"] if len(rows) > 1 else [])]
    lines += [line for target, made in texts for line in made(target)]
    shaped = f".reshape({', '.join(map(str, a.shape))})" if a.ndim == 2 and len(rows) == 1 else ""
    digest = hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()
    lines += [
        f"{name} = {_typed(name, a, by_bits)}{shaped}",
        f'digest = "{digest}"',
        f'assert hashlib.sha256({name}.tobytes()).hexdigest() == digest, "other numbers than were asked"',
    ]
    made = Rule(tuple(lines), tuple(_helpers("\n".join(lines))))
    return made if _makes(made, name, a.view("u2") if by_bits and is_brain(a.dtype) else a) else None


def _typed(name: str, a: Array, by_bits: bool) -> str:
    """The numbers, which the format has, in it: the bits of bfloat16 are the upper half of binary32."""
    if by_bits and is_brain(a.dtype):
        return f"({name}.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)"
    return f"{name}.astype({type_name(a.dtype)})"


def _shortest(path: str, row: Floats, fmt: Format) -> _Changed | None:
    """Of the rules for a row the one with the fewest changes."""
    every = (_changed(row, drawn, fmt) for drawn in _candidates(path, row))
    return min(filter(None, every), key=lambda made: len(made.changes), default=None)


def _candidates(path: str, row: Floats) -> Iterator[Drawn]:
    values, counts = np.unique(row, return_counts=True)
    usual = float(values[np.argmax(counts)])
    yield Drawn(f"np.full({row.size}, {_number(usual)})", np.full(row.shape, usual))
    yield from (d for d in _drawn(path) if d.row.shape == row.shape)


def _changed(row: Floats, drawn: Drawn, fmt: Format) -> _Changed | None:
    """The row as a drawn one with a few changes, each of a stretch of classes."""
    for back in (False, True):
        base = drawn.row[::-1] if back else drawn.row
        with np.errstate(invalid="ignore"):
            moved = np.rint((row - base) * STEP) / STEP
        moved = np.where(np.isfinite(moved), moved, 0.0)
        kept = _same(fmt.nearest(base + moved), row)
        if not kept.any():
            continue
        changes = list(_stretches(row, moved, kept))
        if len(changes) <= RUNS:
            return _Changed(f"{drawn.call}[::-1]" if back else drawn.call, tuple(changes), fmt.precision)
    return None


@dataclass(frozen=True)
class _Changed:
    call: str
    changes: tuple[tuple[str, str, float], ...]
    digits: int

    def __call__(self, target: str) -> list[str]:
        inside = target.endswith("]")
        row = "row" if inside else target
        lines = [f"{row} = {self.call}.copy()" if self.call.endswith("[::-1]") else f"{row} = {self.call}"]
        lines += [f"{row}[{place}] {how} {_number(value)}" for place, how, value in self.changes]
        if any(how == "+=" for _, how, _ in self.changes):
            lines.append(f"{row} = rounded({row}, {self.digits})")
        return [*lines, f"{target} = row"] if inside else lines


def _number(value: float) -> str:
    return repr(value) if np.isfinite(value) else {np.inf: "np.inf", -np.inf: "-np.inf"}.get(value, "np.nan")


def _same(a: Floats, b: Floats) -> Any:
    return (a == b) & (np.signbit(a) == np.signbit(b))


def _stretches(row: Floats, moved: Floats, kept: Any) -> Iterator[tuple[str, str, float]]:
    """The classes that are not as they were drawn, as stretches: where, how, and by what or to what."""
    how = np.where(kept, moved, 0.0)
    to = np.where(kept, 0.0, row)
    same_to = (to[1:] == to[:-1]) | (np.isnan(to[1:]) & np.isnan(to[:-1]))
    breaks = np.flatnonzero((how[1:] != how[:-1]) | (kept[1:] != kept[:-1]) | ~same_to) + 1
    for start, stop in zip([0, *breaks.tolist()], [*breaks.tolist(), len(row)], strict=True):
        place = str(start) if stop == start + 1 else f"{start}:{stop}"
        if not kept[start]:
            yield place, "=", float(row[start])
        elif how[start]:
            yield place, "+=", float(how[start])


def _helpers(text: str) -> Iterator[str]:
    """The functions that the statements call, and those that these call, each once."""
    needed = [f for f in (bell, eighths, rounded) if f"{f.__name__}(" in text]
    yield from dict.fromkeys(helper for f in needed for helper in helper_of(f))


def _makes(made: Rule, name: str, a: Array) -> bool:
    """Whether the statements give these bits, as far as they run here."""
    known: dict[str, Any] = {"np": np, "hashlib": hashlib, "ml_dtypes": ml_dtypes}
    try:
        exec("\n".join([*made.helpers, *made.lines]), known)  # our own text
    except AssertionError:
        return False
    again: Array = known[name]
    return again.dtype == a.dtype and again.shape == a.shape and again.tobytes() == a.tobytes()
