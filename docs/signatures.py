"""What is compiled, and why: the signatures of each compiled mode, by the families that ask for them.

A signature is what a compiler sees: implementation, outputs, attributes, and of each array type and shape.
They are counted by the worker itself, which is given an adapter that computes nothing and remembers how it
was called; no framework is imported. ``python -m docs.signatures`` prints docs/SIGNATURES.md, and ``python -m
docs.signatures standard`` the same of another profile; ``tests/test_signatures_page.py`` compares.
"""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xent_conformance.asking.arrays import arrays_of, filled_rows
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, families
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.frameworks.interface import Array, Call, Question
from xent_conformance.reports.text.numbers import count
from xent_conformance.worker.serve import Worker

COMPILED = (("jax", "jit"), ("optax", "jit"), ("tensorflow", "xla"), ("torch", "compile"))
"""Frameworks and the modes in which a compiler runs for them, in ``quick`` or ``standard``."""

DYNAMIC = "compile"
"""The mode whose code answers for sizes that it has not seen: none and one are sizes of their own there."""

FEW = 4
"""So many shapes of a family are named; of the rest the number."""

HEAD = """# Signatures: what is compiled, and why

Compiling is most of a run ([COST.md](COST.md)). A **signature** is what a compiler sees: an implementation, \
the outputs that are wanted at once, attributes, and of each array its type and shape. Printed by \
`.venv/bin/python -m docs.signatures`, which asks no framework: the worker is given an adapter that computes \
nothing and remembers how it was called. A test compares, and another holds the count to what JAX has \
compiled. `.venv/bin/python -m docs.signatures standard` counts another profile. What is asked beside, \
output by output, where a call fails is not counted. Code of `torch.compile` with `dynamic=True` answers for \
every size, so sizes are counted there as none, one and more.

A signature is *alone* where one family asks it. It is compiled *for its shape* where others ask the same \
implementation for the same outputs, attributes and types, in another shape: no other signature could be \
saved by asking the same question elsewhere.

An adapter says which of its modes compile every shape anew (`compiling`), and a family what those are \
asked at once (`compiled`): where the question is how a long or an odd row is walked, the operators that \
the others are made of, in one format; where it is how a call is made, one format. What a compiler fuses \
into an operator `quick` asks of those and of the logarithm of a sum (`compiled_in_quick`). Images whose \
classes are last, 257 examples that are reduced and all numbers of binary16 are asked at once of nobody who \
would compile for them. The rest they are asked a profile later, and in `full` all of it.
"""

MOVED = """## What could be saved

Most shapes are the question themselves: one class, two, none, 2¹⁷, a row alone, a row beyond a block. These \
are not, or not quite:
"""

PRICE = """
Their inputs would be others, and no run file of before could be compared with one of after: published runs \
and everybody's baselines would have to be made again. That is not done for so few.
"""

MOVABLE = {"widths": (9, 10), "ordinary": (1000, 1025)}
"""Families that ask a length in place of which they might ask another, which is compiled anyway."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """What a compiler sees of a call."""

    implementation: str
    operator: str
    outputs: tuple[str, ...]
    keywords: Hashable
    arrays: tuple[tuple[str, Shape], ...]

    @classmethod
    def of(cls, call: Call) -> Signature:
        """Of one call, whatever its numbers are."""
        sizes = _more if call.mode == DYNAMIC else _as_they_are
        arrays = tuple((a.dtype.name, sizes(a.shape)) for a in call.given)
        door, keywords = call.implementation, (*call.keywords.items(), call.sparse)
        return cls(door.name, door.operator, call.outputs, keywords, arrays)

    @property
    def shape(self) -> Shape:
        """Of the logits."""
        return self.arrays[0][1]

    @property
    def but_for_shape(self) -> Hashable:
        """What signatures have in common that are of one question in several shapes."""
        types = tuple(dtype for dtype, _ in self.arrays)
        return self.implementation, self.operator, self.outputs, self.keywords, types

    def at(self, n: int) -> Signature:
        """The same question of rows of so many classes."""
        old = self.shape[-1]
        arrays = ((t, tuple(n if size == old else size for size in shape)) for t, shape in self.arrays)
        return replace(self, arrays=tuple(arrays))


def _as_they_are(shape: Shape) -> Shape:
    return shape


def _more(shape: Shape) -> Shape:
    return tuple(min(size, 2) for size in shape)


@dataclass
class Remembers:
    """An adapter that answers zeros and remembers what it was asked."""

    seen: set[Signature] = field(default_factory=set)

    def run(self, call: Call) -> Mapping[str, Array]:
        """The signature is taken down; zeros of the right shapes come back."""
        self.seen.add(Signature.of(call))
        like = {"value": call.cotangent, "jvp": call.cotangent, "grad_labels": call.arguments[-1]}
        return {output: np.zeros_like(like.get(output, call.logits)) for output in call.outputs}


class Counting:
    """The signatures that one framework is asked in one mode, each with the families that ask for it."""

    def __init__(self, framework: str, mode: str) -> None:
        self.mode = mode
        self._seats = [Seat(FRAMEWORKS[framework], apart=apart) for apart in self._apart(framework, mode)]
        self._doors = self._seats[0].declaration.implementations
        self._known: dict[Hashable, frozenset[Signature]] = {}

    @staticmethod
    def _apart(framework: str, mode: str) -> Sequence[str]:
        """With us, and by a worker of its own where a glance is taken so."""
        glance = FRAMEWORKS[framework].declaration.glances.get(mode)
        return ("", mode) if glance is not None and glance.apart else ("",)

    def of(self, asked: Iterable[Batch], profile: str) -> dict[Signature, set[str]]:
        """Of these batches, in a profile."""
        declared = self._seats[0].declaration
        names = declared.restricted.get(self.mode, {door.name for door in self._doors})
        found: dict[Signature, set[str]] = {}
        for batch in asked:
            for seat in self._seats:
                for question in questions(seat, batch, ["cpu"], names, profile):
                    if question.mode == self.mode:
                        for signature in self._of(question, batch):
                            found.setdefault(signature, set()).add(batch.family)
        return found

    def _of(self, question: Question, batch: Batch) -> frozenset[Signature]:
        """Of a question; what differs in its numbers alone is asked once."""
        inputs = batch.inputs
        key = (question, inputs.format.name, inputs.logits.shape[1], filled_rows(batch), batch.operator)
        if key not in self._known:
            adapter = Remembers()
            rows = np.zeros(filled_rows(batch), dtype=np.intp)
            zeros = {name: np.zeros_like(a[:1])[rows] for name, a in arrays_of(batch).items()}
            Worker(adapter, self._doors).answer(question, zeros)  # type: ignore[arg-type]  # it is no framework's
            self._known[key] = frozenset(adapter.seen)
        return self._known[key]


@dataclass(frozen=True)
class Counts:
    """Of one mode, the signatures with the families that ask for them."""

    asked: Mapping[Signature, set[str]]

    @functools.cached_property
    def alone(self) -> Mapping[str, Sequence[Signature]]:
        """By family, what no other asks."""
        found: dict[str, list[Signature]] = {}
        for signature, whose in self.asked.items():
            if len(whose) == 1:
                (only,) = whose
                found.setdefault(only, []).append(signature)
        return found

    @functools.cached_property
    def for_shape(self) -> Mapping[str, Sequence[Signature]]:
        """By family, what it asks alone and others in another shape."""
        asking: dict[Hashable, set[str]] = {}
        for signature, whose in self.asked.items():
            asking.setdefault(signature.but_for_shape, set()).update(whose)
        return {
            family: [s for s in found if len(asking[s.but_for_shape]) > 1]
            for family, found in self.alone.items()
        }

    def of(self, family: str) -> tuple[int, int, int]:
        """Signatures that it asks, those that it asks alone, those for their shape."""
        asked = sum(family in whose for whose in self.asked.values())
        return asked, len(self.alone.get(family, ())), len(self.for_shape.get(family, ()))

    @property
    def whole(self) -> tuple[int, int, int]:
        """The same of all families."""
        alone, for_shape = (sum(map(len, of.values())) for of in (self.alone, self.for_shape))
        return len(self.asked), alone, for_shape

    def saved(self, family: str, length: int, other: int) -> int:
        """How many fewer there were, if a family asked rows of another length."""
        here = [s for s in self.alone.get(family, ()) if s.shape[-1:] == (length,)]
        return sum(s.at(other) in self.asked for s in here)


# --- Markdown --------------------------------------------------------------------------------------


def page(asked: Sequence[Batch], profile: str = Profile.QUICK) -> str:
    """All of docs/SIGNATURES.md, of the batches of a profile."""
    found = {
        (framework, f"`{mode}`"): Counts(Counting(framework, mode).of(asked, profile))
        for framework, mode in COMPILED
    }
    parts = [HEAD, f"## `{profile}`\n", _whole(found)]
    parts += [f"## `{f}`, {mode}\n\n{_by_family(of)}" for (f, mode), of in found.items() if len(of.alone) > 1]
    if profile == Profile.QUICK:
        parts += [MOVED, _movable(found) + PRICE]
    return "\n".join(parts)


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ["---"] * len(head), *rows])


def _whole(found: Mapping[tuple[str, str], Counts]) -> str:
    rows = [(*of, *map(count, counts.whole)) for of, counts in found.items()]
    return _lines(("framework", "mode", "signatures", "alone", "for its shape"), rows)


def _by_family(counts: Counts) -> str:
    """A row a family, what costs most alone first."""
    of = {family: counts.of(family) for family in families()}
    rows = [
        (f"`{family}`", *map(count, numbers), _shapes(counts.for_shape.get(family, ())))
        for family, numbers in sorted(of.items(), key=lambda each: (-each[1][1], -each[1][0]))
        if numbers[0]
    ]
    return _lines(("family", "signatures", "alone", "for its shape", "which shapes"), rows)


def _shapes(of: Iterable[Signature]) -> str:
    most = Counter(s.shape for s in of).most_common()
    told = [f"{'×'.join(map(str, shape)) or 'a number'}: {n}" for shape, n in most[:FEW]]
    return ", ".join([*told, *([f"{len(most) - FEW} more"] if len(most) > FEW else [])])


def _movable(found: Mapping[tuple[str, str], Counts]) -> str:
    rows = [
        (f"`{family}`", f"{old:,} → {new:,}", f"{framework} {mode}", f"{saved} of {len(counts.asked)}")
        for family, (old, new) in MOVABLE.items()
        for (framework, mode), counts in found.items()
        if (saved := counts.saved(family, old, new))
    ]
    return _lines(("family", "classes", "of", "saved"), rows)


if __name__ == "__main__":
    profile = Profile(sys.argv[1] if sys.argv[1:] else Profile.QUICK)
    print(page(tuple(batches(profile)), profile), end="")
