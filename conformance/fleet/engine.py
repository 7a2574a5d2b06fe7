"""The parts of a run asked on a cluster, and put together: the run that one machine would have written."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from xent_conformance.asking.selection import Selection
from xent_conformance.devices.names import kind_of
from xent_conformance.discovery.names import UnknownName
from xent_conformance.fleet.cluster import GRAINS, Cluster, Failed, Needs, Tell, connected
from xent_conformance.fleet.part import Part, settings
from xent_conformance.fleet.parts import Parts, left_by
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import parts_of
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.running import merging
from xent_conformance.running.costs import Costs
from xent_conformance.running.desk import Judged
from xent_conformance.running.engine import Progress
from xent_conformance.running.header import identity
from xent_conformance.running.keeping import alone, check_run, place_of
from xent_conformance.running.shards import groups

NONE: Mapping[str, tuple[str, ...]] = {}

UNKNOWN = 500.0
"""Megabytes of a worker that nobody has measured, and that is asked for by name."""


def needs(selection: Selection, jobs: int, costs: Costs, per_gpu: int = 1) -> Needs:
    """What a part of a selection takes: a worker of each seat, and its share of a GPU where one is named.

    Raises UnknownName for a share of none, and for one that Ray cannot count.
    """
    names = [seat.name for seat in selection.seats()]
    memory = sum(costs.memory.get(name, UNKNOWN * (name in selection.frameworks)) for name in names)
    gpu = any(kind_of(device) == "cuda" for device in selection.possible)
    if per_gpu > 1 and not gpu:
        raise UnknownName("--per-gpu is how many parts share a GPU, and none is asked: add --device cuda")
    if per_gpu > GRAINS:
        raise UnknownName(f"--per-gpu {per_gpu}: Ray divides a GPU into {GRAINS:,} shares at most")
    return Needs(jobs, per_gpu if gpu else 0, int((memory + costs.memory["suite"]) * 2**20))


def run(
    selection: Selection,
    out: Path | None,
    *,
    of: int | None = None,
    per_gpu: int = 1,
    resume: bool | None = False,
    force: bool = False,
    progress: Progress = lambda what, done, planned: None,
    interpreters: Mapping[str, str],
    timeout: float,
    jobs: int | None = None,
    cache: bool = True,
    tell: Tell = lambda line: None,
    judged: Judged = lambda verdicts: None,
    environments: Mapping[str, tuple[str, ...]] = NONE,
    unanswered: bool = True,
) -> Run:
    """Ask ``selection`` in ``of`` parts, write ``out`` if it is named, and return the run.

    As many parts as there is room for at a time, if unsaid, or as are left to go on with; ``jobs`` cores a
    part, ``per_gpu`` parts a GPU. ``environments``: of frameworks that are asked in one of their own, made on
    each node, its requirements. The rest is that of :func:`xent_conformance.running.engine.run`, which asks
    each part on its node. Raises what it raises, UnknownName for what is not to be spread so,
    :class:`~.cluster.NoRay`, and :class:`~.cluster.Failed`.
    """
    how = {"interpreters": dict(interpreters), "timeout": timeout}
    apart = {"environments": {name: sorted(wanted) for name, wanted in environments.items()}}
    with contextlib.nullcontext() if out is None else alone(out), _folder(out) as folder:
        if out is not None and not force:
            check_run(out, selection.as_dict())
        due = needs(selection, jobs or 1, Costs.read(), per_gpu)
        most = len(groups(selection))
        wanted = of or _left(folder, resume)
        if wanted is not None and wanted > most:
            raise UnknownName(f"--parts {wanted}: what is asked can be divided into {most} at most")
        with connected() as cluster:
            number = wanted or _number(cluster, due, most)
            whose = {**identity(selection), **how, **apart, "parts": number}
            parts = Parts(folder, whose, resume=resume, force=force)
            for line in parts.asked_again:
                tell(line)
            rest = [
                Part(
                    index,
                    number,
                    asdict(selection),
                    how | {"jobs": jobs or 1, "cache": cache},
                    settings(),
                    str(Path.cwd()),
                    due.per_gpu,
                    environments,
                )
                for index in range(1, number + 1)
                if index not in parts.has
            ]
            progress("parts", len(parts.has), number)
            with contextlib.closing(cluster.answers(rest, due, tell)) as answers:
                for part, held in answers:
                    judged(parts.add(part.index, held).verdicts)
                    progress("parts", len(parts.has), number)
        found = merging.read_parts(parts.paths)
        result = merging.merged(found, selection, Oracle(default_cache()))
        if out is not None and (unanswered or not result.unanswered):
            write_run(place_of(out, result, force=force), result)
        if result.complete or result.unanswered:  # nothing to go on with
            parts.remove()
    return result


def _left(folder: Path, resume: bool | None) -> int | None:
    """In how many parts that was divided which is gone on with."""
    left = None if resume is False else left_by(folder)
    return left.get("parts") if isinstance(left, dict) else None


def _number(cluster: Cluster, due: Needs, most: int) -> int:
    """As many parts as can be asked at a time, and ``most``. Raises :class:`Failed` for none."""
    rooms = cluster.rooms(due)
    if not rooms:
        gpu = due.per_gpu and not any(node.get("GPU") for node in cluster.nodes())
        what_to_do = (
            "leave --device out, or begin Ray where there is a GPU" if gpu else "leave frameworks out"
        )
        raise Failed(f"no node has room for a part, which takes {due}: {cluster}; {what_to_do}")
    return min(rooms, most)


@contextlib.contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Where parts lie until they are put together."""
    if out is not None:
        yield parts_of(out)
        return
    with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
