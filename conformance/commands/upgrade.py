"""``conformance upgrade | matrix``: ask several versions of a framework, each in its own environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xent_conformance.commands.base import (
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    Bars,
    Device,
    Dtype,
    Engine,
    Exclude,
    FailOns,
    FamilyName,
    Force,
    Glob,
    InParts,
    Known,
    Operator,
    PerGpu,
    Plugin,
    ProfileName,
    Quiet,
    Spread,
    Verbose,
    Waivers,
    Where,
    app,
    ends,
    errors,
    fail,
    plug_in,
    select,
    spread,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.files import accepted, as_json, check_outputs, check_place, screen, write_all
from xent_conformance.commands.plain import escape

if TYPE_CHECKING:
    from xent_conformance.reports.run.file import Run
    from xent_conformance.versions.upgrade import Request

Pins = Annotated[
    list[str], typer.Argument(metavar="NAME==VERSION...", help="Exact versions, as in jax==0.10.2.")
]
Whose = Annotated[
    str | None, typer.Option("--framework", help="Whose versions they are, if the name does not tell.")
]
With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="REQ", help="Install this too, in every environment (repeatable)."),
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE.html", help="The same, as a page.")]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="All of it, for programs.")]
Folder = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the run files are kept.")]


@app.command(
    epilog=ends(
        {
            0: "the new version is no worse",
            1: "it is worse",
            2: "wrong usage",
            3: "a version cannot be installed or did not answer all",
            130: "interrupted",
        }
    )
)
def upgrade(
    old: Annotated[str, typer.Argument(metavar="OLD", help="NAME==VERSION that is in use.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="NAME==VERSION to go to.")],
    framework: Whose = None,
    profile: ProfileName = "standard",
    operator: Operator = None,
    dtype: Dtype = None,
    family: FamilyName = None,
    implementation: Glob = None,
    exclude: Exclude = None,
    device: Device = None,
    plugin: Plugin = None,
    with_: With = None,
    python: Annotated[
        list[str] | None,
        typer.Option(
            "--python",
            metavar="OLD=PATH",
            help="The Python that has OLD, or NEW: "
            "jax==0.9.2 jax==0.10.2 --python OLD=PATH --python NEW=PATH.",
        ),
    ] = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    out: Folder = Path("upgrade"),
    html: Html = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE.md", help="A summary of the decision.")
    ] = None,
    json_file: Json = None,
    engine: Where = Engine.HERE,
    parts: InParts = None,
    per_gpu: PerGpu = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask two versions of a framework the same questions; pass if the new one is no worse."""
    from xent_conformance.decision.policy import Policy
    from xent_conformance.reports.ci import data, markdown
    from xent_conformance.reports.html.comparison import render_comparison
    from xent_conformance.reports.run import commands
    from xent_conformance.reports.terminal import comparison as terminal_comparison
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.versions.matrix import versions
    from xent_conformance.versions.upgrade import NoEvidence, judge, run_file

    settle(quiet=quiet)
    over = spread(engine, parts, per_gpu)
    written = {"--html": html, "--markdown": markdown_file, "--json": json_file}
    check_outputs(written, waivers or (), force=force)
    check_place("--out", out / "RUN.parquet")
    plug_in(plugin)
    known_divergences = accepted(waivers, known)
    names = [f.value for f in fail_on or ()]
    options = [w for path in waivers or () for w in ("--waivers", str(path))]
    options += _cluster(engine)
    options += [*(() if known else ("--no-known",)), *(w for name in names for w in ("--fail-on", name))]
    narrowing = (operator, dtype, family, implementation, exclude, device, plugin)
    request = _request("upgrade", [old, new], framework, profile, narrowing, with_, python, options)
    before, now = _ask(request, out, engine, over, force=force, quiet=quiet)
    try:
        decided = judge(request, before, now, known_divergences, Policy(frozenset(names)))
    except NoEvidence as error:
        raise fail(str(error), EVIDENCE) from None
    old_file, new_file = (str(run_file(request, pin, out)) for pin in request.pins)
    files = commands.Files((new_file,), (old_file,), tuple(map(str, waivers or ())), known, tuple(names))
    gate, told = replace(decided.gate, files=files), decided.comparison.told()
    table = versions([before, now], request.command())
    beside = commands.compare(old_file, new_file)
    notes = [f"run files are in {out}; side by side: {beside}"]
    notes += write_all(
        (html, lambda: render_comparison(told, gate, request.command())),
        (markdown_file, lambda: markdown.summary(gate)),
        (json_file, lambda: as_json(data.upgrade(gate, told, table))),
    )
    said = screen(html, markdown_file, json_file)
    terminal_gate.sentence(gate, said)  # the first line, in all that follows
    if not quiet:
        terminal_comparison.show(told, said, whole=verbose)
        terminal_gate.show(gate, said, notes=notes, whole=verbose, said=True)
    raise typer.Exit(gate.status)


@app.command(
    epilog=ends(
        {
            0: "every version answered, whatever was found",
            2: "wrong usage",
            3: "a version cannot be installed or did not answer all",
            130: "interrupted",
        }
    )
)
def matrix(
    pins: Pins,
    framework: Whose = None,
    profile: ProfileName = "standard",
    operator: Operator = None,
    dtype: Dtype = None,
    family: FamilyName = None,
    implementation: Glob = None,
    exclude: Exclude = None,
    device: Device = None,
    plugin: Plugin = None,
    with_: With = None,
    python: Annotated[
        list[str] | None,
        typer.Option("--python", metavar="VERSION=PATH", help="The Python of a version (repeatable)."),
    ] = None,
    out: Folder = Path("matrix"),
    html: Html = None,
    json_file: Json = None,
    engine: Where = Engine.HERE,
    parts: InParts = None,
    per_gpu: PerGpu = None,
    force: Force = False,
) -> None:
    """Ask several versions of a framework the same questions; show when each finding came and went."""
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.html import versions as html_versions
    from xent_conformance.reports.terminal import versions as terminal_versions
    from xent_conformance.versions.matrix import versions

    settle()
    over = spread(engine, parts, per_gpu)
    check_outputs({"--html": html, "--json": json_file}, (), force=force)
    check_place("--out", out / "RUN.parquet")
    plug_in(plugin)
    narrowing = (operator, dtype, family, implementation, exclude, device, plugin)
    request = _request("matrix", pins, framework, profile, narrowing, with_, python, _cluster(engine))
    table = versions(_ask(request, out, engine, over, force=force), request.command())
    said = screen(html, json_file)
    terminal_versions.show(table, said)
    notes = write_all(
        (html, lambda: html_versions.render(table)), (json_file, lambda: as_json(data.versions(table)))
    )
    for note in (f"run files are in {out}", *notes):
        said.print(escape(note), soft_wrap=True)
    if not all(table.complete):
        raise fail("the table is incomplete: a version did not answer all that it was asked", EVIDENCE)


def _request(
    verb: str,
    pins: Sequence[str],
    framework: str | None,
    profile: str,
    narrowing: tuple[Any, ...],
    extra: list[str] | None,
    python: list[str] | None,
    options: list[str],
) -> Request:
    """What was typed, or status 2."""
    from xent_conformance.versions.environments import named_interpreters
    from xent_conformance.versions.upgrade import Pin, Request, framework_of

    operator, dtype, family, implementation, exclude, device, plugin = narrowing
    try:
        pinned = tuple(Pin.of(text) for text in pins)
        chosen = framework_of(pinned, framework)
        interpreters = named_interpreters(python or ())
    except ValueError as error:
        raise fail(str(error), USAGE) from None
    asked = (operator, dtype, family, implementation, device, plugin)
    selection = select(profile, [chosen.name], *asked, exclude=exclude)
    try:
        return Request(verb, pinned, chosen, selection, tuple(extra or ()), interpreters, tuple(options))
    except ValueError as error:
        raise fail(str(error), USAGE) from None


def _cluster(engine: Engine) -> list[str]:
    """The words that ask there again."""
    return ["--engine", engine.value] if engine is Engine.RAY else []


def _ask(
    request: Request, folder: Path, engine: Engine, over: Spread, *, force: bool, quiet: bool = False
) -> list[Run]:
    """The runs in the order of the versions as they were named, or status 3."""
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.fleet.cluster import Failed, NoRay
    from xent_conformance.reports.run.unusable import RunFileError
    from xent_conformance.running.keeping import Occupied
    from xent_conformance.versions.environments import EnvironmentNotMade
    from xent_conformance.versions.upgrade import NoEvidence

    try:
        ask = _ask_nodes if engine is Engine.RAY else _ask_here
        return ask(request, folder, over, force=force, quiet=quiet)
    except (Occupied, UnknownName) as refusal:
        raise fail(str(refusal), USAGE) from None
    except (EnvironmentNotMade, Failed, NoEvidence, NoRay, RunFileError, OSError) as error:
        raise fail(str(error), EVIDENCE) from None
    except KeyboardInterrupt:
        told = "interrupted; the same command, typed again, goes on with the version that was being asked"
        raise fail(told, INTERRUPTED) from None


def _ask_here(request: Request, folder: Path, _: Spread, *, force: bool, quiet: bool) -> list[Run]:
    """Each version in an environment of this machine; what fails, fails before the first question."""
    from xent_conformance.versions.upgrade import prepare, run_one

    def say(text: str) -> None:
        if not quiet:
            errors.print(escape(text), soft_wrap=True)

    interpreters = prepare(request, say)
    runs = []
    for pin, interpreter in zip(request.pins, interpreters, strict=True):
        say(f"asking {request.framework.name}: {pin.text}")
        with Bars(errors, quiet=quiet) as bars:
            runs.append(run_one(request, pin, interpreter, folder, bars.update, force=force))
    return runs


def _ask_nodes(request: Request, folder: Path, over: Spread, *, force: bool, quiet: bool) -> list[Run]:
    """Each version on the nodes of a cluster."""
    from xent_conformance.fleet.versions import run_one

    runs = []
    for pin in request.pins:
        with Bars(errors, quiet=quiet, unit="") as bars:
            bars.tell(f"asking {request.framework.name}: {pin.text}")
            runs.append(run_one(request, pin, folder, bars.update, bars.tell, **over._asdict(), force=force))
    return runs
