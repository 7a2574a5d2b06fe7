"""``conformance cache``: where what is kept between runs lies, how large it is, and taking it away."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xent_conformance.commands import named
from xent_conformance.commands.base import (
    EVIDENCE,
    USAGE,
    Format,
    Formatted,
    Out,
    app,
    console,
    ends,
    errors,
    fail,
)
from xent_conformance.commands.files import STANDARD, show
from xent_conformance.commands.plain import escape

if TYPE_CHECKING:
    from rich.console import Console

    from xent_conformance.versions.kept import Kind

cache_app = typer.Typer(
    help="Show what is kept between runs: where it lies, and how large it is.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cache_app, name="cache")


@cache_app.callback()
def cache(context: typer.Context, formatted: Formatted = Format.TEXT, out: Out = STANDARD) -> None:
    """Show what is kept between runs: where it lies, and how large it is. `clean` takes it away."""
    if context.invoked_subcommand is None:
        told = _told()
        show(out, formatted, lambda console: _table(told, console), lambda: told)


@cache_app.command(
    epilog=ends({0: "done", 2: "there is no such kind", 3: "something could not be taken away, or is in use"})
)
def clean(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="As `conformance cache` names it; all if unsaid.")
    ] = "",
    older_than: Annotated[
        float | None,
        typer.Option(
            "--older-than",
            metavar="DAYS",
            min=0.0,
            callback=named.number,
            help="Only what was not used for so long.",
        ),
    ] = None,
) -> None:
    """Take away what is kept; it is made again when it is needed. What is not ours, or in use, stays."""
    from xent_conformance.versions.cleaning import clean as take_away
    from xent_conformance.versions.kept import kinds

    every = kinds()
    if kind and kind not in every:
        raise fail(f"there is no kind {kind!r}; there are {', '.join(every)}", USAGE)
    left = 0
    for chosen in [every[kind]] if kind else every.values():
        done = take_away(chosen, older_than=older_than)
        words = f"{chosen.name}: {len(done.gone)} taken away, {_size(done.freed)}"
        console.print(escape(words), soft_wrap=True)
        for entry, why in done.left:
            errors.print(escape(f"left: {entry.path}: {why}"), soft_wrap=True)
        way = chosen.in_the_way()
        for path in chosen.foreign():
            errors.print(escape(f"left: {path}: it is not ours{_IN_THE_WAY * (path in way)}"), soft_wrap=True)
        left += len(done.left)
    if left:
        raise typer.Exit(EVIDENCE)


_IN_THE_WAY = (
    ", where a file of its version belongs, which is made anew in every run until you take this away"
)


def _told() -> list[dict[str, Any]]:
    """Of each kind what docs/JSON.md says."""
    from xent_conformance.versions.kept import kinds

    return [_kind(kind) for kind in kinds().values()]


def _kind(kind: Kind) -> dict[str, Any]:
    entries = [
        {"name": e.path.name, "about": e.about, "used": _day(e.used), "bytes": e.size} for e in kind.found()
    ]
    return {
        "kind": kind.name,
        "about": kind.about,
        "folder": str(kind.folder),
        "bytes": sum(e["bytes"] for e in entries),
        "entries": entries,
        "not_ours": [str(path) for path in kind.foreign()],
        "in_the_way": [str(path) for path in kind.in_the_way()],
    }


def _table(told: list[dict[str, Any]], console: Console) -> None:
    from xent_conformance.reports.terminal.screen import say, table

    columns = ("what", "size", "last used", "about")
    for kind in told:
        say(
            console, (kind["kind"], "bold"), f": {_size(kind['bytes'])} in {kind['folder']} ({kind['about']})"
        )
        if kind["entries"]:
            rows = [(e["name"], _size(e["bytes"]), e["used"], e["about"]) for e in kind["entries"]]
            table(console, columns, rows, right=("size",), names=columns[:1])
        for path in kind["not_ours"]:
            say(console, f"not ours, and left alone: {path}{_IN_THE_WAY * (path in kind['in_the_way'])}")
    whole = sum(kind["bytes"] for kind in told)
    say(console, (f"{_size(whole)} in all", "bold"), "; `conformance cache clean` takes it away")


def _day(when: float) -> str:
    return datetime.datetime.fromtimestamp(when, datetime.UTC).date().isoformat()


def _size(size: int) -> str:
    """``3.9 GB``, as a disk's maker counts."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size} bytes"
