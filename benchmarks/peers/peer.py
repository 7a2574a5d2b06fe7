"""A project as it is asked here: its own checks, and a way to put a kernel behind its public names."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from benchmarks.peers.stage import Answering, Kernel, Stage
from xent_conformance.frameworks.interface import Call


@dataclass(frozen=True)
class Check:
    """One test of theirs. ``run`` raises whatever it raises where something is wrong."""

    name: str
    run: Callable[[], object]


ALL_FORMATS = frozenset({"float64", "float32", "float16", "bfloat16"})


Through = Callable[[Answering, Call], Mapping[str, Any]]
"""What the caller of a public name makes of a call, and of what the kernel behind it answers."""


class Peer(Protocol):
    """``doors``: the operators that have a public name there, each with the attributes that it takes.
    ``formats`` and ``layouts``: what the kernel may be given behind it. ``gradients``: whether its checks
    ask for any. ``through``: of an operator that a name computes a part of, what its callers do beside.
    ``how``: what of its wheel is run, and how, in sentences of Markdown."""

    name: str
    distributions: tuple[str, ...]
    doors: Mapping[str, frozenset[str]]
    formats: frozenset[str]
    layouts: frozenset[str]
    gradients: bool
    through: Mapping[str, Through]
    how: str
    stage: Stage

    def checks(self, light: bool) -> Sequence[Check]:
        """Its checks; of some of the operators, quickly made, if ``light``."""

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        """Within, the kernel stands behind the public names."""


@dataclass(frozen=True)
class Asked:
    """A check that says nothing against right kernels, and which operators it asks."""

    check: Check
    operators: frozenset[str]


@dataclass(frozen=True)
class Readiness:
    """What can be asked of a peer: its checks that ask the kernel at all, and those that cannot be used.

    ``unused``: checks that accuse a correct kernel, each with what it says.
    """

    asked: tuple[Asked, ...]
    unused: dict[str, str]

    @property
    def operators(self) -> frozenset[str]:
        """Those that some check asks."""
        return frozenset().union(*(a.operators for a in self.asked))


def said(check: Check) -> str:
    """What a check says against what stands there; empty where nothing. It draws the same each time."""
    random.seed(0)
    np.random.seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            check.run()
        except Exception as error:  # noqa: BLE001  # whatever a wrong kernel makes of it
            return f"{type(error).__name__}: {error}".strip()
    return ""


def ready(peer: Peer, rights: Iterable[Kernel], *, light: bool = False) -> Readiness:
    """Which checks can be asked: those that no correct kernel is accused by, and that reach it."""
    every = peer.checks(light)
    unused: dict[str, str] = {}
    reaching: dict[str, set[str]] = {c.name: set() for c in every}
    for kernel in rights:
        with peer.behind(kernel.of(peer.doors)):
            for check in every:
                peer.stage.reached.clear()
                if check.name not in unused and (told := said(check)):
                    unused[check.name] = told
                reaching[check.name] |= peer.stage.reached & set(peer.doors)
    asked = [Asked(c, frozenset(reaching[c.name])) for c in every if c.name not in unused]
    return Readiness(tuple(a for a in asked if a.operators), {n: unused[n] for n in unused if reaching[n]})


class Noticing:
    """Puts kernels behind the names, one after the other, until a check notices each.

    A test may compare one function with another of its project, and the kernel may stand behind one of the
    two alone. What such a test says counts where it says nothing of a right kernel in the same place;
    ``alone`` has the rest: the check and the place, and what is said of the right one there.
    """

    def __init__(self, peer: Peer, readiness: Readiness, rights: Iterable[Kernel]) -> None:
        self.peer = peer
        self.alone: dict[str, str] = {}
        self._order = list(readiness.asked)
        self._rights = tuple(rights)
        self._of_right: dict[tuple[str, frozenset[str]], str] = {}

    def by(self, kernel: Kernel) -> str:
        """The name of a check that notices the kernel, and empty if none does."""
        mine = kernel.of(self.peer.doors)
        while accusing := self._accusing(mine):
            if not self._said_of_right(accusing.check, frozenset(mine.answers)):
                self._order.remove(accusing)  # who noticed one is asked first about the next
                self._order.insert(0, accusing)
                return accusing.check.name
        return ""

    def _accusing(self, mine: Kernel) -> Asked | None:
        """The first that says something, of those that are not known to say it of a right kernel."""
        place = frozenset(mine.answers)
        with self.peer.behind(mine):
            for asked in self._order:
                known = self._of_right.get((asked.check.name, place))
                if asked.operators & place and not known and said(asked.check):
                    return asked
        return None

    def _said_of_right(self, check: Check, place: frozenset[str]) -> str:
        """What it says of a right kernel behind these operators alone; empty where nothing."""
        if (key := (check.name, place)) not in self._of_right:
            self._of_right[key] = next(
                filter(None, (self._said(check, r.of(place)) for r in self._rights)), ""
            )
            if told := self._of_right[key]:
                self.alone[f"{check.name} behind {', '.join(sorted(place))}"] = told
        return self._of_right[key]

    def _said(self, check: Check, right: Kernel) -> str:
        with self.peer.behind(right):
            return said(check)
