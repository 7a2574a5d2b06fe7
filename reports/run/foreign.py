"""What a file is that does not read as a run file, told by its beginning and end, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from xent_conformance.reports.run.pages import MAGIC

BEGINNING = 4096
"""Bytes that are looked at."""

_LEAST = 2 * len(MAGIC) + 4
"""Bytes of a whole Parquet file at least: it begins and ends alike, and says how long its contents are."""


class _Kind(NamedTuple):
    """How a file may begin, in small letters; what it is then, and what to give in its place."""

    begins: Sequence[bytes]
    what: str
    instead: str


_TABLE = re.compile(rb"\[\[?[ \t]*(?!(true|false|null)\b)[a-z_][\w.-]*[ \t]*\]")
"""How a document of TOML begins, where it begins with a table: a list of JSON has no bare words."""

_MADE_FROM = "give the run file that it was made from"
_IN_IT = "unpack it, and give the run file that is in it"

_KINDS = (
    _Kind((b"<!doctype html", b"<html"), "an HTML page", _MADE_FROM),
    _Kind((b"<?xml", b"<testsuite"), "an XML document", _MADE_FROM),
    _Kind((b"[[waiver]]",), "a file of waivers", "give it with --waivers, and a run file here"),
    _Kind((b"{", b"["), "a JSON document", _MADE_FROM),
    _Kind((b"pk\x03\x04",), "a ZIP archive", _IN_IT),
    _Kind((b"\x1f\x8b",), "a gzip archive", _IN_IT),
    _Kind((b"version https://git-lfs",), "a pointer of Git LFS", "fetch the file itself (`git lfs pull`)"),
)


def unread(path: Path, reason: Exception) -> str:
    """Why a file, which reading ended with ``reason``, is no run file, and what to do."""
    try:
        with path.open("rb") as file:
            start = file.read(BEGINNING)
            file.seek(max(path.stat().st_size - len(MAGIC), 0))
            end = file.read()
    except OSError as error:
        return f"cannot be read: {error.strerror}; name a run file that can be"
    if not MAGIC.startswith(start[: len(MAGIC)]):
        return _foreign(path, start)
    if end == MAGIC and path.stat().st_size >= _LEAST:
        return f"damaged, or not a run file ({reason}); copy it again, or run again"
    return f"torn ({reason}); run again, or use --resume if it was interrupted"


def _foreign(path: Path, start: bytes) -> str:
    """What it is that does not begin as Parquet does."""
    what, instead = _told(start)
    beside = path.with_suffix(".parquet")
    if instead == _MADE_FROM and beside != path and beside.is_file():
        instead = f"{instead}, which may be {beside}"
    return f"{what}; {instead}"


def _told(start: bytes) -> tuple[str, str]:
    told = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if told.startswith(b"[[waiver") or b"\n[[waiver]]" in told:  # cut or misspelt, or below a comment
        told = b"[[waiver]]"
    elif _TABLE.match(told):
        return "a TOML document, and no run file", "give waivers with --waivers, and a run file here"
    for kind in _KINDS:
        if told.startswith(tuple(kind.begins)):
            return f"{kind.what}, and no run file", kind.instead
    instead = "give one that `conformance run -o FILE.parquet` has written"
    if _is_text(start):
        return "a text, and no run file", instead
    return f"no Parquet file (it begins with {start[:4].hex(' ')})", instead


def _is_text(start: bytes) -> bool:
    """Whether it is UTF-8 that is printed; the last letter may be cut."""
    text = start.decode("utf-8", "ignore")
    return len(text.encode()) > len(start) - 4 and all(c.isprintable() or c.isspace() for c in text)
