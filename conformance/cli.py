"""The command line: ``conformance list | run | report | explain | search | check-plugin``.

Thin: it parses, calls the engine, and prints. Exit status 0 done · 1 a plug-in has problems · 2 usage ·
3 evidence incomplete or unreadable · 130 interrupted.
"""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conformance import __version__

if TYPE_CHECKING:
    from conformance.selection import Selection

app = typer.Typer(
    help="Conformance suite for softmax and sigmoid cross-entropy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# a pipe or a CI log has no width of its own: do not fold names at 80 columns there
WIDTH = None if sys.stdout.isatty() else 160
console = Console(width=WIDTH, highlight=False)
errors = Console(stderr=True, highlight=False)

PROBLEMS, USAGE, EVIDENCE, INTERRUPTED = 1, 2, 3, 130


class Listing(enum.StrEnum):
    """What ``conformance list`` can list."""

    OPERATORS = "operators"
    IMPLEMENTATIONS = "implementations"
    FAMILIES = "families"
    CLAUSES = "clauses"
    DEVICES = "devices"


def _fail(message: str, status: int) -> typer.Exit:
    errors.print(f"[bold red]error:[/bold red] {escape(message)}", soft_wrap=True)
    return typer.Exit(status)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"xent-conformance {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Shared options."""


Plugin = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="MODULE",
        help="Also the adapters of MODULE, MODULE:CLASS or path/to/file.py (repeatable).",
    ),
]


def _plug_in(plugin: list[str] | None) -> None:
    """Take the installed plug-ins, whose faults are warnings, and the named ones, whose faults are errors."""
    from conformance import plugins

    for broken in plugins.load_installed():
        errors.print(f"[bold yellow]warning:[/bold yellow] {escape(str(broken))}", soft_wrap=True)
    for reference in plugin or ():
        try:
            plugins.load(reference)
        except plugins.PluginError as error:
            raise _fail(f"--plugin {reference}: {error}", USAGE) from None


WIDE = 160
"""Columns of a table whose names would be cut in a narrower terminal."""


@app.command("list")
def list_(what: Annotated[Listing, typer.Argument(help="What to list.")], plugin: Plugin = None) -> None:
    """List operators, implementations, families, clauses or devices."""
    from conformance import listing

    _plug_in(plugin)
    table: Table = getattr(listing, what.value)()
    # names are whole, however narrow the terminal: the last columns fold, and if need be lines run over
    narrow = console.measure(table).minimum > console.width
    console.print(table, width=WIDE if narrow else None, soft_wrap=narrow)


Framework = Annotated[list[str] | None, typer.Option("--framework", help="Only this framework (repeatable).")]
Operator = Annotated[list[str] | None, typer.Option("--operator", help="Only this operator (repeatable).")]
Dtype = Annotated[list[str] | None, typer.Option("--dtype", help="Only this format (repeatable).")]
FamilyName = Annotated[list[str] | None, typer.Option("--family", help="Only this family (repeatable).")]

Device = Annotated[
    list[str] | None,
    typer.Option("--device", help="Only this device: cpu, cuda, cuda:0, 'cpu[isa=avx2]' (repeatable)."),
]


def _select(
    profile: str,
    framework: list[str] | None,
    operator: list[str] | None,
    dtype: list[str] | None,
    family: list[str] | None,
    implementation: str,
    device: list[str] | None = None,
) -> Selection:
    from conformance.selection import Selection, UnknownName

    try:
        return Selection(
            profile,
            tuple(framework or ()),
            tuple(operator or ()),
            tuple(dtype or ()),
            tuple(family or ()),
            implementation,
            tuple(device or ()),
        )
    except UnknownName as unknown:
        raise _fail(str(unknown), USAGE) from None


@app.command()
def run(
    framework: Framework = None,
    operator: Operator = None,
    dtype: Dtype = None,
    family: FamilyName = None,
    implementation: Annotated[
        str, typer.Option("--implementation", metavar="GLOB", help="Only implementations of such a name.")
    ] = "*",
    device: Device = None,
    profile: Annotated[str, typer.Option(help="quick, standard or full.")] = "standard",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN.parquet")] = Path("run.parquet"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    plugin: Plugin = None,
) -> None:
    """Ask the frameworks, judge their answers, write a run file."""
    _plug_in(plugin)
    selection = _select(profile, framework, operator, dtype, family, implementation, device)
    from conformance import engine
    from conformance.console import Bars
    from conformance.findings import findings
    from reports import terminal
    from reports.run_file import RunFileError

    try:
        with Bars(errors) as bars:
            result = engine.run(selection, out, resume=resume, progress=bars.update)
    except (RunFileError, OSError) as error:
        raise _fail(str(error), EVIDENCE) from None
    except KeyboardInterrupt:
        raise _fail("interrupted; add --resume to the same command to go on", INTERRUPTED) from None
    terminal.summary(result, console)
    terminal.findings(findings(result.verdicts), console)
    console.print(
        f"wrote {escape(str(out))}; see it with: conformance report {escape(str(out))} -o report.html"
    )
    if not result.complete:
        raise _fail("the run is incomplete: something asked for is absent (see above)", EVIDENCE)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.parquet...", help="One or more run files.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.html")] = Path("report.html"),
) -> None:
    """Write the HTML report of one or more run files (several are merged)."""
    from conformance.files import write_text
    from conformance.findings import findings
    from reports.html import render
    from reports.run_file import RunFileError, merge, read_run

    try:
        merged = merge([read_run(path) for path in runs])
    except RunFileError as error:
        raise _fail(str(error), EVIDENCE) from None
    try:
        write_text(out, render(merged, findings(merged.verdicts)))
    except OSError as error:
        raise _fail(f"{out} cannot be written: {error.strerror}", EVIDENCE) from None
    console.print(f"wrote {escape(str(out))} ({out.stat().st_size / 1e6:.2f} MB)")


@app.command()
def explain(
    case_id: Annotated[str, typer.Argument(metavar="CASE_ID", help="As a report or `run` prints it.")],
    implementation: Annotated[str, typer.Option("--implementation", metavar="GLOB")] = "*",
    plugin: Plugin = None,
) -> None:
    """Show one case: inputs to the last bit, certified value, what each implementation returns."""
    from cases.corpus import find_case
    from conformance import explain_text
    from conformance.selection import near_cases

    _plug_in(plugin)
    try:
        batch, case = find_case(case_id)
    except LookupError:
        raise _fail(f"no case {case_id!r}; {near_cases(case_id)}", USAGE) from None
    if not explain_text.show(batch, case, implementation, console):
        raise _fail(
            f"no implementation of {batch.operator} matches {implementation!r} "
            "(`conformance list implementations` shows all)",
            USAGE,
        )


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
    from conformance import search as searching
    from conformance import search_text
    from conformance.process import FrameworkAbsent, WorkerLost
    from conformance.selection import UnknownName, search_target

    _plug_in(plugin)
    try:
        target = search_target(implementation, operator, output, dtype, mode, n)
        found = searching.search(target, budget)
    except UnknownName as unknown:
        raise _fail(str(unknown), USAGE) from None
    except (FrameworkAbsent, WorkerLost) as absent:
        raise _fail(f"{absent}; add it with: {target.framework.install}", EVIDENCE) from None
    except ImportError:
        raise _fail("search needs Hypothesis; add it with: pip install hypothesis", USAGE) from None
    search_text.show(target, found, console)


@app.command("check-plugin")
def check_plugin(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|MODULE", help="A framework, an entry point, or as for --plugin."),
    ],
) -> None:
    """Say what is wrong with an adapter, one line a problem, with what to do. Runs it in this process."""
    from conformance.check_plugin import check
    from conformance.plugins import PluginNotFound

    try:
        lines = check(name)
    except PluginNotFound as unknown:
        raise _fail(str(unknown), USAGE) from None
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    if lines:
        raise _fail(f"{name} has {len(lines)} problem{'s' * (len(lines) > 1)}", PROBLEMS)
    console.print(f"{escape(name)} is fine")


def main() -> None:
    """Entry point of the ``conformance`` script."""
    app()


if __name__ == "__main__":
    main()
