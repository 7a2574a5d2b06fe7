"""Hashes of the source that decides something: what was made by other source is not to be trusted.

Whole folders count, so that a file that is added counts too. A change of a comment is a change: what is
made anew for nothing costs seconds, and what is not made anew is wrong.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

HERE = Path(__file__).parent

COMPUTING = ("numpy", "ml_dtypes", "python-flint")
"""Packages of this process whose arithmetic is in every case, every truth and every verdict."""


def hash_of(
    folder: Path,
    parts: Iterable[str] = (".",),
    *,
    but: Iterable[str] = (),
    suffixes: Collection[str] = (".py", ".md"),
) -> str:
    """Hash of the names and bytes of all files below ``parts`` of ``folder`` that end so.

    Those below ``but`` are left out. Raises ValueError for a part without files: a hash of nothing would
    never change.
    """
    left_out = [folder / name for name in but]
    h = hashlib.sha256()
    for part in parts:
        files = [
            file
            for file in sorted((folder / part).rglob("*"))
            if file.suffix in suffixes and not any(file.is_relative_to(gone) for gone in left_out)
        ]
        if not files:
            raise ValueError(f"{folder / part} has no source: its hash would say nothing")
        for file in files:
            body = file.read_bytes()
            h.update(f"{file.relative_to(folder).as_posix()} {len(body)}\n".encode() + body)
    return h.hexdigest()[:16]


@functools.cache
def of_truths() -> str:
    """What decides a certified value: all of this package but the bounds, which are never stored."""
    return hash_of(HERE, but=("bounds",))


@functools.cache
def of_reference() -> str:
    """What decides what is right and how far is right: all of this package, SPEC.md too."""
    return hash_of(HERE)
