"""What a command is given that is no name of a file, and no number, though it is written like one."""

from __future__ import annotations

import math
from pathlib import Path

import typer


def file(text: str) -> Path:
    """The path; an empty one would be the folder that we are in. Status 2 for it."""
    if not text:
        raise typer.BadParameter("the name is empty: name a file, or leave the option out")
    return Path(text)


def number(found: float | None) -> float | None:
    """The number, if one is given; status 2 for nan, which is in every range: it compares with nothing."""
    if found is not None and math.isnan(found):
        raise typer.BadParameter("nan is no number: give one, or leave the option out")
    return found
