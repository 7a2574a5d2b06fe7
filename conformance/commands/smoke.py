"""``conformance smoke``: the doors that everybody calls, in seconds, for a pre-commit or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from xent_conformance.cases.smoke import DTYPES, FAMILIES, OPERATORS
from xent_conformance.commands import completing
from xent_conformance.commands.answers import answers, opening
from xent_conformance.commands.base import (
    ANSWER_SECONDS,
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    Jobs,
    Known,
    NoCache,
    Plugin,
    Quiet,
    Timeout,
    Waivers,
    app,
    console,
    ends,
    fail,
    plug_in,
    select,
)
from xent_conformance.commands.configured import otherwise, settle
from xent_conformance.commands.deciding import deciding
from xent_conformance.commands.first import absent, nothing
from xent_conformance.commands.where import Python, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@app.command(
    epilog=ends(
        {
            0: "passed: nothing of it is wrong that nobody has waived",
            1: "the gate failed",
            2: "wrong usage",
            3: "evidence is missing: what was named is absent, or nothing is installed",
            130: "interrupted",
        }
    )
)
def smoke(
    frameworks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FRAMEWORK]...",
            help="torch, jax, tensorflow, …; default: what is installed.",
            autocompletion=completing.frameworks,
        ),
    ] = None,
    python: Python = None,
    plugin: Plugin = None,
    timeout: Timeout = ANSWER_SECONDS,
    jobs: Jobs = None,
    no_cache: NoCache = False,
    waivers: Waivers = None,
    known: Known = True,
    quiet: Quiet = False,
) -> None:
    """Ask three operators in two formats, of the implementation that everybody calls; decide, write nothing.

    For a pre-commit: seconds, where `conformance FRAMEWORK` takes its time. What passes here has not passed.
    """
    frameworks = otherwise(frameworks, "frameworks")
    settle(quiet=quiet)
    plug_in(plugin)
    selection = select(
        "quick",
        frameworks,
        list(OPERATORS),
        list(DTYPES),
        list(FAMILIES),
        doors(frameworks or ()),
        ["cpu"],
        plugin,
    )
    where = target_of(python, selection.frameworks)
    from xent_conformance.reports.run.unusable import RunFileError

    try:
        interpreters = where.interpreters(f.name for f in selection.chosen_frameworks())
        selection.seats(interpreters)  # refuses an interpreter of what is not asked
    except ValueError as error:
        raise fail(str(error), USAGE) from None
    how: dict[str, Any] = {"timeout": timeout, "jobs": jobs, "cache": not no_cache}
    try:
        with opening(selection, interpreters, **how) as there:
            decided = deciding(None, waivers, known, None, next_steps=False)
            result = answers(selection, interpreters, quiet=quiet, there=there, **how)
    except RunFileError as error:
        raise fail(str(error), EVIDENCE) from None
    except KeyboardInterrupt:
        raise fail("interrupted; nothing is kept", INTERRUPTED) from None
    from xent_conformance.reports.terminal import causes as terminal_causes
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.views.causes import causes

    if result.verdicts.is_empty():
        raise fail(nothing(result, where), EVIDENCE)
    decision = decided(result, [])
    if not quiet:
        terminal_causes.show(causes(result), console, whole=False)
    terminal_gate.sentence(decision, console)
    if gaps := absent(result, where):
        raise fail(gaps, EVIDENCE)
    raise typer.Exit(decision.status)


def doors(frameworks: Sequence[str]) -> list[str]:
    """Of each operator the first implementation that a framework declares for every profile."""
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import UnknownName, check_name

    try:
        named = [FRAMEWORKS[check_name("framework", name, FRAMEWORKS)] for name in frameworks]
    except UnknownName as unknown:
        raise fail(str(unknown), USAGE) from None
    found: dict[tuple[str, str], str] = {}
    for framework in named or FRAMEWORKS.values():
        for i in framework.declaration.implementations:
            if i.operator in OPERATORS and i.since == "quick" and i.formulation != "naive":
                found.setdefault((framework.name, i.operator), i.name)
    return list(dict.fromkeys(found.values()))
