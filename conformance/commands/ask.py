"""``conformance run | explain | search``: ask the frameworks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from xent_conformance.commands.base import (
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    Bars,
    Cases,
    Device,
    Dtype,
    FamilyName,
    Format,
    Formatted,
    Framework,
    Glob,
    Operator,
    Plugin,
    app,
    console,
    errors,
    fail,
    plug_in,
    select,
)
from xent_conformance.commands.files import accepted, print_json
from xent_conformance.commands.first import absent, nothing
from xent_conformance.commands.where import Python, target_of

if TYPE_CHECKING:
    from xent_conformance.cases.case import Batch, Case
    from xent_conformance.explain.script.write import Wanted


@app.command()
def run(
    framework: Framework = None,
    operator: Operator = None,
    dtype: Dtype = None,
    family: FamilyName = None,
    implementation: Glob = None,
    device: Device = None,
    profile: Annotated[str, typer.Option(help="quick, standard or full.")] = "standard",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN.parquet")] = Path("run.parquet"),
    cases: Cases = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    plugin: Plugin = None,
    python: Python = None,
    formatted: Formatted = Format.TEXT,
) -> None:
    """Ask the frameworks, judge their answers, write a run file."""
    plug_in(plugin)
    selection = select(profile, framework, operator, dtype, family, implementation, device, plugin, cases)
    from xent_conformance.decision.gate import decide
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.run import commands
    from xent_conformance.reports.run.file import RunFileError
    from xent_conformance.reports.terminal import causes as terminal_causes
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.terminal import run as terminal
    from xent_conformance.reports.views.causes import causes
    from xent_conformance.running import engine

    where = target_of(python)
    try:
        interpreters = where.interpreters(f.name for f in selection.chosen_frameworks())
        selection.seats(interpreters)  # refuses an interpreter of what is not asked
    except ValueError as error:
        raise fail(str(error), USAGE) from None
    try:
        with Bars(errors) as bars:
            result = engine.run(
                selection, out, resume=resume, progress=bars.update, interpreters=interpreters
            )
    except (RunFileError, OSError) as error:
        raise fail(str(error), EVIDENCE) from None
    except KeyboardInterrupt:
        raise fail("interrupted; add --resume to the same command to go on", INTERRUPTED) from None
    found, decision = causes(result), decide(result, waivers=accepted(None, known=True))
    if formatted is Format.JSON:
        print_json(data.run(result, str(out), found, decision))
    else:
        terminal.summary(result, console)
        terminal_causes.show(found, console)
        told = f"wrote {out}; see it with: {commands.report([str(out)], 'report.html')}"
        console.print(escape(told), soft_wrap=True)
        terminal_gate.sentence(decision, console)
    if not result.complete:
        gaps = absent(result, where) or "not all that was planned was answered"
        raise fail(f"the run is incomplete: {gaps}", EVIDENCE)
    if not result.header["frameworks"]:
        raise fail(nothing(result, where), EVIDENCE)


@app.command()
def explain(
    case_id: Annotated[str, typer.Argument(metavar="CASE_ID", help="As a report or `run` prints it.")],
    implementation: Glob = None,
    device: Device = None,
    plugin: Plugin = None,
    cases: Cases = None,
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
    mode: Annotated[str, typer.Option("--mode", help="Of the script; default: the first one.")] = "",
    framework: Annotated[str, typer.Option("--framework", help="Of the script, if several match.")] = "",
    output: Annotated[str, typer.Option("--output", help="Of the script; default: the worst.")] = "",
    formatted: Formatted = Format.TEXT,
) -> None:
    """Show one case: inputs to the last bit, certified value, what each implementation returns."""
    from xent_conformance.cases.outside.numbers import CasesError
    from xent_conformance.explain.case import check_devices, found_case, near_cases
    from xent_conformance.explain.plain import plain_case
    from xent_conformance.explain.printing import show_case
    from xent_conformance.registry.names import UnknownName

    plug_in(plugin)
    try:
        batch, case = found_case(case_id, cases or ())
        check_devices(device or ())
    except LookupError:
        raise fail(f"no case {case_id!r}; {near_cases(case_id, cases or ())}", USAGE) from None
    except (UnknownName, CasesError) as unknown:
        raise fail(str(unknown), USAGE) from None
    if script or issue or mode or framework or output:
        from xent_conformance.explain.script.write import Wanted

        if not (script or issue):
            words = "--mode, --framework and --output say which script or issue is to be written"
            raise fail(f"{words}: add --script or --issue", USAGE)
        meant = Wanted(implementation or (), framework, mode, device or (), output)
        typer.echo(_taken_away(batch, case, meant, issue), nl=False)
        return
    if formatted is Format.JSON:
        told = plain_case(batch, case, implementation or (), device or ())
        there = bool(told["frameworks"])
        if there:
            print_json(told)
    else:
        there = show_case(batch, case, implementation or (), console, device or ())
    if not there:
        wanted = " or ".join(map(repr, implementation or ["*"]))
        where = f" on {' or '.join(device)}" if device else ""
        raise fail(
            f"no implementation of {batch.operator} matches {wanted}{where} "
            "(`conformance list implementations` shows all)",
            USAGE,
        )


def _taken_away(batch: Batch, case: Case, wanted: Wanted, tracker: str) -> str:
    """The script; with a tracker, the issue."""
    from xent_conformance.explain.issue import issue
    from xent_conformance.explain.script.write import Refused, asked_for
    from xent_conformance.registry.names import UnknownName
    from xent_conformance.reports.text.trackers import UnknownTracker

    try:
        if not tracker:
            return asked_for(batch, case, wanted)
        text, missing = issue(batch, case, wanted, tracker)
    except (Refused, UnknownName, UnknownTracker) as refused:
        raise fail(str(refused), USAGE) from None
    if missing:
        errors.print(f"[bold yellow]warning:[/bold yellow] no script: {escape(missing)}", soft_wrap=True)
    return text


@app.command()
def search(
    implementation: Annotated[str, typer.Option("--implementation", help="Its name, as `list` shows it.")],
    operator: Annotated[str | None, typer.Option("--operator", help="Where the name has several.")] = None,
    output: Annotated[str, typer.Option("--output")] = "value",
    dtype: Annotated[str, typer.Option("--dtype")] = "float32",
    mode: Annotated[str | None, typer.Option("--mode", help="Default: the framework's first.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=64, help="Elements of a row.")] = 4,
    budget: Annotated[float, typer.Option("--budget", metavar="SECONDS", min=0.0)] = 20.0,
    plugin: Plugin = None,
) -> None:
    """Search for the worst input of one implementation; explores, never gates."""
    from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
    from xent_conformance.explain import search as searching
    from xent_conformance.explain.printing import show_found
    from xent_conformance.registry.names import UnknownName

    plug_in(plugin)
    try:
        target = searching.search_target(implementation, operator, output, dtype, mode, n)
        found = searching.search(target, budget)
    except UnknownName as unknown:
        raise fail(str(unknown), USAGE) from None
    except (FrameworkAbsent, WorkerLost) as absent:
        raise fail(f"{absent}; add it with: {target.seat.framework.install}", EVIDENCE) from None
    except ImportError:
        raise fail("search needs Hypothesis; add it with: pip install hypothesis", USAGE) from None
    show_found(target, found, console)
