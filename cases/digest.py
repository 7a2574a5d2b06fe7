"""The digest of a profile's corpus, remembered by what decides it: every run names it.

To make a corpus is seconds, and a run may ask one batch of it. What is remembered is never trusted and never
an error: it lies below the hash of the source and the versions that decide every bit, with a checksum, and is
made anew when anything about it does not fit.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from xent_conformance.cases.corpus import digest
from xent_conformance.reference.kept import kept_folder
from xent_conformance.reference.sources import hash_of, of_reference

HERE = Path(__file__).parent

DRAWN_WITH = ("numpy", "ml_dtypes", "python-flint")
"""Packages that a corpus is drawn, rounded and computed with."""


def digests_folder() -> Path:
    """Where digests are remembered between runs."""
    return kept_folder() / "corpus"


@functools.cache
def of_corpus() -> str:
    """What decides every bit of the corpus: this package with its data, the reference, who computes it."""
    who = [platform.python_version(), platform.machine(), sys.byteorder, *map(version, DRAWN_WITH)]
    source = hash_of(HERE, suffixes=(".py", ".md", ".json"))
    return hashlib.sha256(" ".join([source, of_reference(), *who]).encode()).hexdigest()[:16]


@functools.cache
def remembered_digest(profile: str) -> str:
    """:func:`xent_conformance.cases.corpus.digest`, which is made once for all processes."""
    entry = digests_folder() / of_corpus() / f"{profile}.digest"
    found = _read(entry)
    if found is None:
        found = digest(profile)
        with contextlib.suppress(OSError):  # it is made again by whoever needs it
            _write(entry, found)
    return found


def _read(entry: Path) -> str | None:
    try:
        found, checksum = entry.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return found if checksum == _checksum(entry, found) else None


def _write(entry: Path, found: str) -> None:
    """Whole or not at all."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=entry.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as f:
            f.write(f"{found} {_checksum(entry, found)}\n")
        Path(temporary).replace(entry)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _checksum(entry: Path, found: str) -> str:
    return hashlib.sha256(f"{entry.parent.name} {entry.name} {found}".encode()).hexdigest()
