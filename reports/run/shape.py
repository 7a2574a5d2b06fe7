"""What a document of JSON has to be like, as a check that is made of checks: one sentence for each fault."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
"""``check(value, place)`` raises :class:`Misshapen` for what is not so; ``place``: ``planned.torch``."""

LONGEST = 1 << 16
"""Characters of a text."""

MOST = 1 << 20
"""Entries of a list or table."""


class Misshapen(ValueError):
    """A document, or a part of it, is not what it is to be; the message says where and what."""


def _wrong(value: Any, place: str, wanted: str) -> Misshapen:
    told = value if isinstance(value, str) else json.dumps(value, default=str)
    return Misshapen(f"{place} is {told[:60]!r}, where {wanted} is to be")


def parsed(written: str) -> dict[str, Any]:
    """A table of JSON, whatever it holds. Raises ValueError for what is none, or is nested without end."""
    try:
        found = json.loads(written)
    except RecursionError:
        raise Misshapen("it is nested too deep") from None
    _is_table(found, "")
    return dict(found)


def anything(value: Any, place: str) -> None:
    """Whatever it is."""


def text(value: Any, place: str) -> None:
    """Text, and not endless."""
    if not isinstance(value, str):
        raise _wrong(value, place, "text")
    if len(value) > LONGEST:
        raise Misshapen(f"{place} has {len(value):,} characters, more than {LONGEST:,}")


def like(pattern: str, wanted: str) -> Check:
    """Text of a form; ``wanted`` says which."""
    form = re.compile(pattern)

    def check(value: Any, place: str) -> None:
        text(value, place)
        if not form.fullmatch(value):
            raise _wrong(value, place, wanted)

    return check


def number(value: Any, place: str) -> None:
    """A number, also one that is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, place, "a number")


def seconds(value: Any, place: str) -> None:
    """A time that something took."""
    number(value, place)
    if not (math.isfinite(value) and value >= 0):
        raise _wrong(value, place, "a number of seconds")


def count(value: Any, place: str) -> None:
    """A whole number that counts."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise _wrong(value, place, "a whole number")


def either(*checks: Check) -> Check:
    """As one of them."""

    def check(value: Any, place: str) -> None:
        for i, each in enumerate(checks):
            try:
                each(value, place)
                return
            except Misshapen:
                if i == len(checks) - 1:
                    raise

    return check


def both(*checks: Check) -> Check:
    """As all of them."""

    def check(value: Any, place: str) -> None:
        for each in checks:
            each(value, place)

    return check


def every(entry: Check) -> Check:
    """A list."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, list | tuple) or len(value) > MOST:
            raise _wrong(value, place, "a list")
        for i, one in enumerate(value):
            entry(one, f"{place}[{i}]")

    return check


def pair(value: Any, place: str) -> None:
    """Two texts."""
    every(text)(value, place)
    if len(value) != 2:
        raise _wrong(value, place, "a pair")


def table(entry: Check) -> Check:
    """A table of whatever names."""

    def check(value: Any, place: str) -> None:
        _is_table(value, place)
        for name, one in value.items():
            text(name, f"a name in {place}")
            entry(one, f"{place}.{name[:60]}")

    return check


def record(wanted: Mapping[str, Check], also: Mapping[str, Check] | None = None) -> Check:
    """A table of these names; those of ``also`` may be left out. Others are nobody's business."""

    def check(value: Any, place: str) -> None:
        _is_table(value, place)
        within = f"{place}." if place else ""
        for name, one in wanted.items():
            if name not in value:
                raise Misshapen(f"{within}{name} is missing")
            one(value[name], within + name)
        for name, one in (also or {}).items():
            if name in value:
                one(value[name], within + name)

    return check


def _is_table(value: Any, place: str) -> None:
    if not isinstance(value, Mapping) or len(value) > MOST:
        raise _wrong(value, place or "it", "a table")
