"""The digest of a profile's corpus, remembered by what decides it: every run names it.

To make a corpus is seconds, and a run may ask one batch of it. What is remembered is never trusted and never
an error: it lies below the hash of the source and the versions that decide every bit, with a checksum, and is
made anew when anything about it does not fit.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from xent_conformance.cases.corpus import digest
from xent_conformance.reference.kept import keep, kept, kept_folder
from xent_conformance.reference.sources import COMPUTING, hash_of, of_reference

HERE = Path(__file__).parent


def digests_folder() -> Path:
    """Where digests are remembered between runs."""
    return kept_folder() / "corpus"


@functools.cache
def of_cases() -> str:
    """Hash of this package with its data: what is asked, and of whom, in which profile."""
    return hash_of(HERE, suffixes=(".py", ".md", ".json"))


@functools.cache
def of_corpus() -> str:
    """What decides every bit of the corpus: this package with its data, the reference, who computes it."""
    who = [platform.python_version(), platform.machine(), sys.byteorder, *map(version, COMPUTING)]
    return hashlib.sha256(" ".join([of_cases(), of_reference(), *who]).encode()).hexdigest()[:16]


def batches_entry(profile: str) -> Path:
    """Where the batches of a profile are remembered (:mod:`.remembered`)."""
    return digests_folder() / of_corpus() / f"{profile}.batches"


@functools.cache
def remembered_digest(profile: str) -> str:
    """:func:`xent_conformance.cases.corpus.digest`, which is made once for all processes."""
    entry = digests_folder() / of_corpus() / f"{profile}.digest"
    remembered = kept(entry)
    if remembered is not None:
        return remembered.decode("ascii")
    found = digest(profile)
    with contextlib.suppress(OSError):  # it is made again by whoever needs it
        keep(entry, found.encode("ascii"))
    return found
