"""Text for a stream that has not all signs: each that is lacking becomes its nearest ASCII.

Whoever lays text out in columns does so with what will be printed: ``Σ`` is one sign wide, ``sum`` is three.
"""

from __future__ import annotations

import codecs
import unicodedata

NEAREST = {
    "·": "-", "×": "x", "…": "...", "→": "->", "←": "<-", "−": "-", "–": "-", "—": "-", "±": "+-",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∞": "inf", "µ": "u", "μ": "u", "Σ": "sum", "Π": "prod",
    "σ": "sigma", "ℓ": "l", "√": "sqrt", "∂": "d", "∈": "in", "∇": "grad ", "⁻": "^-",
    "“": '"', "”": '"', "‘": "'", "’": "'", "✅": "ok", "❌": "x",
}  # fmt: skip
"""Signs that are printed, where taking the marks off is not enough."""


def nearest(text: str, encoding: str) -> str:
    """The text as a stream of that encoding prints it."""
    return text if text.isascii() else text.encode(encoding, _NAME).decode(encoding)


def handled(error: UnicodeError) -> tuple[str, int]:
    """What stands for signs that an encoding has not: a handler of its errors."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_ascii, error.object[error.start : error.end])), error.end


def _ascii(sign: str) -> str:
    bare = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode("ascii")
    return NEAREST.get(sign) or bare or sign.encode("ascii", "backslashreplace").decode("ascii")


_NAME = "xent-conformance.nearest"
codecs.register_error(_NAME, handled)
