"""The answers of a run, with what a person at a terminal sees of it while it goes on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from xent_conformance.commands.base import Bars, Spread, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xent_conformance.asking.selection import Selection
    from xent_conformance.reports.run.file import Run
    from xent_conformance.running.opening import Opened


def opening(
    selection: Selection, interpreters: Mapping[str, str], *, begin: bool = True, **how: Any
) -> AbstractContextManager[Opened]:
    """Begins whoever is asked: what a command imports and reads beside, it does while they import.

    ``how``: ``timeout``, ``jobs`` and ``cache``, as :func:`answers` is told them.
    """
    from xent_conformance.running.opening import opened

    return opened(selection, interpreters=interpreters, begin=begin, **how)


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
    there: Opened | None = None,
    by: Callable[..., Run] | None = None,
    unit: str = "batches",
) -> Run:
    """What :func:`xent_conformance.running.engine.run` makes of the selection, or ``by``; it raises what that
    raises. ``there``: what :func:`opening` has begun; ``unit``: what the bars count.
    """
    from xent_conformance.running import engine

    files = [{"file": file.path, "name": file.name} for file in selection.files]
    asked = {"selection": selection.as_dict(), "cases": files}
    begun: dict[str, Any] = {} if there is None else {"there": there}
    with Bars(errors, quiet=quiet, unit=unit) as bars:
        return (by or engine.run)(
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
            judged=functools.partial(bars.judged, asked=asked),
            unanswered=unanswered,
            **begun,
        )


def answers_of_parts(*asked: Any, over: Spread, **how: Any) -> Run:
    """The same of :func:`xent_conformance.fleet.engine.run`, on the nodes of a cluster, part by part."""
    from xent_conformance.fleet import engine

    by = functools.partial(engine.run, of=over.parts, per_gpu=over.per_gpu)
    return answers(*asked, **how, by=by, unit="")
