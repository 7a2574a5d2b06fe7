"""``conformance sweep``: every number of a format, and what one implementation makes of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xent_conformance.commands import completing
from xent_conformance.commands.base import (
    ANSWER_SECONDS,
    EVIDENCE,
    INTERRUPTED,
    USAGE,
    Bars,
    Force,
    Format,
    Formatted,
    Plugin,
    Quiet,
    Timeout,
    app,
    ends,
    errors,
    fail,
    plug_in,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.files import STANDARD, as_json, check_outputs, print_json, screen, write_all
from xent_conformance.commands.where import Python, target_of, whose

if TYPE_CHECKING:
    from xent_conformance.sweep.document import Swept
    from xent_conformance.sweep.plan import Plan, Shard


@app.command(
    epilog=ends(
        {
            0: "every point that was asked for was answered, whatever was found",
            2: "wrong usage",
            3: "the framework is absent, does not answer, or parts are not the whole",
            130: "interrupted",
        }
    )
)
def sweep(
    parts: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PART.json...]", help="Shards of one sweep: merge them, and ask nobody."),
    ] = None,
    implementation: Annotated[
        str,
        typer.Option(
            "--implementation",
            help="Its name, as `list` shows it.",
            autocompletion=completing.implementations,
        ),
    ] = "",
    operator: Annotated[
        str | None,
        typer.Option("--operator", help="Where the name has several.", autocompletion=completing.operators),
    ] = None,
    dtype: Annotated[str, typer.Option("--dtype", help="float32, float16 or bfloat16.")] = "float32",
    output: Annotated[
        list[str] | None, typer.Option("--output", help="value or grad_logits (repeatable); default: both.")
    ] = None,
    label: Annotated[
        list[int] | None, typer.Option("--label", help="Of a hard label: 0 or 1; default: both.")
    ] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="Default: the framework's first.")] = None,
    device: Annotated[str, typer.Option("--device", autocompletion=completing.devices)] = "cpu",
    shard: Annotated[
        str, typer.Option("--shard", metavar="INDEX/COUNT", help="Every COUNT-th chunk: 1/16 to 16/16.")
    ] = "1/1",
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="SWEEP.json", help="- is standard output.")
    ] = Path("sweep.json"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted sweep.")] = False,
    force: Force = False,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Threads that judge; 0: the cores.")] = 0,
    plugin: Plugin = None,
    python: Python = None,
    timeout: Timeout = ANSWER_SECONDS,
    formatted: Formatted = Format.TEXT,
    quiet: Quiet = False,
) -> None:
    """Ask one implementation every number of a format: the true maximum, not the worst found."""
    settle(quiet=quiet)
    plug_in(plugin)
    check_outputs({"--out": out}, parts or (), force=True)  # what is there is looked at below
    kept = None if out == STANDARD else out
    if parts:
        if implementation or resume or shard != "1/1":
            raise fail("parts are merged, and nobody is asked: leave --implementation, --shard out", USAGE)
        found = _merged(parts, kept, force=force)
    else:
        if not implementation:
            raise fail("name what is swept with --implementation NAME, or parts to merge", USAGE)
        if kept is None and resume:
            raise fail("--out - keeps nothing, so there is nothing to resume: name a file", USAGE)
        planned, mine = _planned(implementation, operator, dtype, output, label, mode, device, shard, python)
        found = _asked(
            planned, mine, kept, resume=resume, force=force, jobs=jobs, timeout=timeout, quiet=quiet
        )
    told = found.as_dict()
    if formatted is Format.JSON:
        print_json(told)
    elif kept is None:
        write_all((STANDARD, lambda: as_json(told)))
    if kept is not None:
        from xent_conformance.reports.atomic import journal_of

        notes = write_all((kept, lambda: as_json(told)))
        journal_of(kept).unlink(missing_ok=True)
        for note in notes if not quiet else ():
            errors.print(note, markup=False, soft_wrap=True)
    if formatted is Format.TEXT and not quiet:
        from xent_conformance.reports.terminal.swept import show_swept

        show_swept(told, screen(out))


def _planned(
    implementation: str,
    operator: str | None,
    dtype: str,
    output: list[str] | None,
    label: list[int] | None,
    mode: str | None,
    device: str,
    shard: str,
    python: list[str] | None,
) -> tuple[Plan, Shard]:
    """What is asked, every name checked; exit status 2 for what cannot be."""
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.sweep.plan import Shard, UnknownShard, plan

    try:
        return plan(
            implementation,
            operator,
            dtype,
            outputs=output or (),
            labels=label or (),
            mode=mode,
            device=device,
            interpreters=target_of(python, whose([implementation])).interpreters(FRAMEWORKS),
        ), Shard.of(shard)
    except (UnknownName, UnknownShard) as wrong:
        raise fail(str(wrong), USAGE) from None


def _asked(
    plan: Plan,
    shard: Shard,
    out: Path | None,
    *,
    resume: bool,
    force: bool,
    jobs: int,
    timeout: float,
    quiet: bool,
) -> Swept:
    """The sweep; exit status 2, 3 or 130 where there is none."""
    from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
    from xent_conformance.running.keeping import Occupied
    from xent_conformance.sweep import engine
    from xent_conformance.sweep.certified import NotCertified
    from xent_conformance.sweep.finer import Undecided
    from xent_conformance.sweep.journal import JournalError, resumable

    try:
        with Bars(errors, quiet=quiet, unit="chunks") as bars:
            return engine.sweep(
                plan,
                out,
                shard=shard,
                resume=resume,
                force=force,
                jobs=jobs,
                timeout=timeout,
                progress=bars.update,
            )
    except (Occupied, engine.EmptyShard) as wrong:
        raise fail(str(wrong), USAGE) from None
    except FrameworkAbsent as absent:
        raise fail(f"{absent}; add it with: {plan.seat.install(absent.lacks)}", EVIDENCE) from None
    except (WorkerLost, NotCertified, Undecided, JournalError, OSError) as wrong:
        raise fail(str(wrong), EVIDENCE) from None
    except engine.NotSwept as wrong:
        rest = "; --resume goes on from there" if out and resumable(out) else ""
        raise fail(f"{wrong}{rest}", EVIDENCE) from None
    except KeyboardInterrupt:
        there = out is not None and resumable(out)
        how = "add --resume to the same command to go on" if there else "nothing is kept"
        raise fail(f"interrupted; {how}", INTERRUPTED) from None


def _merged(parts: list[Path], out: Path | None, *, force: bool) -> Swept:
    """The whole; exit status 3 where the parts are not, 2 where something else is at ``out``."""
    from xent_conformance.running.keeping import Occupied
    from xent_conformance.sweep.document import NoSweep, check, merge

    try:
        found = merge(parts)
        if out is not None and not force:
            check(out, found.asked, set(found.chunks))
        return found
    except NoSweep as wrong:
        raise fail(str(wrong), EVIDENCE) from None
    except Occupied as wrong:
        raise fail(str(wrong), USAGE) from None
