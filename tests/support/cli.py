"""The command line inside this process."""

from __future__ import annotations

import functools
from pathlib import Path

import typer.main
import typer.testing
from typer.testing import CliRunner, Result

from xent_conformance.commands.line import app

# its runner builds the whole command line for every call, which takes longer than most commands
typer.testing._get_command = functools.cache(typer.main.get_command)


def invoke(*arguments: str | Path) -> Result:
    """What a command prints, and how it ends."""
    return CliRunner().invoke(app, [str(a) for a in arguments])


def conformance(*arguments: str | Path, status: int | None = 0) -> Result:
    """A command that ends with this status, or with any; what is raised and is no status is raised."""
    result = invoke(*arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if status is not None:
        assert result.exit_code == status, result.output
    return result
