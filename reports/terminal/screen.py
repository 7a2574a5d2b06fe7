"""What a terminal may be given: foreign text is only text, and no table is wider or longer than it may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xent_conformance.reports.text.wording import cut, harmless, plural

Part = str | tuple[str, str]
"""Text, or text and its style."""

ROWS = 60
"""Rows of a table; of more it says how many."""

CELL = 300
"""Characters of a cell."""


def say(console: Console, *parts: Part) -> None:
    """One line, however long. Nothing in it is markup."""
    console.print(_text(*parts), soft_wrap=True)


def table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    limit: int = ROWS,
    rest: str = "",
) -> None:
    """A table no wider than the console: long names fold. Of more than ``limit`` rows ``rest`` says where.

    The columns named in ``right`` hold numbers.
    """
    every = list(rows)
    shown = Table(title=_text(title) if title else None, title_justify="left")
    for column in columns:
        shown.add_column(_text(column), overflow="fold", justify="right" if column in right else "left")
    for row in every[:limit]:
        shown.add_row(*(_text(cut(cell, CELL)) for cell in row))
    console.print(shown)
    left(console, len(every) - limit, "row", rest)


def left(console: Console, number: int, noun: str, rest: str) -> None:
    """How many more there are, and where; nothing where there are none."""
    if number > 0:
        say(console, f"… {plural(number, f'more {noun}')}" + (f": {rest}" if rest else ""))


def _text(*parts: Part) -> Text:
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((harmless(text), style) for text, style in pairs))
