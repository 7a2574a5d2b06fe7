"""Files of TOML that people write: read whole, or refused with the reason, whatever they hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

MOST = 1 << 22
"""Bytes. A thousand waivers have a tenth of it."""


_DEEP = re.compile(r"""(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""")
"""A dotted name without end: a parser takes the square of its length over it."""


class Unreadable(Exception):
    """The file cannot be had; the message says why, without its name."""


class NoToml(Exception):
    """The text is no TOML; the message says where."""


def text_of(path: Path) -> str:
    """What the file says. Raises :class:`Unreadable`."""
    try:
        if path.exists() and not path.is_file():
            raise Unreadable("it is no file")
        if (size := path.stat().st_size) > MOST:
            raise Unreadable(f"it has {size:,} bytes, and may have {MOST:,}")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None


def parsed(text: str) -> dict[str, Any]:
    """The document. Raises :class:`NoToml`."""
    if _DEEP.search(text):
        raise NoToml("a key of it has more than 32 parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NoToml(str(error)) from None
    except RecursionError:
        raise NoToml("it is nested too deep") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise NoToml(str(error)) from None
