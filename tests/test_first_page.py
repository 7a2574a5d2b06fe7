"""docs/FIRST.md: its commands parse, and what it says of the order is the order."""

from __future__ import annotations

import re
import shlex

import pytest
import typer.main

from tests.support.paths import ROOT
from xent_conformance.commands.line import app
from xent_conformance.versions import target

PAGE = (ROOT / "docs" / "FIRST.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^\$ (?:uvx --from PATH xent-|pipx run --spec PATH xent-)?(conformance .+)", PAGE, re.M
)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command: str) -> None:
    """Unknown commands and options raise; nothing is run."""
    group = typer.main.get_command(app)
    _, *words = shlex.split(command)
    with group.make_context("conformance", words) as context:
        name, *arguments = [*context._protected_args, *context.args]
        assert isinstance(group, typer.core.TyperGroup)
        group.commands[name].make_context(name, arguments).close()


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 6


def test_the_order_is_the_order() -> None:
    named = re.findall(r"^\d\. .*?`\$(\w+)`", PAGE, re.MULTILINE)
    assert named == [target.VARIABLE, *target._ACTIVE]
