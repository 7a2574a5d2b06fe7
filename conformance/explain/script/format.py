"""Lines of a script that a person reads: none too long, broken where a formatter breaks them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

WIDTH = 88
"""Of a line, as most projects have it."""

_OPENING, _CLOSING = "([{", ")]}"


def wrapped(text: str) -> str:
    """The lines of ``text``, the long ones broken at their brackets."""
    return "\n".join(piece for line in text.split("\n") for piece in _wrapped(line))


def comment(label: str, text: str) -> str:
    """``text`` as a comment that a label begins; what does not fit stands below it."""
    return textwrap.fill(
        text, WIDTH, initial_indent=f"# {label:<8}", subsequent_indent=f"#{' ' * 9}", break_long_words=False
    )


def block(lines: Iterable[str]) -> list[str]:
    """Lines one level further in."""
    return [f"    {piece}" if piece else "" for line in lines for piece in line.split("\n")]


def _wrapped(line: str) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip())]
    place = _bracket(line) if len(line) > WIDTH and "#" not in line and '"""' not in line else None
    if place is None:
        yield line
        return
    start, end = place
    inner = line[start + 1 : end]
    yield line[: start + 1]
    parts = _parts(inner)
    if len(indent) + 4 + len(inner) <= WIDTH:
        yield f"{indent}    {inner}"
    else:
        for part in parts:
            comma = "," if len(parts) > 1 else ""
            yield from _wrapped(f"{indent}    {part}{comma}")
    yield from _wrapped(f"{indent}{line[end:]}")


def _bracket(line: str) -> tuple[int, int] | None:
    """The outermost pair of brackets that holds most, strings passed over."""
    depth, start, string = 0, 0, False
    found: tuple[int, int] | None = None
    for i, letter in enumerate(line):
        if letter == '"':
            string = not string
        elif string:
            continue
        elif letter in _OPENING:
            start, depth = (i if depth == 0 else start), depth + 1
        elif letter in _CLOSING:
            depth -= 1
            if depth == 0 and i - start > (1 if found is None else found[1] - found[0]):
                found = (start, i)
    return found


def _parts(inner: str) -> list[str]:
    """The text between commas that no bracket holds."""
    parts, depth, string, start = [], 0, False, 0
    for i, letter in enumerate(inner):
        if letter == '"':
            string = not string
        elif not string:
            depth += (letter in _OPENING) - (letter in _CLOSING)
            if letter == "," and depth == 0:
                parts.append(inner[start:i].strip())
                start = i + 1
    return [*parts, inner[start:].strip()]
