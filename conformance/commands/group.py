"""The command line's first word: a command, or else what the first answer is about.

``conformance torch jax`` and ``conformance --profile standard`` name no command: they are ``first``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import typer
import typer.core

from xent_conformance.commands import started

FIRST = "first"
"""The command of a line that names none."""


class _Started(typer.Context):
    """Of the whole line: usage and where help is are told by the name that the process was started by."""

    @property
    def command_path(self) -> str:
        """The program, as a shell takes it."""
        return started.program()


class _Nameless(typer.Context):
    """Of a line that names no command: where help is, is told as such a line is typed."""

    framework = "torch"

    @property
    def command_path(self) -> str:
        """The program and a framework: with ``-h`` behind it, what tells the options of such a line."""
        return f"{started.program()} {self.framework}"


class First(typer.core.TyperCommand):
    """The command of a line that names none."""

    context_class = _Nameless

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The line, of which the first framework is noted."""
        if args and not args[0].startswith("-"):
            ctx.framework = args[0]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Of any framework, as such a line is typed."""
        formatter.write_usage(started.program(), " ".join(self.collect_usage_pieces(ctx)))


class Group(typer.core.TyperGroup):
    """All commands; a line whose first word is none of them is one of :data:`FIRST`."""

    context_class = _Started

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The line as it is meant, for the commands to parse."""
        with _in_a_line():  # help is written while the line is read
            return super().parse_args(ctx, self._meant(ctx, args))

    def _meant(self, ctx: Any, args: list[str]) -> list[str]:
        own = {name: p for p in self.get_params(ctx) for name in (*p.opts, *p.secondary_opts)}
        at, answered = 0, False
        while at < len(args) and (name := args[at].partition("=")[0]) in own:
            option: Any = own[name]
            answered = answered or option.is_eager  # --help and --version are an answer of their own
            at += 1 if option.is_flag or "=" in args[at] else 2
        rest = args[at:]
        if answered or (rest and rest[0] in self.commands) or (not rest and ctx.resilient_parsing):
            return args
        return [*args[:at], FIRST, *rest]

    def invoke(self, ctx: Any) -> Any:
        """The command."""
        with _in_a_line():
            return super().invoke(ctx)


@contextlib.contextmanager
def _in_a_line() -> Iterator[None]:
    """What the system refuses, a full disk or a folder of another's, is told in a line.

    So is Ctrl-C where a command has no more to say of it.
    """
    try:
        yield
    except KeyboardInterrupt:
        from xent_conformance.commands.base import INTERRUPTED, fail

        raise fail("interrupted", INTERRUPTED) from None
    except OSError as error:
        from xent_conformance.commands.base import EVIDENCE, fail, refused

        raise fail(refused(error), EVIDENCE) from None
