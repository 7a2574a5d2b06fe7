"""The Python that is asked, as an option of every command that asks; which one it is, is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from xent_conformance.commands.base import USAGE, errors, fail
from xent_conformance.commands.plain import escape

if TYPE_CHECKING:
    from xent_conformance.versions.target import Target

Python = Annotated[
    list[str] | None,
    typer.Option(
        "--python",
        metavar="PATH|FRAMEWORK=PATH",
        help="The Python, or the environment, that has the frameworks, or one of them (repeatable). "
        "Default: $CONFORMANCE_PYTHON, else the active environment, else the Python that runs this.",
    ),
]


def target_of(python: Iterable[str] | None) -> Target:
    """Who is asked; said on the error stream, unless it is our own Python. Status 2 for what is none."""
    from xent_conformance.versions.target import NoPython, target

    try:
        found = target(tuple(python or ()))
    except NoPython as wrong:
        raise fail(str(wrong), USAGE) from None
    if found.told:
        errors.print(f"[dim]{escape(found.told)}[/dim]", soft_wrap=True)
    return found
