"""Whatever is printed can be printed: a stream that has no sign for something gets its nearest ASCII.

A CI log under ``LC_ALL=C``, a console of Windows, ``PYTHONIOENCODING=ascii``: a result must not end in a
traceback because of an ellipsis.
"""

from __future__ import annotations

import codecs
import io
import unicodedata

import rich.markup

NAME = "conformance.nearest"

NEAREST = {
    "·": "-", "×": "x", "…": "...", "→": "->", "←": "<-", "−": "-", "–": "-", "—": "-", "±": "+-",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∞": "inf", "µ": "u", "μ": "u", "Σ": "sum", "Π": "prod",
    "σ": "sigma", "ℓ": "l", "√": "sqrt", "∂": "d", "∈": "in", "∇": "grad ", "⁻": "^-",
    "“": '"', "”": '"', "‘": "'", "’": "'", "✅": "ok", "❌": "x",
}  # fmt: skip
"""Signs that are printed, where taking the marks off is not enough."""


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_ascii, error.object[error.start : error.end])), error.end


def _ascii(sign: str) -> str:
    bare = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode("ascii")
    return NEAREST.get(sign) or bare or sign.encode("ascii", "backslashreplace").decode("ascii")


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
