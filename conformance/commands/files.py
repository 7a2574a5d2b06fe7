"""What commands read and write: run files and waivers in, pages and summaries out, each with its refusal."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from xent_conformance.commands.base import EVIDENCE, USAGE, WIDE, Format, console, errors, fail, refused
from xent_conformance.commands.plain import escape

if TYPE_CHECKING:
    from xent_conformance.decision.waivers import Waiver
    from xent_conformance.reports.run.file import Run


def read(paths: Iterable[Path]) -> Run:
    """The run in one run file or several, merged; exit status 3 where they are no evidence."""
    from xent_conformance.reports.run.beside import beside
    from xent_conformance.reports.run.unusable import RunFileError

    try:
        return beside(list(paths))
    except RunFileError as error:
        raise fail(str(error), EVIDENCE) from None


def read_sweeps(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Documents of whole sweeps; exit status 3 for anything else."""
    from xent_conformance.sweep.document import read as read_sweep

    found = []
    for path in paths:
        swept = read_sweep(path)
        if swept is None:
            raise fail(
                f"{path} is no sweep of this version: `conformance sweep -o {path}` writes one", EVIDENCE
            )
        if not swept.exhaustive:
            told = f"{path} is a part of a sweep: merge all of them with `conformance sweep PART.json…`"
            raise fail(told, EVIDENCE)
        found.append(swept.as_dict())
    return found


def read_baseline(paths: Sequence[Path], run: Run, runs: Iterable[Path]) -> Run:
    """The run to compare with; exit status 3 where it is no evidence, or the ``run`` itself."""
    before = read(paths)
    check_baseline(before, paths, run, runs)
    return before


def check_first(first: bool, baseline: Iterable[Path] | None) -> None:
    """Exit status 2 for a run that is to be the first, and has one before it."""
    if first and baseline:
        raise fail("--first says that there is no baseline, and --baseline names one: leave one out", USAGE)


def check_baseline(before: Run, named: Iterable[Path], run: Run, runs: Iterable[Path]) -> None:
    """Exit status 3 where a baseline is what it is the baseline of: nothing is worse than itself.

    Whatever the files are called: when it was made and what it took to the millisecond are in a header.
    """
    merged = len(before.headers) + len(run.headers) > 2
    if not any(header in run.headers for header in before.headers):
        return
    if not (merged or before.verdicts.equals(run.verdicts)):
        return
    old, new = (" ".join(map(str, paths)) for paths in (named, runs))
    told = f"{old} is the run itself ({new}), and nothing is worse than itself"
    raise fail(f"{told}; give the run file of before as --baseline, or leave it out", EVIDENCE)


def accepted(paths: Iterable[Path] | None, known: bool) -> list[Waiver]:
    """The waivers of these files, and those that come with the suite; exit status 2 for a wrong one."""
    from xent_conformance.decision.waivers import WaiverError, known_files, read_waivers

    try:
        return read_waivers([*(known_files() if known else ()), *(paths or ())])
    except WaiverError as error:
        raise fail(str(error), USAGE) from None


def check_outputs(
    written: dict[str, Path | None],
    read: Iterable[Path],
    *,
    force: bool,
    remade: bool = True,
    printed: bool = False,
    tried: bool = True,
) -> None:
    """No file is written over what is read, none twice, and none is lost; exit status 2 otherwise.

    ``remade``: it is a function of run files, so one of ours is made anew. ``force``: so is any other. One
    thing alone goes to standard output: ``printed`` says that it is a document already. ``tried``: exit
    status 3 where no such file can be made, before anything is asked for it.
    """
    from xent_conformance.running import keeping

    taken = {path.resolve(): "is read" for path in read}
    standard = "--format json" if printed else ""
    for option, path in written.items():
        if path == STANDARD:
            if standard:
                raise fail(f"{option} -: {standard} is what standard output is for; name a file", USAGE)
            standard = f"{option} -"
        if path is None or path == STANDARD:
            continue
        if path.resolve() in taken:
            raise fail(
                f"{option} {path}: that file {taken[path.resolve()]} by the same command; name another", USAGE
            )
        if path.is_dir():
            raise fail(f"{option} {path}: that is a folder; name a file", USAGE)
        if tried:
            check_place(option, path)
        taken[path.resolve()] = f"is written ({option})"
        if force:
            continue
        try:
            (keeping.check_text if remade else keeping.check_free)(path)
        except keeping.Occupied as occupied:
            raise fail(f"{option} {occupied}", USAGE) from None


def check_place(option: str, path: Path) -> None:
    """Exit status 3 where no file of that name can be made: answers that took an hour would be lost."""
    from xent_conformance.reports import atomic

    try:
        atomic.check_place(path)
    except OSError as error:
        why = f"no file can be made in {error.filename} ({error.strerror})"
        raise fail(f"{option} {path}: {why}; name another place", EVIDENCE) from None


def elsewhere(out: Path) -> Path | None:
    """Where a command prints, if that is a file."""
    return None if out == STANDARD else out


def screen(*written: Path | None) -> Console:
    """Where a command says what it has to say: beside standard output, where a file goes there."""
    return errors if STANDARD in written else console


def as_json(told: Any) -> str:
    """Strict JSON: no NaN, no infinity, and what would not be seen is written out, which means the same."""
    from xent_conformance.reports.text.wording import HIDDEN

    written = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    return HIDDEN.sub(lambda hidden: json.dumps(hidden[0])[1:-1], written) + "\n"


def print_bytes(told: bytes) -> None:
    """What goes to standard output as it is."""
    typer.echo(told, nl=False)


def print_json(told: Any) -> None:
    """One document on standard output, whatever its encoding."""
    print_bytes(as_json(told).encode("utf-8"))


STANDARD = Path("-")
"""In place of a file: standard output."""


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; exit status 3 where it cannot be."""
    from xent_conformance.reports.atomic import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise fail(refused(error, "written"), EVIDENCE) from None


def write_all(*wanted: tuple[Path | None, Callable[[], str]]) -> list[str]:
    """Write what a file was named for, and say so; what goes to standard output is there to be seen."""
    notes = []
    for path, text in wanted:
        if path == STANDARD:
            print_bytes(text().encode("utf-8"))
        elif path is not None:
            write(path, text())
            notes.append(f"wrote {path}")
    return notes


def show(
    out: Path,
    formatted: Format,
    text: Callable[[Console], bool | None],
    told: Callable[[], Any],
    *,
    beside: Console = console,
) -> bool:
    """Print for a person or for a program, on standard output or into a file.

    ``beside``: where text is printed that goes to no file, if standard output is another's. False, and no
    file, where ``text`` says that there was nothing to print.
    """
    if formatted is Format.TEXT and out == STANDARD:
        return text(beside) is not False
    if formatted is Format.JSON:
        page = as_json(told())
    else:
        paper = io.StringIO()
        if text(Console(file=paper, width=WIDE, highlight=False, emoji=False, color_system=None)) is False:
            return False
        page = paper.getvalue()
    for note in write_all((out, lambda: page)):
        errors.print(escape(note), soft_wrap=True)
    return True
