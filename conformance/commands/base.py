"""What all commands share: the application, consoles, exit statuses, options, progress bars."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from xent_conformance import __version__
from xent_conformance.commands.group import Group

if TYPE_CHECKING:
    from xent_conformance.asking.selection import Selection

app = typer.Typer(
    help="Conformance suite for softmax and sigmoid cross-entropy. "
    "`conformance torch` asks what is installed and says in five lines what is wrong; nothing is changed.",
    cls=Group,
    subcommand_metavar="COMMAND|FRAMEWORK...",
    add_completion=False,
    pretty_exceptions_enable=False,
)
# a pipe or a CI log has no width of its own, unless COLUMNS says one: do not fold names at 80 columns there
WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
console = Console(width=WIDTH, highlight=False)
errors = Console(stderr=True, highlight=False)

FAILED, USAGE, EVIDENCE, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses; 0 is done, or passed."""


def fail(message: str, status: int) -> typer.Exit:
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


def plug_in(plugin: list[str] | None) -> None:
    """Take the installed plug-ins, whose faults are warnings, and the named ones, whose faults are errors."""
    from xent_conformance.registry import plugins

    for broken in plugins.load_installed():
        errors.print(f"[bold yellow]warning:[/bold yellow] {escape(str(broken))}", soft_wrap=True)
    for reference in plugin or ():
        try:
            plugins.load(reference)
        except plugins.PluginError as error:
            raise fail(f"--plugin {reference}: {error}", USAGE) from None


Framework = Annotated[list[str] | None, typer.Option("--framework", help="Only this framework (repeatable).")]
Operator = Annotated[list[str] | None, typer.Option("--operator", help="Only this operator (repeatable).")]
Dtype = Annotated[list[str] | None, typer.Option("--dtype", help="Only this format (repeatable).")]
FamilyName = Annotated[list[str] | None, typer.Option("--family", help="Only this family (repeatable).")]
Glob = Annotated[
    list[str] | None,
    typer.Option("--implementation", metavar="GLOB", help="Only what is so named (repeatable)."),
]
Device = Annotated[
    list[str] | None,
    typer.Option("--device", help="Only this device: cpu, cuda, cuda:0, 'cpu\\[isa=avx2]' (repeatable)."),
]


Cases = Annotated[
    list[str] | None,
    typer.Option(
        "--cases",
        metavar="FILE",
        help="The cases of this file, or folder of ONNX's tests, not the corpus (repeatable).",
    ),
]


def select(
    profile: str,
    framework: list[str] | None,
    operator: list[str] | None,
    dtype: list[str] | None,
    family: list[str] | None,
    implementation: list[str] | None,
    device: list[str] | None = None,
    plugin: list[str] | None = None,
    cases: list[str] | None = None,
) -> Selection:
    from xent_conformance.asking.selection import Selection
    from xent_conformance.cases.outside.numbers import CasesError
    from xent_conformance.registry.names import UnknownName

    try:
        return Selection(
            profile,
            tuple(framework or ()),
            tuple(operator or ()),
            tuple(dtype or ()),
            tuple(family or ()),
            tuple(implementation or ()),
            tuple(device or ()),
            tuple(plugin or ()),
            tuple(cases or ()),
        )
    except (UnknownName, CasesError) as unknown:
        raise fail(str(unknown), USAGE) from None


class Format(enum.StrEnum):
    """For whom a command prints."""

    TEXT = "text"
    JSON = "json"


Formatted = Annotated[
    Format, typer.Option("--format", help="json: one document on standard output and nothing else.")
]


class FailOn(enum.StrEnum):
    """What ``--fail-on`` adds to what always blocks."""

    SHOULD = "should"
    DRIFT = "drift"
    BITS = "bits"
    STRICT = "strict"


FailOns = Annotated[list[FailOn] | None, typer.Option("--fail-on", help="Fail on this too (repeatable).")]
Waivers = Annotated[
    list[Path] | None,
    typer.Option("--waivers", metavar="FILE.toml", help="Also the waivers of this file (repeatable)."),
]
Known = Annotated[
    bool, typer.Option("--known/--no-known", help="The waivers that come with the suite, or not.")
]


class Bars:
    """A bar for each framework; give :meth:`update` to the engine as its ``progress``."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:>12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("batches"),
            TimeElapsedColumn(),
            console=console,
            transient=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, framework: str, done: int, planned: int) -> None:
        if framework not in self._tasks:
            self._tasks[framework] = self._progress.add_task(framework, total=planned)
        self._progress.update(self._tasks[framework], completed=done)
