"""``conformance list | causes | report | check-plugin``: show what is there."""

from __future__ import annotations

import difflib
import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xent_conformance.commands import named
from xent_conformance.commands.base import (
    EVIDENCE,
    FAILED,
    STATUSES,
    USAGE,
    Baseline,
    Decided,
    FailOns,
    First,
    Force,
    Format,
    Formatted,
    Framework,
    Known,
    Operator,
    Out,
    Plugin,
    Quiet,
    Verbose,
    Waivers,
    app,
    console,
    ends,
    errors,
    fail,
    plug_in,
    select,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.deciding import deciding
from xent_conformance.commands.files import (
    STANDARD,
    accepted,
    as_json,
    check_first,
    check_outputs,
    elsewhere,
    print_bytes,
    read,
    read_sweeps,
    screen,
    show,
    write,
    write_all,
)
from xent_conformance.commands.plain import escape
from xent_conformance.commands.where import Python, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from xent_conformance.reports.html.section import Extras
    from xent_conformance.reports.run.file import Run


READS = ends({0: "told, whatever is wrong (`gate` decides)", 2: STATUSES[USAGE], 3: STATUSES[EVIDENCE]})


class Listing(enum.StrEnum):
    """What ``conformance list`` can list."""

    OPERATORS = "operators"
    IMPLEMENTATIONS = "implementations"
    FAMILIES = "families"
    CLAUSES = "clauses"
    DEVICES = "devices"


def _listing(word: str) -> Listing:
    """What is to be listed; status 2, with what is near, for another word."""
    if word in list(Listing):
        return Listing(word)
    if word.lower() in ("framework", "frameworks"):
        raise typer.BadParameter(f"{word!r} is no list: devices are, each under its framework")
    near = difflib.get_close_matches(word.lower(), Listing, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(Listing)}"
    raise typer.BadParameter(f"{word!r} is no list: {hint}")


@app.command("list")
def list_(
    what: Annotated[
        Listing,
        typer.Argument(parser=_listing, help="What to list.", autocompletion=lambda: list(Listing)),
    ],
    framework: Framework = None,
    operator: Operator = None,
    plugin: Plugin = None,
    python: Python = None,
    formatted: Formatted = Format.TEXT,
    out: Out = STANDARD,
) -> None:
    """List operators, implementations, families, clauses or devices.

    Implementations are those of each `--framework` and `--operator` that is named, or all.
    """
    from xent_conformance.commands import listing
    from xent_conformance.discovery.framework import FRAMEWORKS

    plug_in(plugin)
    asks = what is Listing.DEVICES
    if python and not asks:
        raise fail(f"--python is for `list devices`: no framework is asked for the {what}", USAGE)
    if (framework or operator) and what is not Listing.IMPLEMENTATIONS:
        raise fail(f"--framework and --operator narrow `list implementations`, and not the {what}", USAGE)
    chosen = select("full", framework, operator, None, None, None)
    which = listing.Which(
        frameworks=chosen.frameworks,
        operators=chosen.operators,
        interpreters=target_of(python).interpreters(FRAMEWORKS) if asks else {},
    )
    show(
        out,
        formatted,
        lambda console: listing.show(what.value, console, which),
        lambda: list(listing.records(what.value, which)),
    )


@app.command(epilog=READS)
def causes(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN.parquet...", parser=named.file, help="One or more run files.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE.json", help="All of it, for programs.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="All that is told of each, in a few lines.")] = False,
    gate: Decided = True,
    force: Force = False,
    baseline: Baseline = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    formatted: Formatted = Format.TEXT,
    out: Out = STANDARD,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what is wrong in a run, each thing once, worst first: which formula gives what was returned."""
    from xent_conformance.diagnosis.causes import OtherCorpus, diagnosed
    from xent_conformance.reference.cache import default_cache
    from xent_conformance.reference.oracle import Oracle
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.terminal import causes as terminal_causes
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.views import causes as views

    settle(quiet=quiet)
    read_too = [*(baseline or ()), *(waivers or ())]
    as_document = formatted is Format.JSON and out == STANDARD
    written = {"--json": json_file, "--out": elsewhere(out)}
    check_outputs(written, [*runs, *read_too], force=force, printed=as_document)
    decided = deciding(baseline, waivers, known, fail_on) if gate else None
    try:
        run = read(runs)
        found = views.causes(run) or views.causes(diagnosed(run, Oracle(default_cache())))
    except OtherCorpus as other:
        raise fail(str(other), EVIDENCE) from None
    notes = write_all((json_file, lambda: as_json(data.causes(found))))
    if formatted is Format.JSON:
        for note in notes:
            errors.print(escape(note), soft_wrap=True)

    def text(console: Console) -> None:
        if not quiet or decided is None:
            terminal_causes.show(found, console, whole=whole or verbose)
        for note in () if quiet else notes:
            console.print(escape(note), soft_wrap=True)
        if decided is not None:
            terminal_gate.sentence(decided(run, runs), console)

    show(out, formatted, text, lambda: data.causes(found), beside=screen(json_file))


@app.command(epilog=READS)
def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN.parquet...", parser=named.file, help="One or more run files.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.html", help="Or - for standard output.")
    ] = Path("report.html"),
    gate: Decided = True,
    baseline: Baseline = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    scripts: Annotated[
        bool, typer.Option("--scripts", help="Also a script for each cause: asks its framework again.")
    ] = False,
    sweep: Annotated[
        list[Path] | None,
        typer.Option(
            "--sweep", metavar="SWEEP.json", help="Also what `conformance sweep` has found (repeatable)."
        ),
    ] = None,
    first: First = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
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

    settle(quiet=quiet)
    check_first(first, baseline)
    check_outputs({"--out": out}, [*runs, *(baseline or ()), *(waivers or ()), *(sweep or ())], force=force)
    decided = deciding(baseline, waivers, known, fail_on, first=first) if gate else None
    sweeps = read_sweeps(sweep or ())
    run = read(runs)
    decision = decided(run, runs) if decided is not None else None
    more = extras(run, waivers, known, scripts, sweeps)
    page = render(run, findings(run.verdicts), decision, more)
    if out == STANDARD:
        print_bytes(page.encode("utf-8"))
        return
    write(out, page)
    found = causes_of(run)
    if quiet:
        if decision is not None:
            terminal_gate.sentence(decision, console)
        return
    if found or not unnamed(run):
        terminal_causes.show(found, console, whole=verbose)
    else:
        said = f"{plural(unnamed(run), 'broken verdict')}, whose causes are not named in the run file; see"
        console.print(escape(f"{said}: {commands.line('causes', *map(str, runs))}"), soft_wrap=True)
    console.print(f"wrote {escape(str(out))} ({out.stat().st_size / 1e6:.2f} MB)", soft_wrap=True)
    if decision is not None:
        terminal_gate.sentence(decision, console)


def extras(
    run: Run,
    waivers: list[Path] | None,
    known: bool,
    scripts: bool,
    sweeps: Sequence[Mapping[str, Any]] = (),
) -> Extras:
    """What one takes away of each cause: entries of waivers, and the scripts if they are asked for; and
    ``sweeps``."""
    from xent_conformance.decision.stubs import by_cause
    from xent_conformance.explain.script.of_causes import scripts as scripts_of
    from xent_conformance.reports.html.section import Extras

    entries = by_cause(run, accepted(waivers, known))
    return Extras(scripts=scripts_of(run) if scripts else {}, waivers=entries, sweeps=sweeps)


@app.command(
    "check-plugin", epilog=ends({0: "it is fine", 1: "it has problems", 2: "there is no such plug-in"})
)
def check_plugin(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|MODULE", help="A framework, an entry point, or as for --plugin."),
    ],
) -> None:
    """Say what is wrong with an adapter, one line a problem, with what to do. Runs it in this process."""
    from xent_conformance.check_plugin.check import check
    from xent_conformance.discovery.plugins import PluginNotFound

    try:
        lines = check(name)
    except PluginNotFound as unknown:
        raise fail(str(unknown), USAGE) from None
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    if lines:
        raise fail(f"{name} has {len(lines)} problem{'s' * (len(lines) > 1)}", FAILED)
    console.print(f"{escape(name)} is fine")
