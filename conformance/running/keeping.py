"""Nothing that is there is lost: what may be written over what, for all that writes a file.

A run file is replaced by a run of the same questions, and by none that has less than it: what is incomplete
is written beside what is complete. Pages, summaries and documents are functions of run files and can be made
again, so one that this suite wrote is replaced. All else stays, unless ``force`` is given. The sentences that
``--help`` has are in :mod:`xent_conformance.commands.base`.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from xent_conformance.reports.atomic import take_away_left
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.unusable import RunFileError

if TYPE_CHECKING:
    from xent_conformance.reports.run.file import Run

HEAD = 4096
"""Bytes of a text in which its mark is looked for."""

MARKS = (
    "<title>Conformance: ",
    "<title>Conformance over versions: ",
    "<title>Comparison: ",
    '<testsuites name="conformance"',
    "<!-- xent-conformance -->",
    "## ✅ gate ",
    "## ❌ gate ",
    "## ⚠️ gate ",
)
"""What a text of ours has near its beginning."""

KEYS = (
    {"status", "verdict", "headline", "reasons"},
    {"gate", "comparison", "versions"},
    {"old", "new", "environment", "pairs", "transitions"},
    {"framework", "versions", "lines", "lifetimes"},
    {"id", "hypothesis", "symptom", "frameworks"},
    {"file", "complete", "tested", "by_status"},
    {"schemaVersion", "label"},
)
"""What a document of ours has, or each entry of a list (docs/JSON.md)."""

LABEL = "conformance"
"""Of a badge."""


class Occupied(FileExistsError):
    """Something is there that is not to be written over; the message says what, and what to do."""


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """While it lasts no other run is to become ``out``: two would answer everything twice.

    What one that was killed has left half written is taken away. Raises :class:`Occupied`, which says who
    does it, on what machine and since when, and OSError where no lock can be had. The system lets go of the
    lock when its holder ends, however it ends.
    """
    path = out.with_name(f"{out.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = _holder(path)  # before: some versions of the lock empty its file where they do not get it
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise Occupied(
            f"{out} is being written by {holder}: wait until that has ended, or name another file"
        ) from None
    except NotImplementedError:
        raise OSError(f"{out}: its file system has no locks, so two runs could mix; name another") from None
    try:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        told = {"pid": os.getpid(), "host": platform.node(), "since": now}
        with contextlib.suppress(OSError):  # a system that lets nobody write what is locked
            path.write_text(json.dumps(told), encoding="utf-8")
        take_away_left(out)
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # while it is ours: who has opened it meanwhile finds it gone, and opens anew
        lock.release()


def _holder(lock: Path) -> str:
    """Who writes a run, as the file of its lock says."""
    try:
        told = json.loads(lock.read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']} since {told['since']}"
    except (OSError, ValueError, TypeError, KeyError):
        return "another process, which does not say which"


def check_run(out: Path, selection: Mapping[str, Any]) -> None:
    """Raise :class:`Occupied` unless ``out`` is free, or a run file that asked what ``selection`` asks."""
    if not out.exists():
        return
    from xent_conformance.reports.run.file import read_run  # who finds nothing there does not load it

    try:
        there = read_run(out, part=True)
    except RunFileError:
        raise _occupied(out, "is no run file that this version reads") from None
    before, now = (_asked(s) for s in (there.header["selection"], selection))
    if before != now:
        raise _occupied(out, f"asked something else ({' '.join(before)})")


def place_of(out: Path, run: Run, *, force: bool = False) -> Path:
    """Where ``run`` is written that was to be ``out``: beside it, where it would replace more than it is.

    Asked again after it was written, it says the same.
    """
    if force or not out.exists() or run.complete:
        return out
    from xent_conformance.reports.run.file import read_run  # who finds nothing there does not load it

    try:
        there = read_run(out, part=True)
    except RunFileError:  # it was none when the run began, or it was broken since: as if nothing were there
        return out
    if there.complete or (run.verdicts.is_empty() and not there.verdicts.is_empty()):
        return out.with_name(f"{out.stem}.incomplete{out.suffix}")
    return out


def check_text(path: Path) -> None:
    """Raise :class:`Occupied` unless ``path`` is free, empty, or a page or document that this suite wrote."""
    if path.is_file() and not _ours(path):
        kept = "is a table, as run files are" if _table(path) else "was not written by this suite"
        raise _occupied(path, kept)


def check_free(path: Path) -> None:
    """Raise :class:`Occupied` unless ``path`` is free: for what cannot be made again, or is edited."""
    if path.exists():
        raise _occupied(path, "is there already")


def _occupied(path: Path, why: str) -> Occupied:
    return Occupied(f"{path} {why}, and stays as it is: name another file, or add --force to write over it")


def _asked(selection: Mapping[str, Any]) -> list[str]:
    """A selection as it is typed: keys of later versions that ask nothing more make no difference."""
    return commands.selected(json.loads(json.dumps(dict(selection))))


def _ours(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    head = text[:HEAD]
    return not text.strip() or any(mark in head for mark in MARKS) or _our_document(text)


def _table(path: Path) -> bool:
    """Whether it is one, as a run file is: nothing makes the same answers again."""
    from xent_conformance.reports.run.pages import MAGIC

    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:  # nobody may read it
        return False


def _our_document(text: str) -> bool:
    try:
        told = json.loads(text)
    except ValueError:
        return False
    entries = told if isinstance(told, list) else [told]
    return all(isinstance(entry, dict) and _our_entry(entry) for entry in entries)


def _our_entry(entry: Mapping[str, Any]) -> bool:
    """A badge has the keys of anybody's, and our label."""
    return any(keys <= set(entry) for keys in KEYS) and entry.get("label", LABEL) == LABEL
