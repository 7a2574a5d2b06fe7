"""A version of a framework asked on a cluster: each node makes itself the environment that it is asked in."""

from __future__ import annotations

from pathlib import Path

from xent_conformance.asking.patience import ANSWER_SECONDS
from xent_conformance.fleet import engine
from xent_conformance.fleet.cluster import Tell
from xent_conformance.reports.run.file import Run
from xent_conformance.running.engine import Progress
from xent_conformance.versions.upgrade import NoEvidence, Pin, Request, distribution_of, run_file


def run_one(
    request: Request,
    pin: Pin,
    folder: Path,
    progress: Progress,
    tell: Tell,
    *,
    parts: int | None = None,
    per_gpu: int = 1,
    force: bool = False,
) -> Run:
    """One version's run, written where :func:`~xent_conformance.versions.upgrade.run_one` writes it.

    A Python that was named is that of the node. This suite stays what the nodes have; of an environment only
    the interpreter is used, so that all versions are judged by the same code.
    """
    name, python = request.framework.name, request.named(pin)
    run = engine.run(
        request.selection,
        run_file(request, pin, folder),
        of=parts,
        per_gpu=per_gpu,
        resume=None,
        force=force,
        progress=progress,
        tell=tell,
        timeout=ANSWER_SECONDS,
        interpreters={} if python is None else {name: str(python)},
        environments={} if python else {name: request.requirements(pin)},
    )
    _check_version(request, pin, run)
    return run


def _check_version(request: Request, pin: Pin, run: Run) -> None:
    """Raises :class:`NoEvidence` where what answered is another version than the one that was named."""
    if pin.name != distribution_of(request.framework):
        return  # a part of it, whose version its workers do not say
    there = {str(worker["version"]) for worker in run.header["frameworks"]}
    if others := sorted(version for version in there if not pin.names(version)):
        raise NoEvidence(
            f"{pin.text}: on the nodes there is {pin.name} {others[0]}; name the version that is there, or "
            "leave --python out for environments that are made there"
        )
