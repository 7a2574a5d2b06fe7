"""What the command line does, from Python: ``xent_conformance.run``, ``read_run``, ``findings``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from xent_conformance.asking.patience import ANSWER_SECONDS
from xent_conformance.asking.selection import Selection
from xent_conformance.discovery.names import Names, names
from xent_conformance.discovery.plugins import load, load_installed
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.file import read_run as _read
from xent_conformance.reports.run.findings import findings as _findings
from xent_conformance.running import engine


def run(
    profile: str = "standard",
    frameworks: Names = None,
    operators: Names = None,
    *,
    dtypes: Names = None,
    families: Names = None,
    implementation: Names = None,
    devices: Names = None,
    plugins: Names = None,
    cases: Names = None,
    exclude: Names = None,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    progress: engine.Progress | None = None,
    interpreters: Mapping[str, str] | None = None,
    timeout: float = ANSWER_SECONDS,
    jobs: int | None = None,
    cache: bool = True,
) -> Run:
    """Ask the frameworks, judge their answers, and return the run; ``out`` is the run file, if one is wanted.

    Names narrow what is asked, none means all: ``conformance run`` with the same words. ``plugins`` are
    taken as by ``--plugin``, ``interpreters`` (framework to path) as by ``--python``; ``cases`` names files
    of cases, which are asked instead of the corpus, as by ``--cases``; ``exclude`` names implementations
    that are not asked. What is there as ``out`` stays, unless it is a run of the same questions or ``force``
    is given: raises FileExistsError. An answer is waited for ``timeout`` seconds; ``jobs`` workers work at a
    time, as by ``--jobs``; without ``cache`` everything is compiled anew, as by ``--no-cache``. A framework
    that is not installed is recorded, and the rest runs. Raises ValueError, with near names, for a name that
    nothing answers to, and for seconds or workers that are not more than none.
    """
    if not timeout > 0:
        raise ValueError(f"timeout={timeout}: an answer is waited for some seconds, more than 0")
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs={jobs}: one worker at least; leave it out for as many as there are cores")
    references = names(plugins)  # once: it may be gone through once
    _plug_in(references)
    selection = Selection(
        profile,
        names(frameworks),
        names(operators),
        names(dtypes),
        names(families),
        names(implementation),
        names(devices),
        references,
        names(cases),
        names(exclude),
    )
    where = None if out is None else Path(out)
    return engine.run(
        selection,
        where,
        resume=resume,
        force=force,
        progress=progress,
        interpreters=interpreters,
        timeout=timeout,
        jobs=jobs,
        cache=cache,
    )


def read_run(path: str | Path) -> Run:
    """The run in a run file. Raises RunFileError, of ``reports.run.file``, for a file that is none.

    Its ``verdicts`` hold words as categories: ``.cast(pl.String)`` what is to be searched for a text.
    """
    return _read(Path(path))


def findings(run: Run) -> pl.DataFrame:
    """Verdicts that break a clause, grouped by likely cause, worst first."""
    return _findings(run.verdicts)


def _plug_in(references: Sequence[str]) -> None:
    """Take the installed plug-ins and the named ones. Raises ValueError for a named one that is broken."""
    for broken in load_installed():
        warnings.warn(str(broken), stacklevel=3)
    for reference in references:
        load(reference)
