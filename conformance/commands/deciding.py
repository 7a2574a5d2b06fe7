"""What the gate decides, for the commands that show it beside something else: `gate` is what fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xent_conformance.commands.base import warn
from xent_conformance.commands.files import accepted, check_baseline, read

if TYPE_CHECKING:
    from xent_conformance.commands.base import FailOn
    from xent_conformance.reports.run.commands import Files
    from xent_conformance.reports.run.file import Run
    from xent_conformance.reports.views.gate import Gate


def deciding(
    baseline: Sequence[Path] | None,
    waivers: Sequence[Path] | None,
    known: bool,
    fail_on: Sequence[FailOn] | None,
    *,
    first: bool = False,
    next_steps: bool = True,
) -> Callable[[Run, Sequence[Path]], Gate]:
    """``decided(run, its files)``: the decision, with its files for the commands that make it again.

    What it needs is read at once, so that what is wrong with it is said before anything else is done: exit
    status 2 for a wrong waiver, 3 for a baseline that is no evidence. ``first``: a run is its own baseline.
    ``next_steps``: as :func:`xent_conformance.decision.gate.decide` has it.
    """
    from xent_conformance.decision.gate import decide
    from xent_conformance.decision.policy import Policy

    before = read(baseline) if baseline else None
    accepts = accepted(waivers, known)
    names = tuple(f.value for f in fail_on or ())
    policy = Policy(frozenset(names))
    for told in policy.idle(compared=first or before is not None):
        warn(told)

    def decided(run: Run, runs: Sequence[Path]) -> Gate:
        if before is not None:
            check_baseline(before, baseline or (), run, runs)
        old = run if first else before
        decision = decide(run, baseline=old, waivers=accepts, policy=policy, next_steps=next_steps)
        return replace(decision, files=files_of(runs, baseline, waivers, known, names))

    return decided


def files_of(
    runs: Sequence[Path],
    baseline: Sequence[Path] | None,
    waivers: Sequence[Path] | None,
    known: bool,
    fail_on: tuple[str, ...],
) -> Files:
    """What is decided on, as it is typed again: in a job of GitHub, by who has its files elsewhere."""
    from xent_conformance.reports.run.commands import Files

    groups = [tuple(paths or ()) for paths in (runs, baseline, waivers)]
    every = [path for paths in groups for path in paths]
    names = {path: _elsewhere(path) for path in every}
    if len({*names.values()}) < len({*every}):  # two that would be called alike keep their folders
        names = {path: str(path) for path in every}
    runs_, baseline_, waivers_ = (tuple(names[path] for path in paths) for paths in groups)
    return Files(runs_, baseline_, waivers_, known, fail_on)


def _elsewhere(path: Path) -> str:
    """A file of a runner as who reads of it has it: of the checkout from its root, an artifact by its name.

    The folders of the runner are gone when its job has ended; elsewhere than there a path stays as it is.
    """
    workspace, temporary = (os.environ.get(name) for name in ("GITHUB_WORKSPACE", "RUNNER_TEMP"))
    if temporary and path.is_absolute() and path.is_relative_to(temporary):
        return path.name
    if workspace and path.is_absolute() and path.is_relative_to(workspace):
        return str(path.relative_to(workspace))
    return str(path)
