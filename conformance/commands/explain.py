"""``conformance explain``: one case whole, or what shows it to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from xent_conformance.commands.base import (
    EVIDENCE,
    USAGE,
    Bars,
    Cases,
    Device,
    Format,
    Formatted,
    Framework,
    Glob,
    Out,
    Plugin,
    app,
    errors,
    fail,
    plug_in,
    warn,
)
from xent_conformance.commands.files import STANDARD, show, write_all
from xent_conformance.commands.plain import escape
from xent_conformance.commands.where import Python, target_of, whose

if TYPE_CHECKING:
    from rich.console import Console

    from xent_conformance.cases.case import Batch, Case
    from xent_conformance.explain.wanted import Wanted


@app.command()
def explain(
    case_id: Annotated[str, typer.Argument(metavar="CASE_ID", help="As a report or `run` prints it.")],
    implementation: Glob = None,
    device: Device = None,
    plugin: Plugin = None,
    cases: Cases = None,
    python: Python = None,
    script: Annotated[
        bool, typer.Option("--script", help="Print a script that shows it without this suite (one NAME).")
    ] = False,
    issue: Annotated[
        str,
        typer.Option(
            "--issue",
            metavar="TRACKER",
            help="Print the text of an issue for it: pytorch, jax, tensorflow, …; auto: its framework's own.",
        ),
    ] = "",
    mode: Annotated[
        list[str] | None, typer.Option("--mode", help="Only this mode (repeatable); of a script: one.")
    ] = None,
    framework: Framework = None,
    output: Annotated[
        str, typer.Option("--output", help="Only this output; of a script: not the worst.")
    ] = "",
    formatted: Formatted = Format.TEXT,
    out: Out = STANDARD,
) -> None:
    """Show one case: inputs to the last bit, certified value, and every answer, the broken first."""
    from xent_conformance.cases.outside.numbers import CasesError
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.explain.case import answers, asked_of, found_case, near_cases, near_implementations
    from xent_conformance.explain.plain import plain_case
    from xent_conformance.explain.printing import show_answers, show_question
    from xent_conformance.explain.wanted import Wanted

    plug_in(plugin)
    where = target_of(python, framework or whose(implementation or ()))
    interpreters = where.interpreters(FRAMEWORKS)
    wanted = Wanted(implementation or (), framework or (), mode or (), device or (), output, interpreters)
    try:
        batch, case = found_case(case_id, cases or ())
        if not (script or issue):
            wanted = wanted.checked(batch.inputs.outputs)
    except LookupError:
        raise fail(f"no case {case_id!r}; {near_cases(case_id, cases or ())}", USAGE) from None
    except (UnknownName, CasesError) as unknown:
        raise fail(str(unknown), USAGE) from None
    if script or issue:
        text = _taken_away(batch, case, wanted, issue)
        for note in write_all((out, lambda: text)):
            errors.print(escape(note), soft_wrap=True)
        return
    if not asked_of(batch, wanted):
        near = near_implementations(batch, wanted)
        raise fail(
            f"no implementation of {batch.operator} matches {wanted.told()} "
            f"({near}`conformance list implementations` shows all)",
            USAGE,
        )
    with Bars(errors) as bars:
        found = answers(batch, case, wanted, bars.update)

    def told(screen: Console) -> None:
        show_question(batch, case, found, screen)
        show_answers(found, screen, wanted.frameworks)

    show(out, formatted, told, lambda: plain_case(batch, case, found))
    gone = [a for a in found if a.absent and a.seat.name in wanted.frameworks]
    if gone:
        named = ", ".join(f"{a.framework} ({a.install})" if where.takes else a.framework for a in gone)
        raise fail(f"what was asked by name is not there: {named}", EVIDENCE)
    there = [a for a in found if not a.absent]  # the rest is told, and was asked by no name
    if there and all(a.nowhere for a in there):
        lacks = "; ".join(f"{a.framework}: {a.lacks}" for a in there)
        raise fail(f"what was asked by name is not there: {lacks}", EVIDENCE)


def _taken_away(batch: Batch, case: Case, wanted: Wanted, tracker: str) -> str:
    """The script; with a tracker, the issue."""
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.explain.issue import issue
    from xent_conformance.explain.script.write import asked_for
    from xent_conformance.explain.wanted import Refused
    from xent_conformance.reports.text.trackers import UnknownTracker

    try:
        if not tracker:
            return asked_for(batch, case, wanted)
        text, missing = issue(batch, case, wanted, tracker)
    except (Refused, UnknownName, UnknownTracker) as refused:
        raise fail(str(refused), USAGE) from None
    if missing:
        warn(f"no script: {missing}")
    return text
