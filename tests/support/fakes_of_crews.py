"""Fakes of which several workers answer: each waits, at its second batch, until all have begun.

How many that is, a variable says. Where they meet is a folder that a variable names, so that no test depends
on who is faster.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.support.fakes import Exact
from xent_conformance.frameworks.interface import Array, Call

MEET, MANY = "TESTS_WORKERS_MEET", "TESTS_WORKERS_MANY"
"""Variables: the folder, and how many workers are waited for."""

WAITS = 60.0
"""Seconds, where the others do not come: then it answers all the same."""


class Meets(Exact):
    """Exact, and answers its second batch when the others have begun."""

    def __init__(self) -> None:
        self._batches: set[bytes] = set()

    def environment(self) -> Mapping[str, str]:
        return {"flavour": "Exact"}

    def run(self, call: Call) -> Mapping[str, Array]:
        self._batches.add(call.logits.tobytes())
        self.meet()
        return super().run(call)

    def meet(self) -> None:
        """Say that we are there, and wait for the others."""
        folder = Path(os.environ[MEET])
        (folder / f"{os.getpid()}.began").touch()
        end = time.monotonic() + WAITS
        many = int(os.environ[MANY]) if len(self._batches) > 1 else 0
        while len(list(folder.glob("*.began"))) < many and time.monotonic() < end:
            time.sleep(0.01)


class FirstCallDiffers(Meets):
    """Its first call of a shape gives the next numbers above, as what is compiled lazily may."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[object, ...]] = set()

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        key = (call.implementation.name, call.logits.shape, call.logits.dtype.name, tuple(call.outputs))
        if key in self._seen:
            return found
        self._seen.add(key)
        return {o: np.nextafter(a, np.array(np.inf, dtype=a.dtype)) for o, a in found.items()}


class SecondIsAnother(Meets):
    """Of several workers the first says that it is of another flavour than the rest."""

    def __init__(self) -> None:
        super().__init__()
        folder = Path(os.environ[MEET])
        self._flavour = "Other" if list(folder.glob("*.made")) else "Exact"
        (folder / f"{os.getpid()}.made").touch()
        (folder / f"{os.getpid()}.began").touch()

    def environment(self) -> Mapping[str, str]:
        return {"flavour": self._flavour}


class SecondDoesNotStart(Meets):
    """Of several workers the first starts, and the others are gone before they say hello."""

    def __init__(self) -> None:
        super().__init__()
        folder = Path(os.environ[MEET])
        (folder / f"{os.getpid()}.began").touch()
        if list(folder.glob("*.made")):
            os._exit(3)
        (folder / f"{os.getpid()}.made").touch()


class OneOfTwoIsLost(Meets):
    """Whoever comes second dies at its first call, and does not start again; one that is new then does."""

    def __init__(self) -> None:
        super().__init__()
        folder = Path(os.environ[MEET])
        self._second = len(list(folder.glob("*.made"))) == 1
        if list(folder.glob("*.died")) and not (folder / "refused").exists():
            (folder / "refused").touch()
            os._exit(3)
        (folder / f"{os.getpid()}.made").touch()

    def run(self, call: Call) -> Mapping[str, Array]:
        if self._second:
            folder = Path(os.environ[MEET])
            (folder / f"{os.getpid()}.died").touch()
            (folder / f"{os.getpid()}.began").touch()
            os._exit(3)
        return super().run(call)


class AsksInOrder(FirstCallDiffers):
    """Its first call of all gives other numbers, and it says so."""

    in_order = frozenset({"eager"})

    def run(self, call: Call) -> Mapping[str, Array]:
        found = Meets.run(self, call)
        if self._seen:
            return found
        self._seen.add(("called",))
        return {o: np.nextafter(a, np.array(np.inf, dtype=a.dtype)) for o, a in found.items()}


class OnAnAccelerator(Meets):
    """Has a device whose memory is its worker's."""

    def devices(self) -> Sequence[str]:
        return ["cpu", "cuda:0"]
