"""What commands read and write: run files and waivers in, pages and summaries out, each with its refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xent_conformance.commands.base import EVIDENCE, USAGE, fail

if TYPE_CHECKING:
    from xent_conformance.decision.waivers import Waiver
    from xent_conformance.reports.run.file import Run


def read(paths: Iterable[Path]) -> Run:
    """The run in one run file or several, merged; exit status 3 where they are no evidence."""
    from xent_conformance.reports.run.file import RunFileError, merge, read_run

    try:
        return merge([read_run(path) for path in paths])
    except RunFileError as error:
        raise fail(str(error), EVIDENCE) from None


def accepted(paths: Iterable[Path] | None, known: bool) -> list[Waiver]:
    """The waivers of these files, and those that come with the suite; exit status 2 for a wrong one."""
    from xent_conformance.decision.waivers import WaiverError, known_files, read_waivers

    try:
        return read_waivers([*(known_files() if known else ()), *(paths or ())])
    except WaiverError as error:
        raise fail(str(error), USAGE) from None


def check_outputs(
    written: dict[str, Path | None], read: Iterable[Path], *, force: bool, remade: bool = True
) -> None:
    """No file is written over what is read, none twice, and none is lost; exit status 2 otherwise.

    ``remade``: it is a function of run files, so one of ours is made anew. ``force``: so is any other.
    """
    from xent_conformance.running import keeping

    taken = {path.resolve(): "is read" for path in read}
    for option, path in written.items():
        if path is None or path == STANDARD:
            continue
        if path.resolve() in taken:
            raise fail(
                f"{option} {path}: that file {taken[path.resolve()]} by the same command; name another", USAGE
            )
        taken[path.resolve()] = f"is written ({option})"
        if force:
            continue
        try:
            (keeping.check_text if remade else keeping.check_free)(path)
        except keeping.Occupied as occupied:
            raise fail(f"{option} {occupied}", USAGE) from None


def as_json(told: Any) -> str:
    """Strict JSON: no NaN, no infinity."""
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def print_json(told: Any) -> None:
    """One document on standard output, whatever its encoding."""
    typer.echo(as_json(told).encode("utf-8"), nl=False)


STANDARD = Path("-")
"""In place of a file: standard output."""


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; exit status 3 where it cannot be."""
    from xent_conformance.reports.atomic import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise fail(f"{path} cannot be written: {error.strerror}", EVIDENCE) from None


def write_all(*wanted: tuple[Path | None, Callable[[], str]]) -> list[str]:
    """Write what a file was named for, and say so."""
    notes = []
    for path, text in wanted:
        if path is not None:
            write(path, text())
            notes.append(f"wrote {path}")
    return notes
