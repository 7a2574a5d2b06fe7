"""The answers of a run, with what a person at a terminal sees of it while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xent_conformance.commands.base import Bars, errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xent_conformance.asking.selection import Selection
    from xent_conformance.reports.run.file import Run


def answers(
    selection: Selection,
    interpreters: Mapping[str, str],
    out: Path | None = None,
    *,
    quiet: bool,
    timeout: float,
    jobs: int | None,
    cache: bool,
    resume: bool = False,
    force: bool = False,
    unanswered: bool = True,
) -> Run:
    """What :func:`xent_conformance.running.engine.run` makes of the selection; it raises what that raises."""
    from xent_conformance.running import engine

    with Bars(errors, quiet=quiet) as bars:
        return engine.run(
            selection,
            out,
            resume=resume,
            force=force,
            progress=bars.update,
            interpreters=interpreters,
            timeout=timeout,
            jobs=jobs,
            cache=cache,
            tell=bars.tell,
            judged=bars.judged,
            unanswered=unanswered,
        )


def answers_of_parts(
    selection: Selection,
    interpreters: Mapping[str, str],
    out: Path | None = None,
    *,
    parts: int | None,
    quiet: bool,
    timeout: float,
    jobs: int | None,
    cache: bool,
    resume: bool,
    force: bool,
    unanswered: bool,
) -> Run:
    """The same of :func:`xent_conformance.fleet.engine.run`, on the nodes of a cluster."""
    from xent_conformance.fleet import engine

    with Bars(errors, quiet=quiet, unit="") as bars:
        return engine.run(
            selection,
            out,
            of=parts,
            resume=resume,
            force=force,
            progress=bars.update,
            interpreters=interpreters,
            timeout=timeout,
            jobs=jobs,
            cache=cache,
            tell=bars.tell,
            judged=bars.judged,
            unanswered=unanswered,
        )
