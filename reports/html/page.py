"""What every page is made with: templates that escape all text, and how long names and code are written."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_PARTS = re.compile(r".{11,}?[._:+/](?=.{4})|.+", re.DOTALL)
"""What stays together of a long dotted name: twelve characters or more, up to a separator."""


def breakable(text: str) -> Markup:
    """``text``, escaped, with places where a long dotted name may break."""
    return Markup("<wbr>").join(_PARTS.findall(text))


def coded(text: str) -> Markup:
    """``text``, escaped, with its `backticks` as code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
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
    made.filters |= {"breakable": breakable, "coded": coded}
    return made
