"""``conformance gate | compare | waive``: decide on run files, compare two, write stubs of waivers."""

from __future__ import annotations

import enum
import json
import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from conformance.commands.base import EVIDENCE, USAGE, app, console, errors, fail

if TYPE_CHECKING:
    from conformance.decision.waivers import Waiver
    from reports.run_file import Run


class FailOn(enum.StrEnum):
    """What ``--fail-on`` adds to what always blocks."""

    SHOULD = "should"
    DRIFT = "drift"
    BITS = "bits"


class WhichLevel(enum.StrEnum):
    """The levels of clauses that ``waive`` writes stubs for."""

    MUST = "must"
    SHOULD = "should"
    ALL = "all"


Runs = Annotated[list[Path], typer.Argument(metavar="RUN.parquet...", help="One or more run files (merged).")]
Waivers = Annotated[
    list[Path] | None,
    typer.Option("--waivers", metavar="FILE.toml", help="Also the waivers of this file (repeatable)."),
]
Known = Annotated[
    bool, typer.Option("--known/--no-known", help="The waivers that come with the suite, or not.")
]


@app.command()
def gate(
    runs: Runs,
    baseline: Annotated[
        list[Path] | None,
        typer.Option("--baseline", metavar="OLD.parquet", help="No verdict may be worse than in it."),
    ] = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: Annotated[
        list[FailOn] | None, typer.Option("--fail-on", help="Fail on this too (repeatable).")
    ] = None,
    drift_factor: Annotated[
        float, typer.Option("--drift-factor", min=1.0, help="Growth of an error that is drift.")
    ] = 2.0,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE.xml")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE.md", help="A summary.")] = None,
    comment: Annotated[
        Path | None,
        typer.Option("--comment", metavar="FILE.md", help="For a pull request; empty if nothing changed."),
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Annotations, and the summary in $GITHUB_STEP_SUMMARY.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE.json")] = None,
    badge: Annotated[
        Path | None, typer.Option("--badge", metavar="FILE.json", help="For shields.io.")
    ] = None,
) -> None:
    """Decide whether a run may pass. Status 0 passed, 1 failed, 2 usage, 3 evidence incomplete or invalid."""
    from conformance.decision.gate import Policy, decide
    from reports import badge as badges
    from reports import junit as junits
    from reports import markdown as markdowns
    from reports import terminal_gate

    written = {
        "--junit": junit,
        "--markdown": markdown,
        "--comment": comment,
        "--json": json_file,
        "--badge": badge,
    }
    _check_outputs(written, [*runs, *(baseline or ()), *(waivers or ())])
    run = _read(runs)
    before = _read(baseline) if baseline else None
    policy = Policy(frozenset(f.value for f in fail_on or ()), drift_factor)
    decision = decide(run, baseline=before, waivers=_waivers(waivers, known), policy=policy)
    told = decision.as_dict()
    notes: list[str] = []
    renderers: list[tuple[Path | None, Callable[[], str]]] = [
        (junit, lambda: junits.render(told, run)),
        (markdown, lambda: markdowns.summary(told)),
        (comment, lambda: markdowns.comment(told)),
        (json_file, lambda: _json(told)),
        (badge, lambda: _json(badges.render(told))),
    ]
    for path, text in renderers:
        if path is not None:
            _write(path, text())
            notes.append(f"wrote {path}")
    if github:
        notes += _github(told)
    terminal_gate.show(told, console, notes=notes)
    raise typer.Exit(decision.status)


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD.parquet")],
    new: Annotated[Path, typer.Argument(metavar="NEW.parquet")],
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE.html")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE.json")] = None,
    drift_factor: Annotated[
        float, typer.Option("--drift-factor", min=1.0, help="Growth of an error that is drift.")
    ] = 2.0,
) -> None:
    """Show what became of every verdict of OLD in NEW; decides nothing. Naive controls are left out."""
    from conformance.decision import compare as comparing
    from reports import terminal_gate

    _check_outputs({"--html": html, "--json": json_file}, [old, new])
    runs = [comparing.called(_read([path])) for path in (old, new)]
    view = comparing.as_dict(comparing.compare(runs[0], runs[1], factor=drift_factor))
    notes = []
    if html is not None:
        from reports.html_compare import render_comparison

        _write(html, render_comparison(view))
        notes.append(f"wrote {html}")
    if json_file is not None:
        _write(json_file, _json(view))
        notes.append(f"wrote {json_file}")
    terminal_gate.comparison(view, console, notes=notes)


@app.command()
def waive(
    runs: Runs,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.toml")],
    level: Annotated[WhichLevel, typer.Option("--level", help="Of the clauses broken.")] = WhichLevel.MUST,
    waivers: Waivers = None,
    known: Known = True,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write stubs of waivers for findings that none accepts; a person then writes reason and link."""
    from conformance.decision.stubs import stubs, toml

    if out.exists() and not force:
        raise fail(f"{out} is there already; give another name, or --force to write over it", USAGE)
    _check_outputs({"--out": out}, [*runs, *(waivers or ())])
    run = _read(runs)
    levels = ("must", "should") if level is WhichLevel.ALL else (level.value,)
    found = stubs(run, _waivers(waivers, known), levels)
    if not found:
        console.print(
            f"no finding of that level ({', '.join(levels)}) is without a waiver: nothing is written"
        )
        return
    _write(out, toml(found))
    count = sum(stub.count for stub in found)
    then = shlex.join(["conformance", "gate", *map(str, runs), "--waivers", str(out)])
    told = f"wrote {out}: {len(found)} stubs for {count} verdicts; write `reason` and `link` of each, then:"
    console.print(escape(f"{told} {then}"), soft_wrap=True)


# --- reading and writing -----------------------------------------------------------------------------------


def _read(paths: Iterable[Path]) -> Run:
    from reports.run_file import RunFileError, merge, read_run

    try:
        return merge([read_run(path) for path in paths])
    except RunFileError as error:
        raise fail(str(error), EVIDENCE) from None


def _waivers(paths: Iterable[Path] | None, known: bool) -> list[Waiver]:
    from conformance.decision.waivers import WaiverError, known_files, read_waivers

    try:
        return read_waivers([*(known_files() if known else ()), *(paths or ())])
    except WaiverError as error:
        raise fail(str(error), USAGE) from None


def _check_outputs(written: dict[str, Path | None], read: Iterable[Path]) -> None:
    """No file is written over what is read, and none twice."""
    taken = {path.resolve(): "is read" for path in read}
    for option, path in written.items():
        if path is None:
            continue
        if path.resolve() in taken:
            raise fail(
                f"{option} {path}: that file {taken[path.resolve()]} by the same command; name another", USAGE
            )
        taken[path.resolve()] = f"is written ({option})"


def _json(told: Any) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    from conformance.files import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise fail(f"{path} cannot be written: {error.strerror}", EVIDENCE) from None


def _github(told: dict[str, Any]) -> list[str]:
    """Append the summary to the step's own; the annotations, to be printed."""
    from reports.markdown import SUMMARY_BYTES, summary, workflow_commands

    where = os.environ.get("GITHUB_STEP_SUMMARY")
    if where:
        path = Path(where)
        try:
            there = path.stat().st_size if path.is_file() else 0
            with path.open("a", encoding="utf-8") as f:
                f.write(summary(told, limit=SUMMARY_BYTES - there))
        except OSError as error:
            errors.print(f"warning: {escape(where)} cannot be written: {error.strerror}", soft_wrap=True)
    return workflow_commands(told)
