"""What is set stands in for options that are not typed, wherever a command has the option.

It is the command line's own map of defaults, filled once before a command's options are read. A command
declares its options, and calls :func:`settle` first, which refuses what is set wrongly and tells what was
taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import typer

from xent_conformance.commands.plain import escape

if TYPE_CHECKING:
    from xent_conformance.configuration.force import InForce

APART: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("explain", "capture", "search", "list", "config"), frozenset({"*"})),
    **dict.fromkeys(("upgrade", "matrix"), frozenset({"python", "frameworks"})),
}
"""Commands whose options of these settings mean something else, or that are typed as they are printed."""


class _Defaults(dict[str, Any]):
    """What options hold that are not typed. It is asked for those alone, and remembers which they were."""

    def __init__(self, settings: Mapping[str, InForce], wrong: str = "") -> None:
        super().__init__({name: _plain(told) for name, told in settings.items()})
        self._settings = settings
        self.wrong = wrong
        self.taken: dict[str, InForce] = {}

    def get(self, key: str, default: Any = None) -> Any:
        if key in self._settings:
            self.taken[key] = self._settings[key]
        return super().get(key, default)


_DEFAULTS: ContextVar[_Defaults | None] = ContextVar("defaults", default=None)


def _plain(told: InForce) -> str | list[str]:
    return told.value if isinstance(told.value, str) else list(told.value)


def takes(name: str, command: Any) -> dict[str, str]:
    """By parameter of a command, the setting that stands in for it where it is not typed."""
    from xent_conformance.configuration.settings import SETTINGS

    apart = APART.get(name, frozenset())
    return {
        parameter.name: setting.key
        for parameter in command.params
        for setting in SETTINGS.values()
        if (setting.option in parameter.opts or setting.key == parameter.name)
        and setting.many == (getattr(parameter, "multiple", False) or parameter.nargs == -1)
        and not apart & {"*", setting.key}
    }


def configure(context: typer.Context) -> None:
    """Fill the defaults of the command that is to be run, if it takes any setting.

    What is set wrongly is refused when the command begins: its help is there all the same.
    """
    _DEFAULTS.set(None)
    name = context.invoked_subcommand
    command = context.command.get_command(context, name) if name else None  # type: ignore[attr-defined]
    parameters = takes(name, command) if name and command is not None else {}
    if not parameters:
        return
    from xent_conformance.configuration.force import in_force
    from xent_conformance.configuration.settings import ConfigurationError

    try:
        settings = in_force().settings
        found = _Defaults({p: settings[key] for p, key in parameters.items() if key in settings})
    except ConfigurationError as error:
        found = _Defaults({}, str(error))
    _DEFAULTS.set(found)
    context.default_map = {str(name): found}


def otherwise(named: list[str] | None, key: str) -> list[str] | None:
    """The words that were typed, or else what is set: arguments that may be many never ask the defaults."""
    defaults = _DEFAULTS.get()
    return named or (defaults.get(key) if defaults is not None else None)


def taken() -> list[InForce]:
    """What the command took because it was not typed."""
    defaults = _DEFAULTS.get()
    return [] if defaults is None else list(defaults.taken.values())


def told() -> str:
    """What was taken and from where, in a line; empty where nothing was."""
    by_source: dict[str, list[str]] = {}
    for setting in taken():
        by_source.setdefault(setting.source, []).append(str(setting))
    return "; ".join(f"{', '.join(settings)} ({source})" for source, settings in by_source.items())


def settle(*, quiet: bool = False) -> None:
    """Exit status 2 for what is set wrongly; what was taken in a grey line: what nobody sees is a trap."""
    from xent_conformance.commands.base import USAGE, errors, fail

    defaults = _DEFAULTS.get()
    if defaults is not None and defaults.wrong:
        raise fail(defaults.wrong, USAGE)
    if not quiet and (line := told()):
        errors.print(f"[bright_black]set: {escape(line)}[/bright_black]", soft_wrap=True)
