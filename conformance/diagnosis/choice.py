"""The choice among hypotheses that explain the same: of every broken verdict one is told, for a whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xent_conformance.diagnosis.doors import OTHER, Ids, Weighed
from xent_conformance.diagnosis.layer import speaks_of
from xent_conformance.diagnosis.marks import Marks, places
from xent_conformance.diagnosis.predict import HYPOTHESES, Name
from xent_conformance.reports.run.file import TARGET

DOOR = (*TARGET, "operator", "output", "dtype")
"""Whose verdicts are explained together: one implementation's output in one format, mode and device."""


@dataclass(frozen=True, eq=False)
class Explained:
    """The verdicts of a door by what explains them; ``conforming`` rows were held against each."""

    door: tuple[str, ...]
    ids: Ids
    """The numbers of its broken verdicts."""
    conforming: int
    by: Mapping[Name, Marks]
    """No verdict is in two."""

    def of(self, name: Name) -> Ids:
        """The numbers of those that a hypothesis explains."""
        return self.ids[places(self.by[name])]


Weighing = tuple[Explained, list[Weighed]]
"""A door that is not explained yet, and what was weighed."""

_RANK = {h.name: min(o.rank for o in HYPOTHESES if o.name == h.name) for h in HYPOTHESES}


def _ranks() -> dict[tuple[str, str, str], int]:
    """How little a hypothesis supposes of one output of an operator, whatever its forms elsewhere suppose."""
    found: dict[tuple[str, str, str], int] = {}
    for h in HYPOTHESES:
        for operator, output in h.where:
            place = h.name, operator, output
            found[place] = min(h.rank, found.get(place, h.rank))
    return found


_RANK_THERE = _ranks()

LAST = 5
"""The rank of what says what comes back and not how."""

_WHO = DOOR.index("implementation")

_CHOSEN = {h.name for h in HYPOTHESES} - {h.name for h in HYPOTHESES if len(h.parameters) <= 3}
"""Whose constant is chosen among many: one number can be met by the choice alone, and says nothing."""

_INNOCENT = {h.name for h in HYPOTHESES if h.innocent}
"""What is no fault."""


def explain(doors: Iterable[Weighing]) -> list[Explained]:
    """Every broken verdict goes to what explains most of what is left in the whole run; ties to the simplest.

    What is wrong in many implementations is told rather than what could be wrong in one.
    """
    weighed = list(doors)
    seen: Counter[tuple[str, Name]] = Counter()
    for e, found in weighed:
        for w in found:
            seen[e.door[_WHO], w.name] += w.explained.bit_count()
    parts = [
        _Part(e, {w.name: w.explained for w in found if _allowed(w, seen[e.door[_WHO], w.name])})
        for e, found in weighed
    ]
    whole = _sizes(parts)
    for part in parts:
        mine, rank = part.sizes, part.rank
        if mine:
            part.take(max(mine, key=lambda name: (mine[name], -rank(name), whole[name], name)))
    sizes = _sizes(parts)
    while sizes:
        best = max(
            sizes, key=lambda name: (sizes[name] > 0, _says_how(name), sizes[name], -_RANK[name], name)
        )
        if not sizes[best]:
            break
        for part in parts:
            before = part.sizes
            if best not in before:
                continue
            part.take(best)
            for name, size in before.items():
                sizes[name] += part.sizes.get(name, 0) - size
    return [Explained(p.door.door, p.door.ids, p.door.conforming, p.by) for p in parts]


def _says_how(name: str) -> bool:
    """What does not, and what is no fault, is told last of what a door has left, however much it explains
    elsewhere."""
    return _RANK[name] < LAST and name not in _INNOCENT


def _sizes(parts: Iterable[_Part]) -> dict[str, int]:
    """How many verdicts each hypothesis explains in all of them."""
    sizes: dict[str, int] = {}
    for part in parts:
        for name, size in part.sizes.items():
            sizes[name] = sizes.get(name, 0) + size
    return sizes


def _allowed(w: Weighed, seen: int) -> bool:
    """Not contradicted; seen where rounding alone is no explanation, if it is another function; and ``seen``
    more than once in all that the implementation returned, if its constant is chosen."""
    severe = w.severe or w.name[0] not in OTHER
    return not w.contradicted and severe and bool(w.explained) and seen > (w.name[0] in _CHOSEN)


class _Part:
    """A door while it is explained: what is left of each hypothesis, in the arithmetic that explains most."""

    def __init__(self, door: Explained, found: Mapping[Name, Marks]) -> None:
        self.door = door
        self.left = dict(found)
        self.by: dict[Name, Marks] = {}
        self.sizes = self._sizes()
        """How many are left of each that explains any."""

    def _sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (name, _), marked in self.left.items():
            found[name] = max(found.get(name, 0), marked.bit_count())
        return found

    def rank(self, name: str) -> int:
        """The rank of the simplest form that this output has of a hypothesis."""
        operator, output = (self.door.door[DOOR.index(column)] for column in ("operator", "output"))
        there = (
            _RANK_THERE.get((name, *place)) for place in ((operator, output), speaks_of(operator, output))
        )
        return min((rank for rank in there if rank is not None), default=_RANK[name])

    def take(self, name: str) -> None:
        mine = max((n for n in self.left if n[0] == name), key=lambda n: (self.left[n].bit_count(), n))
        taken = self.by[mine] = self.left.pop(mine)
        self.left = {n: rest for n, marked in self.left.items() if (rest := marked & ~taken)}
        self.sizes = self._sizes()
