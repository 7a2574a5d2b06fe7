"""What every page is made with: templates that escape all text, and how long names and code are written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import visible

_PARTS = re.compile(r".{11,}?[._:+/](?=.{4})|.+", re.DOTALL)
"""What stays together of a long dotted name: twelve characters or more, up to a separator."""


def _seen(value: Any) -> Any:
    """Foreign text so that all of it is seen; what is markup is ours."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def breakable(text: str) -> Markup:
    """``text``, escaped, with places where a long dotted name may break."""
    return Markup("<wbr>").join(_PARTS.findall(_seen(text)))


def coded(text: str) -> Markup:
    """``text``, escaped, with its `backticks` as code."""
    parts = [escape(part) for part in _seen(text).split("`")]
    if len(parts) % 2 == 0:
        return escape(_seen(text))
    return Markup("").join(
        Markup("<code>") + part + Markup("</code>") if i % 2 else part for i, part in enumerate(parts)
    )


@cache
def environment() -> Environment:
    """Templates of this package: text is escaped, and a name that nobody gives is an error."""
    made = Environment(
        loader=PackageLoader("xent_conformance.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.finalize = _seen
    made.filters |= {"breakable": breakable, "coded": coded}
    return made


MESSAGE_LIMIT = 600
"""Characters shown of a framework's own words."""

LIMIT = 1_500_000
"""Bytes. A larger page is slow to open, to search and to send."""


@dataclass(frozen=True)
class Budget:
    """How many entries of a list show all, first to last; ``over``: too large with none of them."""

    limit: int
    entries: int
    opened: int
    over: bool = False

    @property
    def cut(self) -> int:
        """Entries that keep their line and little more."""
        return self.entries - self.opened

    @property
    def limit_text(self) -> str:
        """``2 MB``."""
        return f"{self.limit / 1_000_000:g} MB"

    @property
    def opened_text(self) -> str:
        """How many show all, as people write it."""
        return count(self.opened)

    @property
    def cut_text(self) -> str:
        """How many do not."""
        return count(self.cut)


def fitted(page: Callable[[Budget], str], entries: int, limit: int) -> str:
    """The page with as many of its ``entries`` whole as its size allows: all of them, if it can be.

    A page that is too large with none of them whole is given too, and says that it is.
    """

    def opening(number: int) -> str:
        return page(Budget(limit, entries, number))

    whole = opening(entries)
    if _bytes(whole) <= limit:
        return whole
    fit = bisect_right(range(entries), limit, key=lambda number: _bytes(opening(number))) - 1
    return opening(fit) if fit >= 0 else page(Budget(limit, entries, opened=0, over=True))


def _bytes(page: str) -> int:
    return len(page.encode())
