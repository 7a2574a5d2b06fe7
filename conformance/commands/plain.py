"""Whatever is printed can be printed: a stream that has no sign for something gets its nearest ASCII.

A CI log under ``LC_ALL=C``, a console of Windows, ``PYTHONIOENCODING=ascii``: a result must not end in a
traceback because of an ellipsis.
"""

from __future__ import annotations

import codecs
import io

import rich.markup

NAME = "conformance.nearest"
"""What the handler of errors is called in a stream."""


def _nearest(error: UnicodeError) -> tuple[str, int]:
    from xent_conformance.reports.text.nearest import handled  # where a sign is lacking, and not before

    return handled(error)


def escape(text: str) -> str:
    """Foreign text as text, for a console: nothing in it is markup, moves a cursor, or is hidden."""
    from xent_conformance.reports.text.wording import harmless

    return rich.markup.escape("\n".join(map(harmless, text.split("\n"))))


def make_plain(*streams: object) -> None:
    """From now on these streams take any text."""
    codecs.register_error(NAME, _nearest)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=NAME)
