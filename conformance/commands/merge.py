"""``conformance merge``: the parts that machines have asked, put together to the run of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from xent_conformance.commands import named
from xent_conformance.commands.base import (
    EVIDENCE,
    USAGE,
    Force,
    Plugin,
    Quiet,
    app,
    ends,
    errors,
    fail,
    plug_in,
)
from xent_conformance.commands.configured import settle
from xent_conformance.commands.files import STANDARD, check_outputs, print_bytes, screen


@app.command(
    epilog=ends(
        {
            0: "they are one run",
            2: "wrong usage",
            3: "they are not: a part is missing, there twice, or of another run; or one is unfinished",
        }
    )
)
def merge(
    parts: Annotated[
        list[Path],
        typer.Argument(
            metavar="PART.parquet...", parser=named.file, help="As `run --shard` has written them."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="RUN.parquet", help="- writes the run file to standard output."),
    ] = Path("run.parquet"),
    plugin: Plugin = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="At most so many processes that look for causes; default: the cores.",
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Put the parts of a run together: the same run file as of one machine. No framework is started."""
    settle(quiet=quiet)
    plug_in(plugin)
    check_outputs({"--out": out}, parts, force=True)  # by check_run
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.reference.cache import default_cache
    from xent_conformance.reference.oracle import Oracle
    from xent_conformance.reports.run.file import as_bytes, write_run
    from xent_conformance.reports.run.unusable import RunFileError
    from xent_conformance.reports.terminal import run as terminal
    from xent_conformance.running import keeping, merging

    try:
        found = merging.read_parts(parts)
        asked = merging.asked_by(found)
        if out != STANDARD and not force:
            keeping.check_run(out, asked.as_dict())
        result = merging.merged(found, asked, Oracle(default_cache()), jobs)
        written = None if out == STANDARD else keeping.place_of(out, result, force=force)
        if written is None:
            print_bytes(as_bytes(result))
        else:
            write_run(written, result)
    except (UnknownName, keeping.Occupied) as wrong:
        raise fail(str(wrong), USAGE) from None
    except (RunFileError, OSError) as error:
        raise fail(str(error), EVIDENCE) from None
    if not quiet:
        terminal.summary(result, screen(out))
        if written:
            screen(out).print(
                escape(f"wrote {written}; decide with: conformance gate {written}"), soft_wrap=True
            )
    if not result.complete:
        errors.print("[bold yellow]warning:[/bold yellow] a part was not finished", soft_wrap=True)
        raise typer.Exit(EVIDENCE)
