"""The words, glyphs and names that every part of the page shares. A glyph never stands without its word."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.words import NAIVE, Row, Status


@dataclass(frozen=True)
class Mark:
    """A glyph, its word, and the style class that gives colour and pattern."""

    glyph: str
    word: str
    css: str


STATUS: Mapping[str, Mark] = {
    Status.CONFORMS: Mark("●", Status.CONFORMS.word, "k"),
    Status.BREAKS_MUST: Mark("✕", Status.BREAKS_MUST.word, "m"),
    Status.BREAKS_SHOULD: Mark("▲", Status.BREAKS_SHOULD.word, "s"),
    Status.OPEN: Mark("○", Status.OPEN.word, "o"),
    Status.UNSUPPORTED: Mark("–", Status.UNSUPPORTED.word, "u"),
    Status.UNDECIDED: Mark("◆", Status.UNDECIDED.word, "x"),
}
"""Every status a verdict can have, in the order of the counters."""

LEVEL = {"must": Mark("✕", "must", "m"), "should": Mark("▲", "should", "s"), "open": Mark("○", "open", "o")}


def anchor(kind: str, *parts: str) -> str:
    """An id that is the same in every run for the same thing, whatever characters its name has."""
    digest = hashlib.blake2b(chr(0).join(parts).encode(), digest_size=5).digest()
    return f"{kind}-{base64.b32encode(digest).decode().lower()}"


def clause_anchor(number: str) -> str:
    """Where the page has a clause."""
    return anchor("s", number)


_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def cause_id(name: str) -> str:
    """Where the page has a cause: its lasting name, so that a link can be read; a foreign name is hashed."""
    return f"cause-{name}" if _PLAIN.fullmatch(name) else anchor("x", name)


def case_id(case: str) -> str:
    """Where the page has a case, if it shows that."""
    return anchor("c", case)


def of_called(findings: pl.DataFrame) -> pl.DataFrame:
    """The findings that open, in the order of the frame: those of implementations that users call."""
    return findings.filter(pl.col("formulation") != NAIVE)


def control_id(row: Row) -> str:
    """Where the page has the lines of a naive control."""
    keys = ("operator", "framework", "version", "implementation", "machine")
    return anchor("n", *(row[k] for k in keys))
