"""``conformance run``: ask the frameworks, judge their answers, write a run file."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xent_conformance.commands.answers import answers, answers_of_parts, opening
from xent_conformance.commands.base import (
    ANSWER_SECONDS,
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    Baseline,
    Cases,
    Decided,
    Device,
    Dtype,
    Engine,
    Exclude,
    FailOns,
    FamilyName,
    Force,
    Format,
    Formatted,
    Framework,
    Glob,
    InParts,
    Jobs,
    Known,
    NoCache,
    Operator,
    PerGpu,
    Plugin,
    ProfileName,
    Quiet,
    Timeout,
    Verbose,
    Waivers,
    Where,
    app,
    ends,
    fail,
    plug_in,
    refused,
    select,
    spread,
    warn,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.deciding import deciding
from xent_conformance.commands.estimating import DryRun, estimate, show_estimate
from xent_conformance.commands.files import STANDARD, check_outputs, print_bytes, print_json, screen, show
from xent_conformance.commands.first import absent, nothing
from xent_conformance.commands.plain import escape
from xent_conformance.commands.where import Python, target_of

if TYPE_CHECKING:
    from rich.console import Console

    from xent_conformance.asking.selection import Selection
    from xent_conformance.reports.run.file import Run


@app.command(
    epilog=ends(
        {
            0: "everything asked was answered, whatever was found (`gate` decides)",
            2: "wrong usage",
            3: "something asked for is absent, was not finished or cannot be written",
            130: "interrupted",
        }
    )
)
def run(
    framework: Framework = None,
    operator: Operator = None,
    dtype: Dtype = None,
    family: FamilyName = None,
    implementation: Glob = None,
    exclude: Exclude = None,
    device: Device = None,
    profile: ProfileName = "standard",
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="RUN.parquet",
            help="- writes the run file to standard output, or with --format json the document alone.",
        ),
    ] = Path("run.parquet"),
    cases: Cases = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    force: Force = False,
    plugin: Plugin = None,
    python: Python = None,
    timeout: Timeout = ANSWER_SECONDS,
    jobs: Jobs = None,
    shard: Annotated[
        str, typer.Option("--shard", metavar="I/N", help="Ask part I of N alone; `merge` puts them together.")
    ] = "",
    engine: Where = Engine.HERE,
    parts: InParts = None,
    per_gpu: PerGpu = None,
    no_cache: NoCache = False,
    gate: Decided = True,
    baseline: Baseline = None,
    waivers: Waivers = None,
    known: Known = True,
    fail_on: FailOns = None,
    dry_run: DryRun = False,
    formatted: Formatted = Format.TEXT,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask the frameworks, judge their answers, write a run file."""
    settle(quiet=quiet)
    plug_in(plugin)
    selection = select(
        profile, framework, operator, dtype, family, implementation, device, plugin, cases, exclude
    )
    over = spread(engine, parts, per_gpu)
    if engine is Engine.RAY and shard:
        raise fail("--engine ray asks all parts, and --shard one: leave one of them out", USAGE)
    if shard:
        selection = _part(selection, shard, formatted)
    if not gate and formatted is Format.JSON and not dry_run:
        raise fail("--no-gate decides nothing, and the document has the decision: leave one out", USAGE)
    read = [*(baseline or ()), *(waivers or ())]
    check_outputs({"--out": out}, read, force=True, tried=not dry_run)  # what is there: by the engine
    if out == STANDARD and resume:
        raise fail("--out - keeps nothing, so there is nothing to resume: name a file", USAGE)
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.fleet.cluster import Failed, NoRay
    from xent_conformance.reports.run.unusable import RunFileError
    from xent_conformance.running import keeping

    where = target_of(python, selection.frameworks)
    try:
        interpreters = where.interpreters(f.name for f in selection.chosen_frameworks())
        selection.seats(interpreters)  # refuses an interpreter of what is not asked
    except ValueError as error:
        raise fail(str(error), USAGE) from None
    if dry_run:
        told = estimate(selection, interpreters, out)
        show(STANDARD, formatted, show_estimate(told, out), lambda: told)
        return
    kept = None if out == STANDARD else out
    # that nobody is there is for the gate to tell where a file is made whatever is there, and of a part
    evidence = force or bool(shard)
    how: dict[str, Any] = {"timeout": timeout, "jobs": jobs, "cache": not no_cache}
    by: dict[str, Any] = {"resume": resume, "force": force, "unanswered": evidence}
    try:
        with contextlib.ExitStack() as until_then:
            if engine is Engine.RAY:
                ask = functools.partial(answers_of_parts, over=over)
            else:
                there = until_then.enter_context(opening(selection, interpreters, begin=not resume, **how))
                ask = functools.partial(answers, there=there)
            # a document holds what to type about each waiver, and the screen the decision in a sentence
            next_steps = formatted is Format.JSON
            decided = deciding(baseline, waivers, known, fail_on, next_steps=next_steps) if gate else None
            result = ask(selection, interpreters, kept, quiet=quiet, **how, **by)
    except (keeping.Occupied, UnknownName) as refusal:
        raise fail(str(refusal), USAGE) from None
    except (NoRay, RunFileError) as error:
        raise fail(str(error), EVIDENCE) from None
    except Failed as error:
        raise fail(f"{error}; {_left(kept)}", EVIDENCE) from None
    except OSError as error:
        raise fail(f"{refused(error, 'written')}; {_left(kept)}", EVIDENCE) from None
    except KeyboardInterrupt:
        raise fail(f"interrupted; {_left(kept)}", INTERRUPTED) from None
    from xent_conformance.reports.ci import data
    from xent_conformance.reports.run import commands
    from xent_conformance.reports.run.file import as_bytes
    from xent_conformance.reports.terminal import causes as terminal_causes
    from xent_conformance.reports.terminal import gate as terminal_gate
    from xent_conformance.reports.terminal import run as terminal
    from xent_conformance.reports.views.causes import causes

    for told in (*result.header.get("asked_again", ()), result.header.get("unkept", "")):
        if told:
            warn(told)
    made = None if result.unanswered and not evidence else kept
    written = None if made is None else keeping.place_of(made, result, force=force)
    if result.unanswered and not shard and formatted is Format.TEXT:
        raise fail(f"{nothing(result, where)}; {_unanswered(kept, written)}", EVIDENCE)
    said = screen(out)
    if shard:
        _told_of_part(result, written, said, quiet=quiet)
    found = [] if shard else causes(result)
    decision = None if shard or decided is None else decided(result, [written] if written else [])
    if decision is not None and formatted is Format.JSON:
        print_json(data.run(result, str(written or ""), found, decision))
    else:
        if written is None:
            print_bytes(as_bytes(result))
        if not (quiet or shard):
            terminal.summary(result, said, verbose=verbose)
            terminal_causes.show(found, said, whole=verbose)
            if written:
                wrote = f"wrote {written}; see it with: {commands.report([str(written)], 'report.html')}"
                said.print(escape(wrote), soft_wrap=True)
        if decision is not None:
            terminal_gate.sentence(decision, said)
    stays = "" if written in (None, kept) else f"; {kept}, which is complete, stays as it was"
    if result.unanswered:  # in a document, or a part
        raise fail(nothing(result, where), EVIDENCE)
    if not result.complete:
        gaps = absent(result, where) or "not all that was planned was answered"
        more = kept is not None and _resumable(kept)
        rest = "; add --resume to the same command to ask what is missing" if more else ""
        raise fail(f"the run is incomplete: {gaps}{stays}{rest}", EVIDENCE)


def _unanswered(out: Path | None, written: Path | None) -> str:
    """What a run has left in which nobody was there."""
    if written is not None:
        return f"wrote {written}, which says so"
    return f"{out} stays as it was" if out is not None and out.exists() else "nothing is written"


def _left(out: Path | None) -> str:
    """What an ended run has left, and how to go on with it."""
    if out is None:
        return "nothing is kept"
    if not _resumable(out):
        return "no answer had come yet, so there is nothing to go on with"
    return "add --resume to the same command to go on"


def _resumable(out: Path) -> bool:
    """Whether ``--resume`` has something to go on with."""
    from xent_conformance.fleet import parts
    from xent_conformance.running import journal

    return journal.resumable(out) or parts.resumable(out)


def _part(selection: Selection, shard: str, formatted: Format) -> Selection:
    """The part of the selection; exit status 2 for what is none."""
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.running.shards import Shard

    if formatted is Format.JSON:
        raise fail("--shard asks a part, which decides nothing: leave --format json out", USAGE)
    try:
        return Shard.part(selection, shard)
    except UnknownName as wrong:
        raise fail(str(wrong), USAGE) from None


def _told_of_part(result: Run, written: Path | None, said: Console, *, quiet: bool) -> None:
    from xent_conformance.reports.run.file import PART
    from xent_conformance.reports.text.wording import plural

    told = result.header[PART]
    if not quiet:
        words = (
            f"part {told['index']} of {told['of']}: {plural(result.verdicts.height, 'verdict')} on "
            f"{plural(len(told['batches']), 'batch', 'es')}" + (f", in {written}" if written else "")
        )
        said.print(
            escape(f"{words}; put the parts together: conformance merge PART… -o run.parquet"), soft_wrap=True
        )
