"""``conformance gate | compare | waive``: decide on run files, compare two, write stubs of waivers."""

from __future__ import annotations

import enum
import functools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.markup
import typer

from xent_conformance.commands import named
from xent_conformance.commands.base import (
    EVIDENCE,
    STATUSES,
    USAGE,
    Baseline,
    FailOns,
    First,
    Force,
    Format,
    Formatted,
    Known,
    Out,
    Quiet,
    Verbose,
    Waivers,
    app,
    console,
    ends,
    errors,
    fail,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.deciding import files_of
from xent_conformance.commands.files import (
    STANDARD,
    accepted,
    as_json,
    check_first,
    check_outputs,
    elsewhere,
    print_bytes,
    read,
    read_baseline,
    screen,
    show,
    write,
    write_all,
)
from xent_conformance.commands.plain import escape

if TYPE_CHECKING:
    from rich.console import Console

    from xent_conformance.reports.views.comparison import Told
    from xent_conformance.reports.views.gate import Gate


class WhichLevel(enum.StrEnum):
    """The levels of clauses that ``waive`` writes stubs for."""

    MUST = "must"
    SHOULD = "should"
    ALL = "all"


Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUN.parquet...", parser=named.file, help="One or more run files (merged)."),
]

DriftFactor = Annotated[
    float,
    typer.Option("--drift-factor", min=1.0, callback=named.number, help="Growth of an error that is drift."),
]


@app.command(epilog=ends({0: "passed", 1: "failed", 2: STATUSES[USAGE], 3: STATUSES[EVIDENCE]}))
def gate(
    runs: Runs,
    baseline: Baseline = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    drift_factor: DriftFactor = 2.0,
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
    first: First = False,
    force: Force = False,
    formatted: Formatted = Format.TEXT,
    out: Out = STANDARD,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Decide whether a run may pass."""
    from xent_conformance.decision.gate import decide
    from xent_conformance.decision.policy import Policy
    from xent_conformance.reports.ci import badge as badges
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.ci import junit as junits
    from xent_conformance.reports.ci import markdown as markdowns
    from xent_conformance.reports.run import commands
    from xent_conformance.reports.terminal import gate as terminal_gate

    settle(quiet=quiet)
    check_first(first, baseline)
    written = {
        "--junit": junit,
        "--markdown": markdown,
        "--comment": comment,
        "--json": json_file,
        "--badge": badge,
    }
    as_document = formatted is Format.JSON and out == STANDARD
    read_too = [*(baseline or ()), *(waivers or ())]
    every = {**written, "--out": elsewhere(out)}
    check_outputs(every, [*runs, *read_too], force=force, printed=as_document)
    run = read(runs)
    before = run if first else read_baseline(baseline, run, runs) if baseline else None
    names = tuple(f.value for f in fail_on or ())
    policy = Policy(frozenset(names), drift_factor)
    decision = decide(run, baseline=before, waivers=accepted(waivers, known), policy=policy)
    decision = replace(decision, files=files_of(runs, baseline, waivers, known, names))
    notes = write_all(
        (junit, lambda: junits.render(decision, run)),
        (markdown, lambda: markdowns.summary(decision)),
        (comment, lambda: markdowns.comment(decision)),
        (json_file, lambda: as_json(data.gate(decision))),
        (badge, lambda: as_json(badges.render(decision))),
    )
    annotations = _github(decision) if github else []
    notes += policy.idle(compared=before is not None)
    notes += decision.first_day(commands.adopt([str(path) for path in runs]))
    if formatted is Format.JSON:
        for line in (*map(escape, notes), *map(rich.markup.escape, annotations)):
            errors.print(line, soft_wrap=True)

    def text(console: Console) -> None:
        if quiet:
            terminal_gate.sentence(decision, console)
        else:
            terminal_gate.show(decision, console, notes=notes, annotations=annotations, whole=verbose)

    show(out, formatted, text, lambda: data.gate(decision), beside=screen(*written.values()))
    raise typer.Exit(decision.status)


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD.parquet", parser=named.file)],
    new: Annotated[Path, typer.Argument(metavar="NEW.parquet", parser=named.file)],
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE.html")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE.json")] = None,
    drift_factor: DriftFactor = 2.0,
    force: Force = False,
    formatted: Formatted = Format.TEXT,
    out: Out = STANDARD,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what became of every verdict of OLD in NEW; decides nothing. Naive controls are left out."""
    from xent_conformance.decision import compare as comparing
    from xent_conformance.decision.evidence import SMALL
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.run.file import called
    from xent_conformance.reports.terminal import comparison as terminal_comparison

    written = {"--html": html, "--json": json_file, "--out": elsewhere(out)}
    as_document = formatted is Format.JSON and out == STANDARD
    check_outputs(written, [old, new], force=force, printed=as_document)
    runs = [called(read([path])) for path in (old, new)]
    slim = [path for path, run in zip((old, new), runs, strict=True) if run.is_slim]
    if len(slim) == 1:
        raise fail(f"{slim[0]}: a slim run file, and the other is none: {SMALL}", EVIDENCE)
    told = comparing.compare(runs[0], runs[1], factor=drift_factor).told()
    notes = write_all((html, lambda: _page(told)), (json_file, lambda: as_json(data.comparison(told))))
    if formatted is Format.JSON:
        for note in notes:
            errors.print(escape(note), soft_wrap=True)

    def text(console: Console) -> None:
        if quiet:
            terminal_comparison.sentence(told, console)
        else:
            terminal_comparison.show(told, console, notes=notes, whole=verbose)

    show(out, formatted, text, lambda: data.comparison(told), beside=screen(html, json_file))


@app.command()
def waive(
    runs: Runs,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.toml", help="Or - for standard output.")],
    level: Annotated[WhichLevel, typer.Option("--level", help="Of the clauses broken.")] = WhichLevel.MUST,
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            "--baseline",
            metavar="OLD.parquet",
            parser=named.file,
            help="For what blocks against it, known to the suite or not (repeatable).",
        ),
    ] = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    force: Force = False,
) -> None:
    """Write stubs of waivers for findings that none accepts; a person then writes reason and link."""
    from xent_conformance.decision.policy import Policy
    from xent_conformance.decision.stubs import in_words, known_to_the_suite, stubs, toml

    settle()
    if fail_on and not baseline:
        raise fail("--fail-on is of a decision against a baseline: name it with --baseline", USAGE)
    read_too = [*(baseline or ()), *(waivers or ())]
    check_outputs({"--out": out}, [*runs, *read_too], force=force, remade=False)
    run = read(runs)
    before = read_baseline(baseline, run, runs) if baseline else None
    accepts, names = accepted(waivers, known), tuple(f.value for f in fail_on or ())
    written = functools.partial(stubs, run, accepts, baseline=before, policy=Policy(frozenset(names)))
    levels = ("must", "should") if level is WhichLevel.ALL else (level.value,)
    found = written(levels)
    if not found:
        if before is None:
            told = _none_without(levels, known_to_the_suite(run, accepts))
        else:
            told = _none_against(
                levels, before.tested, sum(stub.count for stub in written(("must", "should")))
            )
        (errors if out == STANDARD else console).print(escape(told), soft_wrap=True)
        return
    if out == STANDARD:
        print_bytes(toml(found).encode("utf-8"))
        return
    write(out, toml(found))
    files = files_of(runs, baseline, [*(waivers or ()), out], known, names)
    told = f"wrote {out}: {in_words(found)}; write `reason` and `link` of each, then:"
    console.print(escape(f"{told} {files.gate()}"), soft_wrap=True)


def _none_without(levels: Sequence[str], known: int) -> str:
    """That there is nothing to accept, and that what the suite has accepted may block all the same."""
    from xent_conformance.reports.text.wording import plural

    told = f"no finding of that level ({', '.join(levels)}) is without a waiver: nothing is written"
    if not known:
        return told
    return (
        f"{told}; waivers of the suite accept {plural(known, 'verdict')} of broken must clauses, and hide "
        "none that is new against a baseline: for stubs of those, add --baseline OLD.parquet"
    )


def _none_against(levels: Sequence[str], before: Sequence[str], others: int) -> str:
    """That there is nothing to accept, unless of the other level."""
    from xent_conformance.reports.text.wording import plural

    told = (
        f"nothing of that level ({', '.join(levels)}) blocks against {', '.join(before)}: nothing is written"
    )
    return f"{told}; {plural(others, 'verdict')} of the other level do: add --level all" if others else told


def _page(told: Told) -> str:
    from xent_conformance.reports.html.comparison import render_comparison

    return render_comparison(told)


def _github(decision: Gate) -> list[str]:
    """Append the summary to the step's own; the annotations, to be printed."""
    from xent_conformance.reports.ci.markdown import SUMMARY_BYTES, summary, workflow_commands

    where = os.environ.get("GITHUB_STEP_SUMMARY")
    if where:
        path = Path(where)
        try:
            there = path.stat().st_size if path.is_file() else 0
            with path.open("a", encoding="utf-8") as f:
                f.write(summary(decision, limit=SUMMARY_BYTES - there))
        except OSError as error:
            errors.print(f"warning: {escape(where)} cannot be written: {error.strerror}", soft_wrap=True)
    return workflow_commands(decision)
