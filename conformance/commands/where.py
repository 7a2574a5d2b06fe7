"""The Python that is asked, as an option of every command that asks; which one it is, is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        "Default: $CONFORMANCE_PYTHON, else the active environment, else the Python that runs this, or for "
        "what it has not the one of .venv or of the path that has it.",
    ),
]


def target_of(python: Iterable[str] | None, named: Iterable[str] = ()) -> Target:
    """Who is asked; said on the error stream, unless it is our own Python.

    Status 2 for what is none, and for a Python of a framework that there is not.
    ``named``: frameworks that are asked for by name, which are looked for where nobody says where they are.
    """
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import UnknownName, check_name
    from xent_conformance.versions.target import NoPython, target

    def meant(name: str) -> str:
        return check_name("framework", name, FRAMEWORKS)

    try:
        found = target(tuple(python or ()), meant=meant).looking(needs(named))
    except (NoPython, UnknownName) as wrong:
        raise fail(str(wrong), USAGE) from None
    if found.told:
        errors.print(f"[dim]{escape(found.told)}[/dim]", soft_wrap=True)
    return found


def needs(frameworks: Iterable[str]) -> dict[str, Sequence[str]]:
    """By framework of the suite, the distributions that a Python must have for it.

    What a plug-in imports, nobody else knows.
    """
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import meant

    names = (meant("framework", name.partition("[")[0], FRAMEWORKS) for name in frameworks)
    known = {name: FRAMEWORKS[name] for name in names if name in FRAMEWORKS}
    return {name: framework.distributions for name, framework in known.items() if framework.shipped}


def whose(implementations: Sequence[str]) -> list[str]:
    """The frameworks that have an implementation which is so named, or matches."""
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import meant, named

    if not implementations:
        return []
    every = [i.name for framework in FRAMEWORKS.values() for i in framework.declaration.implementations]
    wanted = [meant("implementation", name, every) for name in implementations]
    return [
        name
        for name, framework in FRAMEWORKS.items()
        if any(named(i.name, wanted) for i in framework.declaration.implementations)
    ]
