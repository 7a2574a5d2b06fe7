"""Ray, as far as a run needs it: which nodes have room, tasks on them, and which of those were lost.

Ray is an extra, imported when it is asked for. It decides where a task runs.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xent_conformance.fleet.part import Part

AGAIN = 3
"""So many times a part is asked again whose node, or process, was lost."""

LOOKS = 10.0
"""After so many seconds without an answer we look whether anybody is left."""

NOBODY = 6
"""So many looks in a row at a cluster without room for any part, and it is given up."""

GRAINS = 10_000
"""So many of Ray's smallest shares are a whole."""

LOST = ("NodeDiedError", "WorkerCrashedError", "ObjectLostError", "OutOfMemoryError", "LocalRayletDiedError")
"""Ray's exceptions for what is the cluster's fault: the same task may be answered on another node."""

Tell = Callable[[str], None]


class NoRay(Exception):
    """There is no Ray to be asked; the message says what to do."""


class Failed(Exception):
    """A part cannot be had; the message says which, and why."""


@dataclass(frozen=True)
class Needs:
    """What a part takes of a node, while it is asked; ``memory`` in bytes.

    ``per_gpu``: so many parts share a GPU; 0 where none is needed.
    """

    cpus: int
    per_gpu: int
    memory: int

    def as_options(self) -> dict[str, float]:
        """As Ray has them, who counts ten-thousandths of a GPU: rounded down, so that all have room."""
        share = GRAINS // self.per_gpu / GRAINS if self.per_gpu else 0
        return {"num_cpus": self.cpus, "num_gpus": share, "memory": self.memory}

    def rooms(self, node: Mapping[str, float]) -> int:
        """How many parts there is room for on a node with these resources."""
        rooms = [int(node.get("CPU", 0.0) // self.cpus), int(node.get("memory", 0.0) // self.memory)]
        return min(*rooms, int(node.get("GPU", 0.0)) * self.per_gpu) if self.per_gpu else min(rooms)

    def __str__(self) -> str:
        gpu = {0: "", 1: ", 1 GPU"}.get(self.per_gpu, f", 1/{self.per_gpu} GPU")
        return f"{self.cpus} CPU{gpu} and {self.memory / 2**30:.1f} GiB"


class Cluster:
    """A cluster that we are connected to."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def nodes(self) -> list[Mapping[str, float]]:
        """The resources of each node that is there."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def rooms(self, needs: Needs) -> int:
        """How many parts can be asked at a time."""
        return sum(needs.rooms(node) for node in self.nodes())

    def __str__(self) -> str:
        told = [
            f"{node.get('CPU', 0):g} CPU, {node.get('GPU', 0):g} GPU, {node.get('memory', 0) / 2**30:.1f} GiB"
            for node in self.nodes()
        ]
        return f"nodes have {'; '.join(told)}" if told else "there is no node"

    def answers(self, parts: Iterable[Part], needs: Needs, tell: Tell) -> Generator[tuple[Part, bytes]]:
        """Each part with its answer, as they come; those that are lost are asked again.

        Raises :class:`Failed` for one that cannot be had. Closed, it takes back what is not answered.
        """
        ray = self._ray
        lost = tuple(getattr(ray.exceptions, name) for name in LOST)
        # how often a task is tried is ours to count, so that whoever waits is told
        from xent_conformance.fleet.part import ask  # here: whoever knows our errors loads little

        task = ray.remote(ask).options(max_retries=0, **needs.as_options())
        waiting = {task.remote(part): part for part in parts}
        times: Counter[int] = Counter()
        try:
            while waiting:
                answered = self._next(list(waiting), needs)
                part = waiting.pop(answered)
                try:
                    held = ray.get(answered)
                except lost as error:
                    times[part.index] += 1
                    what = f"part {part.name} was lost ({_first_line(error)})"
                    if times[part.index] > AGAIN:
                        raise Failed(f"{what}, for the {times[part.index]}th time") from None
                    tell(f"{what}, and is asked again")
                    waiting[task.remote(part)] = part
                except ray.exceptions.RayError as error:
                    cause = getattr(error, "cause", None)  # what the part itself has raised
                    words = _first_line(error) if cause is None else f"{type(cause).__name__}: {cause}"
                    raise Failed(f"part {part.name}: {words}") from None
                else:
                    yield part, held
        finally:
            for unanswered in waiting:
                ray.cancel(unanswered, force=True)

    def _next(self, waiting: list[Any], needs: Needs) -> Any:
        """The next that is answered, or lost. Raises :class:`Failed` where nobody is left to answer."""
        looks = 0
        while True:
            ready, _ = self._ray.wait(waiting, num_returns=1, timeout=LOOKS)
            if ready:
                return ready[0]
            looks = 0 if self.rooms(needs) else looks + 1
            if looks >= NOBODY:
                raise Failed(f"no node is left that has room for a part ({needs})")


@contextlib.contextmanager
def connected() -> Iterator[Cluster]:
    """The cluster of ``RAY_ADDRESS`` or of this machine, or one that lasts as long as we do.

    Raises :class:`NoRay` where there is none to be had.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # who starts a run has not asked to report it
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise NoRay("--engine ray needs Ray: pip install 'xent-conformance[ray]'") from None
    ours = not ray.is_initialized()
    try:
        if ours:
            ray.init(log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise NoRay(
            f"no Ray cluster answers ({_first_line(error)}); see `ray status`, set RAY_ADDRESS, or unset it "
            "for a cluster on this machine alone"
        ) from None
    try:
        yield Cluster(ray)
    finally:
        if ours:
            ray.shutdown()


def _first_line(error: BaseException) -> str:
    """What it says, in a line."""
    line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
