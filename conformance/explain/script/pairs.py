"""Two answers to one row that should have the same bits (SPEC.md 7.4, 7.5), and how a script asks for both.

A row alone and in a batch; a row and its copy in one call; two elements of one row with equal inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from xent_conformance.explain.script.format import block
from xent_conformance.frameworks.interface import Array
from xent_conformance.worker.bits import other_bits

Ask = Callable[[Array], Array | None]
"""What comes back for these rows of the batch, ``(rows, …)``; None where that cannot be compared."""


@dataclass(frozen=True)
class Pair:
    """The call of ``take``, and two places in it whose bits differ: rows, or elements of a row.

    ``alone``: the second is the row in a call of its own. ``vector``: what comes back is one row and no more.
    """

    take: Array
    row: int
    other: int = 0
    elements: tuple[int, int] | None = None
    alone: bool = False
    vector: bool = False

    @property
    def told(self) -> str:
        """What is compared, in words."""
        if self.elements is not None:
            return f"elements {self.elements[0]} and {self.elements[1]} of one row, whose inputs are equal"
        return (
            "the row in a batch, and alone"
            if self.alone
            else f"a row and its copy, {self.other - self.row} below"
        )

    def lines(self, given: str, alone: str) -> list[str]:
        """Statements that ask both and compare; ``given`` and ``alone`` are the arguments of each call."""
        first = f"first = ask({given})[{self.row}]"
        if self.elements is not None:
            i, j = self.elements
            place = "" if self.vector else f"[{self.row}]"
            asked = [f"result = ask({given}){place}", f"first, second = result[{i}], result[{j}]"]
        elif self.alone:
            asked = [first, f"second = ask({alone})[0]"]
        else:
            asked = [f"result = ask({given})", f"first, second = result[{self.row}], result[{self.other}]"]
        return [
            *asked,
            "first, second = np.atleast_1d(first), np.atleast_1d(second)",
            "other = first.view(np.uint64) != second.view(np.uint64)",
            "other &= ~(np.isnan(first) & np.isnan(second))",
            "for i in np.flatnonzero(other):",
            '    print(f"[{i}] {float(first[i])} and {float(second[i])}")',
            "if other.any():",
            f'    sys.exit(f"differ: {{other.sum()}} of {{other.size}} numbers: {self.told}")',
        ]


def function(names: list[str], lines: tuple[str, ...], whole: str, name: str = "ask") -> list[str]:
    """A function that asks once; what comes back is widened to binary64, which keeps every bit apart."""
    return ["", "", f"def {name}({', '.join(names)}):", *block([*lines, f"return {whole}"]), "", ""]


def found(
    ask: Ask, takes: Iterable[Array], row: int, total: int, alike: Mapping[int, int], *, vector: bool = False
) -> Pair | None:
    """The first pair with other bits; ``alike``: of an element the first one with equal inputs."""
    alone = ask(np.array([row]))
    for take in takes:
        together, at = ask(take), int(np.flatnonzero(take == row)[0])
        if together is None:
            continue
        mine = together[at]
        for element, first in alike.items():
            if mine.ndim == 1 and other_bits(mine[element : element + 1], mine[first : first + 1]).any():
                return Pair(take, at, elements=(first, element), vector=vector)
        for copy in range(at + total, len(take), total):
            if other_bits(mine[None], together[copy][None]).any():
                return Pair(take, at, other=copy)
        if alone is not None and len(take) > 1 and other_bits(mine[None], alone[:1]).any():
            return Pair(take, at, alone=True)
    return None
