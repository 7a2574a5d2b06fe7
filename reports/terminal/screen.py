"""What a terminal may be given: foreign text is only text, and no table is wider or longer than it may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xent_conformance.reports.text.nearest import nearest
from xent_conformance.reports.text.wording import cut, harmless, plural

Part = str | tuple[str, str]
"""Text, or text and its style."""

ROWS = 60
"""Rows of a table; of more it says how many."""

LINE = 400
"""Characters of a line of a cell."""

_FRAME = 3
"""What a column takes beside its text: a bar and two spaces."""

NARROW = 80
"""On fewer columns a table whose cells would fold is a list: a name of eight folded lines is no name."""

_INDENT = 2
"""Spaces before what is told of a row in a list."""

_LEAST = 8
"""To so few characters a column of words is narrowed before one of names is."""


def say(console: Console, *parts: Part) -> None:
    """One line, however long. Nothing in it is markup."""
    console.print(_text(*parts), soft_wrap=True)


def prose(console: Console, *parts: Part) -> None:
    """A sentence: folded between words on a screen, one line in a pipe. Nothing in it is markup."""
    console.print(_text(*parts), soft_wrap=not console.is_terminal)


def table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    names: Sequence[str] = (),
    limit: int = ROWS,
    rest: str = "",
) -> None:
    """A table no wider than the console: long text folds. ``rest`` says where the rows after ``limit`` are.

    Columns named in ``right`` hold numbers. Those in ``names`` hold what one would copy: where one of them
    would fold, and on a narrow console, it is a list, a few lines a row.
    """
    every = list(rows)
    # as it will be printed: a sign that the stream has not may be wider in its place
    cells = [[printed(console, _lines(cell)) for cell in row] for row in every[:limit]]
    words = [column not in names for column in columns]
    whole = _widths(columns, cells)
    widths = _fitted(list(whole), words, _room(console, columns))
    folded = any(w < full for w, full, word in zip(widths, whole, words, strict=True) if not word)
    if folded or (console.width < NARROW and not fits(console, columns, cells)):
        if title:
            say(console, (title, "bold"))
        for row in cells:
            block(console, row[0], zip(columns[1:], row[1:], strict=True))
        left(console, len(every) - limit, "row", rest)
        return
    shown = Table(title=_text(title) if title else None, title_justify="left")
    for column, width in zip(columns, widths, strict=True):
        shown.add_column(
            _text(column), overflow="fold", justify="right" if column in right else "left", width=width
        )
    for row in cells:
        shown.add_row(*map(Text, row))
    console.print(shown)
    left(console, len(every) - limit, "row", rest)


def block(console: Console, head: str, told: Iterable[tuple[str, str]]) -> None:
    """A row as a list: its head, and below it what is told of it, ``name: text``; what is empty is left out.

    Folded between words, and never wider than the console.
    """
    console.print(_text((printed(console, head), "bold")), overflow="fold")
    for name, text in told:
        for line in text.split("\n") if text else ():
            words = printed(console, f"{name}: {line}" if name else line)
            for part in _text(words).wrap(console, max(console.width - _INDENT, 1), overflow="fold"):
                part.rstrip()
                console.print(Text(" " * _INDENT) + part, soft_wrap=True)


def printed(console: Console, text: str) -> str:
    """The text in the signs that the stream of the console has, to be laid out."""
    return nearest(text, console.encoding)


def fits(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
    """Whether the table has room without folding."""
    return sum(_widths(columns, [*rows])) <= _room(console, columns)


def left(console: Console, number: int, noun: str, rest: str) -> None:
    """How many more there are, and where; nothing where there are none."""
    if number > 0:
        say(console, f"… {plural(number, f'more {noun}')}" + (f": {rest}" if rest else ""))


def _room(console: Console, columns: Sequence[str]) -> int:
    return console.width - _FRAME * len(columns) - 1


def _widths(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """What each column would take."""
    every = [columns, *cells]
    return [max(cell_len(line) for row in every for line in row[i].split("\n")) for i in range(len(columns))]


def _fitted(widths: list[int], words: Sequence[bool], room: int) -> list[int]:
    """The widths, narrowed until they have room: the widest first, and columns of words before the others."""
    every = range(len(widths))
    for may_narrow, least in (([i for i in every if words[i]], _LEAST), (every, 1)):
        while sum(widths) > room and any(widths[i] > least for i in may_narrow):
            widest = max(may_narrow, key=lambda i: widths[i])
            widths[widest] -= 1
    return widths


def _lines(cell: str) -> str:
    """A cell, which may have lines of its own."""
    return "\n".join(cut(harmless(line), LINE) for line in cell.split("\n"))


def _text(*parts: Part) -> Text:
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((harmless(text), style) for text, style in pairs))
