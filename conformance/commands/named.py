"""A file that is read, as a command is given its name: an empty one, of a variable say, names none."""

from __future__ import annotations

from pathlib import Path

import typer


def file(text: str) -> Path:
    """The path; an empty one would be the folder that we are in. Status 2 for it."""
    if not text:
        raise typer.BadParameter("the name is empty: name a file, or leave the option out")
    return Path(text)
