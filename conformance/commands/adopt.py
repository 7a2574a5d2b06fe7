"""``conformance adopt``: the first day of a version or a machine that the waivers do not know."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from xent_conformance.commands import named
from xent_conformance.commands.base import EVIDENCE, Force, Known, Waivers, app, console, fail, refused
from xent_conformance.commands.configured import settle
from xent_conformance.commands.files import accepted, check_outputs, read, write
from xent_conformance.commands.plain import escape


@app.command()
def adopt(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN.parquet", parser=named.file, help="The run that is to be the baseline."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER")] = Path("conformance"),
    waivers: Waivers = None,
    known: Known = True,
    force: Force = False,
) -> None:
    """Make a run the baseline, write stubs for what no waiver accepts, and say what is left to write.

    From then on the gate blocks on what is new, and not on what was wrong from the first day.
    """
    from xent_conformance.decision.stubs import in_words, stubs, toml
    from xent_conformance.reports.run.commands import Files, ask_again
    from xent_conformance.reports.run.words import OWN

    settle()
    baseline, stub_file = out / "baseline.parquet", out / "waivers.toml"
    written: dict[str, Path | None] = {"--out": baseline, "--out (stubs)": stub_file}
    check_outputs(written, [run, *(waivers or ())], force=force, remade=False)
    found = read([run])
    if not found.complete:
        raise fail(
            f"{run} did not finish or lacks a framework that was asked for: it is no baseline", EVIDENCE
        )
    new = stubs(found, accepted(waivers, known), ("must",))
    try:
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run, baseline)
    except OSError as error:
        raise fail(refused(error, "written"), EVIDENCE) from None
    if new:
        write(stub_file, toml(new))
    after = run.with_stem(f"{run.stem}-next")  # a run is no baseline of itself: the next is another file
    gate = Files((str(after),), (str(baseline),), tuple(map(str, waivers or ())), known).gate()
    words = (
        f"{stub_file}: {in_words(new)} that no waiver accepts; write reason and link "
        "of each cause that you accept: until then they are told as broken before"
    )
    lines = [
        f"{baseline}: {', '.join(found.tested)}; what is wrong in it is told from now on, and does not block",
        words if new else "no must clause is broken that no waiver accepts: there is no stub to write",
    ]
    if OWN not in found.header:  # a function of one's own is asked from Python
        lines.append(f"ask the next version with: {ask_again(found.header)} -o {shlex.quote(str(after))}")
    for line in (*lines, f"gate the next run with: {gate}"):
        console.print(escape(line), soft_wrap=True)
