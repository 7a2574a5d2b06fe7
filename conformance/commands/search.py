"""``conformance search``: the worst input of one implementation."""

from __future__ import annotations

from typing import Annotated

import typer

from xent_conformance.commands import named
from xent_conformance.commands.base import EVIDENCE, USAGE, Plugin, app, fail, plug_in
from xent_conformance.commands.files import screen
from xent_conformance.commands.where import Python, target_of, whose


@app.command()
def search(
    implementation: Annotated[str, typer.Option("--implementation", help="Its name, as `list` shows it.")],
    operator: Annotated[str | None, typer.Option("--operator", help="Where the name has several.")] = None,
    output: Annotated[str, typer.Option("--output")] = "value",
    dtype: Annotated[str, typer.Option("--dtype")] = "float32",
    mode: Annotated[str | None, typer.Option("--mode", help="Default: the framework's first.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=64, help="Elements of a row.")] = 4,
    budget: Annotated[
        float, typer.Option("--budget", metavar="SECONDS", min=0.0, callback=named.number)
    ] = 20.0,
    plugin: Plugin = None,
    python: Python = None,
) -> None:
    """Search for the worst input of one implementation; explores, never gates."""
    from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.names import UnknownName
    from xent_conformance.explain import search as searching
    from xent_conformance.explain.printing import show_found

    plug_in(plugin)
    try:
        interpreters = target_of(python, whose([implementation])).interpreters(FRAMEWORKS)
        target = searching.search_target(implementation, operator, output, dtype, mode, n, interpreters)
        found = searching.search(target, budget)
    except UnknownName as unknown:
        raise fail(str(unknown), USAGE) from None
    except (FrameworkAbsent, WorkerLost) as absent:
        raise fail(f"{absent}; add it with: {target.seat.framework.install}", EVIDENCE) from None
    except ImportError:
        raise fail("search needs Hypothesis; add it with: pip install hypothesis", USAGE) from None
    show_found(target, found, screen())
