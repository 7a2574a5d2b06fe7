"""``conformance list | causes | report | check-plugin``: show what is there."""

from __future__ import annotations

import enum
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from xent_conformance.commands.base import (
    EVIDENCE,
    FAILED,
    USAGE,
    Format,
    Formatted,
    Known,
    Plugin,
    Waivers,
    app,
    console,
    fail,
    plug_in,
)
from xent_conformance.commands.files import (
    STANDARD,
    accepted,
    as_json,
    check_outputs,
    print_json,
    read,
    write,
    write_all,
)

if TYPE_CHECKING:
    from xent_conformance.reports.html.section import Extras
    from xent_conformance.reports.run.file import Run
    from xent_conformance.reports.views.gate import Gate


Decided = Annotated[bool, typer.Option("--gate/--no-gate", help="What the gate decides on them, or not.")]


class Listing(enum.StrEnum):
    """What ``conformance list`` can list."""

    OPERATORS = "operators"
    IMPLEMENTATIONS = "implementations"
    FAMILIES = "families"
    CLAUSES = "clauses"
    DEVICES = "devices"


@app.command("list")
def list_(
    what: Annotated[Listing, typer.Argument(help="What to list.")],
    plugin: Plugin = None,
    formatted: Formatted = Format.TEXT,
) -> None:
    """List operators, implementations, families, clauses or devices."""
    from xent_conformance.commands import listing

    plug_in(plugin)
    if formatted is Format.JSON:
        print_json(list(listing.records(what.value)))
    else:
        listing.show(what.value, console)


@app.command()
def causes(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.parquet...", help="One or more run files.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE.json", help="All of it, for programs.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="All that is told of each, in a few lines.")] = False,
    gate: Decided = True,
    formatted: Formatted = Format.TEXT,
) -> None:
    """Say what is wrong in a run, each thing once, worst first: which formula gives what was returned."""
    from xent_conformance.diagnosis.causes import OtherCorpus, diagnosed
    from xent_conformance.reference.cache import default_cache
    from xent_conformance.reference.oracle import Oracle
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.terminal import causes as terminal_causes
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.views import causes as views

    check_outputs({"--json": json_file}, runs)
    try:
        run = read(runs)
        found = views.causes(run) or views.causes(diagnosed(run, Oracle(default_cache())))
    except OtherCorpus as other:
        raise fail(str(other), EVIDENCE) from None
    notes = write_all((json_file, lambda: as_json(data.causes(found))))
    if formatted is Format.JSON:
        print_json(data.causes(found))
        return
    terminal_causes.show(found, console, whole=whole)
    for note in notes:
        console.print(escape(note), soft_wrap=True)
    if gate:
        terminal_gate.sentence(_decided(run, runs, None, None, known=True), console)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.parquet...", help="One or more run files.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.html", help="Or - for standard output.")
    ] = Path("report.html"),
    gate: Decided = True,
    baseline: Annotated[
        list[Path] | None,
        typer.Option("--baseline", metavar="OLD.parquet", help="The gate compares with it (repeatable)."),
    ] = None,
    waivers: Waivers = None,
    known: Known = True,
    scripts: Annotated[
        bool, typer.Option("--scripts", help="Also a script for each cause: asks its framework again.")
    ] = False,
) -> None:
    """Write the HTML report of one or more run files (several are merged), with the gate's decision.

    The decision is only shown: `conformance gate` is what fails.
    """
    from xent_conformance.reports.html.report import render
    from xent_conformance.reports.run import commands
    from xent_conformance.reports.run.findings import findings
    from xent_conformance.reports.terminal import causes as terminal_causes
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.text.wording import plural
    from xent_conformance.reports.views.causes import causes as causes_of
    from xent_conformance.reports.views.causes import unnamed

    check_outputs({"--out": out}, [*runs, *(baseline or ()), *(waivers or ())])
    run = read(runs)
    decision = _decided(run, runs, baseline, waivers, known) if gate else None
    page = render(run, findings(run.verdicts), decision, extras(run, waivers, known, scripts))
    if out == STANDARD:
        typer.echo(page.encode("utf-8"), nl=False)
        return
    write(out, page)
    found = causes_of(run)
    if found or not unnamed(run):
        terminal_causes.show(found, console)
    else:
        said = f"{plural(unnamed(run), 'broken verdict')}, whose causes are not named in the run file; see"
        console.print(escape(f"{said}: {commands.line('causes', *map(str, runs))}"), soft_wrap=True)
    console.print(f"wrote {escape(str(out))} ({out.stat().st_size / 1e6:.2f} MB)", soft_wrap=True)
    if decision is not None:
        terminal_gate.sentence(decision, console)


def extras(run: Run, waivers: list[Path] | None, known: bool, scripts: bool) -> Extras:
    """What one takes away of each cause: entries of waivers, and the scripts if they are asked for."""
    from xent_conformance.decision.stubs import by_cause
    from xent_conformance.explain.script.of_causes import scripts as scripts_of
    from xent_conformance.reports.html.section import Extras

    entries = by_cause(run, accepted(waivers, known))
    return Extras(scripts=scripts_of(run) if scripts else {}, waivers=entries)


def _decided(
    run: Run, runs: list[Path], baseline: list[Path] | None, waivers: list[Path] | None, known: bool
) -> Gate:
    """What the gate decides, with the names of its files for the commands that do it again."""
    from xent_conformance.decision.gate import decide
    from xent_conformance.reports.run.commands import Files

    before = read(baseline) if baseline else None
    decision = decide(run, baseline=before, waivers=accepted(waivers, known))
    runs_, baseline_, waivers_ = (tuple(map(str, paths or ())) for paths in (runs, baseline, waivers))
    return replace(decision, files=Files(runs_, baseline_, waivers_, known))


@app.command("check-plugin")
def check_plugin(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|MODULE", help="A framework, an entry point, or as for --plugin."),
    ],
) -> None:
    """Say what is wrong with an adapter, one line a problem, with what to do. Runs it in this process."""
    from xent_conformance.check_plugin.check import check
    from xent_conformance.registry.plugins import PluginNotFound

    try:
        lines = check(name)
    except PluginNotFound as unknown:
        raise fail(str(unknown), USAGE) from None
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    if lines:
        raise fail(f"{name} has {len(lines)} problem{'s' * (len(lines) > 1)}", FAILED)
    console.print(f"{escape(name)} is fine")
