"""``conformance config``: what is set, and where."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from xent_conformance.commands.base import USAGE, Format, Formatted, Out, app, ends, fail
from xent_conformance.commands.files import STANDARD, show
from xent_conformance.commands.group import FIRST
from xent_conformance.devices.variants import (
    BROWSER_BACKEND,
    CHROMIUM,
    DETERMINISTIC,
    DRIVER,
    EXECUTORCH_BACKEND,
    LITERT_KERNELS,
    NCNN_PRECISION,
    NODE_MODULES,
    PRECISION,
    RANKS,
    THREADS,
)

if TYPE_CHECKING:
    from rich.console import Console

    from xent_conformance.configuration.force import Configuration

AS_TYPED = "FRAMEWORK..."
"""The command without a name of its own: ``conformance torch``."""

OTHERS = {
    THREADS: "threads of torch's kernels",
    DETERMINISTIC: "deterministic kernels of torch",
    RANKS: "ranks over which loss-parallel spreads the classes",
    PRECISION: "the precision that OpenVINO is asked for",
    EXECUTORCH_BACKEND: "whose kernels ExecuTorch is exported for",
    LITERT_KERNELS: "whose kernels LiteRT takes",
    DRIVER: "the driver of Vulkan that ncnn and WebGPU find",
    NCNN_PRECISION: "the precision that ncnn is asked for",
    BROWSER_BACKEND: "what a library of JavaScript computes on",
    CHROMIUM: "the browser that such a library is asked in; else the system's, or Playwright's own",
    NODE_MODULES: "the folder of npm's packages; else that of the worker's environment",
}
"""Variables of ours that are no setting: a worker of a variant has them, or its adapter looks there."""


@app.command(
    epilog=ends({0: "told", 2: "wrong usage, or a setting that cannot be", 3: "FILE cannot be written"})
)
def config(formatted: Formatted = Format.TEXT, out: Out = STANDARD) -> None:
    """Show every setting in force, and from where.

    An option that is typed comes first, then the environment variable, then \\\\[tool.conformance] of the
    nearest pyproject.toml that has it; its relative paths start at its folder.
    """
    from xent_conformance.configuration.force import in_force
    from xent_conformance.configuration.settings import ConfigurationError

    try:
        found = in_force()
    except ConfigurationError as error:
        raise fail(str(error), USAGE) from None
    show(out, formatted, lambda console: _lines(found, console), lambda: _told(found))


def _told(found: Configuration) -> dict[str, Any]:
    """Of each setting its value (null where it is not set), and where it and the options come from."""
    from xent_conformance.configuration.force import not_read
    from xent_conformance.configuration.settings import SETTINGS

    listed, takers = [], _takers()
    for key, setting in SETTINGS.items():
        there = found.settings.get(key)
        value = None if there is None else there.value
        listed.append(
            {
                "key": key,
                "value": list(value) if isinstance(value, tuple) else value,
                "source": "" if there is None else there.source,
                "hides": "" if there is None else there.hides,
                "option": setting.option,
                "variable": setting.variable,
                "about": setting.about,
                "commands": takers[key],
            }
        )
    file = "" if found.file is None else str(found.file)
    return {"file": file, "settings": listed, "not_read": not_read(os.environ, OTHERS)}


def _takers() -> dict[str, list[str]]:
    """For each setting the commands in which it stands in for an option."""
    import typer.main

    from xent_conformance.commands.configured import takes
    from xent_conformance.configuration.settings import SETTINGS

    every: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    taken = {AS_TYPED if name == FIRST else name: set(takes(name, c).values()) for name, c in every.items()}
    return {key: sorted(name for name, keys in taken.items() if key in keys) for key in SETTINGS}


def _lines(found: Configuration, console: Console) -> None:
    """Two lines a setting: what it is and from where; how else it may be set, and who takes it."""
    from xent_conformance.reports.terminal.screen import say

    told = _told(found)
    for s in told["settings"]:
        value = ", ".join(s["value"]) if isinstance(s["value"], list) else s["value"]
        source = f" ({s['source']}{', before ' if s['hides'] else ''}{s['hides']})" if s["source"] else ""
        say(console, (s["key"], "bold"), f" = {value}" if source else " is not set", source)
        takers = ", ".join(s["commands"])
        say(console, f"    {s['about']}; {s['option']}, ${s['variable']}; taken by {takers}")
    say(console, f"pyproject.toml: {told['file'] or 'none from here upwards has [tool.conformance]'}")
    for name in told["not_read"]:
        say(console, ("not read", "bold"), f": ${name} is no setting")
