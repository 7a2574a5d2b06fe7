"""What all commands share: the application, consoles, exit statuses, options, progress bars."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from typer.main import get_command_name

from xent_conformance import __version__
from xent_conformance.asking.patience import ANSWER_SECONDS as ANSWER_SECONDS
from xent_conformance.commands import completing, named
from xent_conformance.commands.group import Group
from xent_conformance.commands.plain import escape
from xent_conformance.commands.started import Screen

if TYPE_CHECKING:
    import polars as pl

    from xent_conformance.asking.selection import Selection
    from xent_conformance.reports.run.commands import Header

KEEPS = """Nothing that is there is lost. A run file is replaced by a finished run of the same questions; one
that lacks an answer is written beside it, as RUN.incomplete.parquet. Pages, summaries and documents of this
suite are made anew. Whatever else is there stays, unless --force is given."""
"""The rule of :mod:`xent_conformance.running.keeping`, for ``--help``."""

STATUSES = {
    0: "done, or passed",
    1: "the gate failed, or a plug-in has problems",
    2: "wrong usage",
    3: "evidence incomplete or invalid",
    130: "interrupted",
}
"""Exit statuses, which are for programs: they stay."""


def ends(told: dict[int, str]) -> str:
    """The line of a command's help that says how it ends, where that is more than done or wrong usage."""
    return f"Exit status: {' · '.join(f'{status} {words}' for status, words in told.items())}."


app = typer.Typer(
    help="Conformance suite for softmax and sigmoid cross-entropy. "
    "`conformance torch` asks what is installed and says in five lines what is wrong; nothing is changed.",
    epilog=f"{ends(STATUSES)} {' '.join(KEEPS.split())}",
    cls=Group,
    subcommand_metavar="COMMAND|FRAMEWORK...",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
# a pipe or a CI log has no width of its own, unless COLUMNS says one: do not fold names at 80 columns there
WIDE = 160
WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE


def verbs() -> list[str]:
    """The commands, by their names."""
    commands = [
        c.name or get_command_name(c.callback.__name__) for c in app.registered_commands if c.callback
    ]
    return [*commands, *(str(group.name) for group in app.registered_groups)]


console = Screen(verbs, width=WIDTH)
errors = Screen(verbs, stderr=True)

FAILED, USAGE, EVIDENCE, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses; 0 is done, or passed."""


def fail(message: str, status: int) -> typer.Exit:
    errors.print(f"[bold red]error:[/bold red] {escape(message)}", soft_wrap=True)
    return typer.Exit(status)


def refused(error: OSError, what: str = "used") -> str:
    """What the system does not let us do, in a line."""
    if isinstance(error, FileNotFoundError) and error.filename is None and _is_nowhere():
        return "the working folder is gone: change to one that is there (`cd`)"
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename} cannot be {what}: {error.strerror}"


def _is_nowhere() -> bool:
    """Whether the folder that we work in was taken away."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def warn(message: str) -> None:
    errors.print(f"[bold yellow]warning:[/bold yellow] {escape(message)}", soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"xent-conformance {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Shared options; then what is set fills in what is not typed."""
    from xent_conformance.commands.configured import configure

    configure(context)


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
    from xent_conformance.discovery import plugins

    for broken in plugins.load_installed():
        warn(str(broken))
    for reference in plugin or ():
        try:
            plugins.load(reference)
        except plugins.PluginError as error:
            raise fail(f"--plugin {reference}: {error}", USAGE) from None


Framework = Annotated[
    list[str] | None,
    typer.Option(
        "--framework", help="Only this framework (repeatable).", autocompletion=completing.frameworks
    ),
]
Operator = Annotated[
    list[str] | None,
    typer.Option("--operator", help="Only this operator (repeatable).", autocompletion=completing.operators),
]
Dtype = Annotated[
    list[str] | None,
    typer.Option("--dtype", help="Only this format (repeatable).", autocompletion=completing.dtypes),
]
FamilyName = Annotated[
    list[str] | None,
    typer.Option("--family", help="Only this family (repeatable).", autocompletion=completing.families),
]
Glob = Annotated[
    list[str] | None,
    typer.Option(
        "--implementation",
        metavar="GLOB",
        help="Only what is so named (repeatable).",
        autocompletion=completing.implementations,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Not what is so named (repeatable); the gate and the page say that it was not asked.",
        autocompletion=completing.implementations,
    ),
]
Device = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="Only this device: cpu, cuda, cuda:0, 'cpu\\[isa=avx2]' (repeatable).",
        autocompletion=completing.devices,
    ),
]
ProfileName = Annotated[
    str, typer.Option("--profile", help="quick, standard or full.", autocompletion=completing.profiles)
]


WAITS = "Wait so long for an answer."


def waiting(words: str) -> Any:
    """The option by which an answer is waited for."""
    return typer.Option("--timeout", metavar="SECONDS", min=0.1, callback=named.number, help=words)


Timeout = Annotated[float, waiting(f"{WAITS} After a few silences who stays silent is not asked any more.")]

Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="At most so many workers at a time, but one for each framework; default: the cores.",
    ),
]

NoCache = Annotated[
    bool,
    typer.Option("--no-cache", help="Compile everything anew: nothing of an earlier run answers."),
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
    exclude: list[str] | None = None,
) -> Selection:
    """What is asked; exit status 2 for what cannot be, with what was set and not typed."""
    from xent_conformance.asking.selection import Selection
    from xent_conformance.cases.outside.numbers import CasesError
    from xent_conformance.discovery.names import UnknownName

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
            tuple(exclude or ()),
        )
    except (UnknownName, CasesError) as unknown:
        raise fail(with_what_is_set(str(unknown)), USAGE) from None


def with_what_is_set(message: str) -> str:
    """A refusal, with what the command took that nobody typed."""
    from xent_conformance.commands.configured import told

    return f"{message}\nset, and not typed: {line}" if (line := told()) else message


Force = Annotated[
    bool, typer.Option("--force", help="Write over what is there (`conformance --help` says what stays).")
]


class Format(enum.StrEnum):
    """For whom a command prints."""

    TEXT = "text"
    JSON = "json"


class Engine(enum.StrEnum):
    """Where a run is asked."""

    HERE = "here"
    RAY = "ray"


Where = Annotated[Engine, typer.Option("--engine", help="ray: ask in parts, on the nodes of a Ray cluster.")]
InParts = Annotated[
    int | None,
    typer.Option("--parts", metavar="N", min=1, help="Of --engine ray: so many; default: what has room."),
]
PerGpu = Annotated[
    int | None,
    typer.Option("--per-gpu", metavar="N", min=1, help="Of --engine ray: so many parts share a GPU (1)."),
]


class Spread(NamedTuple):
    """How a run is spread over a cluster: in so many parts, so many of which share a GPU."""

    parts: int | None
    per_gpu: int


def spread(engine: Engine, parts: int | None, per_gpu: int | None) -> Spread:
    """What was typed; exit status 2 for parts of what is asked as a whole."""
    if engine is Engine.HERE and parts is not None:
        raise fail("--parts is for --engine ray; to ask one part here, name it: run --shard 1/N", USAGE)
    if engine is Engine.HERE and per_gpu is not None:
        raise fail("--per-gpu is for --engine ray; side by side here: run --shard 1/N, 2/N, and so on", USAGE)
    return Spread(parts, per_gpu or 1)


Formatted = Annotated[
    Format, typer.Option("--format", help="json: one document on standard output and nothing else.")
]


Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="Where it is printed; - is standard output."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="The decision and errors, and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="More: all of what is shortened.")]


class FailOn(enum.StrEnum):
    """What ``--fail-on`` adds to what always blocks."""

    SHOULD = "should"
    DRIFT = "drift"
    BITS = "bits"
    STRICT = "strict"


Decided = Annotated[bool, typer.Option("--gate/--no-gate", help="What the gate decides on it, or not.")]
FailOns = Annotated[list[FailOn] | None, typer.Option("--fail-on", help="Fail on this too (repeatable).")]
Baseline = Annotated[
    list[Path] | None,
    typer.Option(
        "--baseline",
        metavar="OLD.parquet",
        parser=named.file,
        help="The gate compares with it: nothing may be worse (repeatable).",
    ),
]
First = Annotated[
    bool,
    typer.Option("--first", help="It becomes the baseline: what is wrong in it is told, and blocks nothing."),
]
Waivers = Annotated[
    list[Path] | None,
    typer.Option(
        "--waivers",
        metavar="FILE.toml",
        parser=named.file,
        help="Also the waivers of this file (repeatable).",
    ),
]
Known = Annotated[
    bool, typer.Option("--known/--no-known", help="The waivers that come with the suite, or not.")
]


class Bars:
    """A bar for each framework; give :meth:`update` to the engine as its ``progress``."""

    def __init__(self, console: Console, *, quiet: bool = False, unit: str = "batches") -> None:
        self._progress = Progress(
            TextColumn("{task.description:>12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            console=console,
            transient=not console.is_terminal,
            auto_refresh=console.is_terminal,  # elsewhere nobody sees them move
            refresh_per_second=4,
            disable=quiet,
        )
        self._tasks: dict[str, TaskID] = {}
        self._found = self._quiet = quiet

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

    def judged(self, verdicts: pl.DataFrame, asked: Header) -> None:
        """The first finding, as soon as there is one; it is looked at again when all is there.

        ``asked``: what of the run's header is known while it goes on.
        """
        from xent_conformance.reports.terminal.early import first_finding

        if not self._found and (line := first_finding(verdicts, asked)):
            self._found = True
            self.tell(line)

    def tell(self, line: str) -> None:
        """A line above the bars, while they move."""
        if self._quiet:
            return
        self._progress.console.print(f"[bright_black]{escape(line)}[/bright_black]", soft_wrap=True)
