"""What the suite keeps between runs, how large it is, and taking it away.

Only what bears our own mark is ours: a folder or file that another has put there, and whatever a link leads
to, is left and told. What another process makes or uses is left as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from xent_conformance.asking import lending
from xent_conformance.asking.process import compiled_folder
from xent_conformance.cases.digest import digests_folder, of_corpus
from xent_conformance.diagnosis.where import of_hypotheses, sayings_folder
from xent_conformance.judging.remembered import of_yardsticks, yardsticks_folder
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.sources import of_truths
from xent_conformance.reports.text.wording import plural
from xent_conformance.versions.environments import RECORD, default_folder
from xent_conformance.worker import compiled

_TRUTH = re.compile(r"[0-9a-f]+\.truth|tmp\w+")
"""An entry, or a torn one, which has the name that mkstemp gave it."""

_CORPUS = re.compile(r"\w+\.(digest|batches)|tmp\w+")

_YARDSTICKS = re.compile(r"\w+\.yardsticks|tmp\w+")

_SAYINGS = re.compile(r"[0-9a-f]+\.sayings|tmp\w+")

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True)
class Entry:
    """One thing that is kept: ``about`` says what; ``used`` is when it was last (seconds since the epoch)."""

    path: Path
    about: str
    used: float
    size: int
    """Bytes on disk, links not followed."""


@dataclass(frozen=True)
class Kind:
    """A folder of ours, and what of it is ours."""

    name: str
    about: str
    folder: Path
    entries: Callable[[Path], Iterator[Entry]]
    locked: bool = False
    """Whether an entry has a lock beside it that whoever makes it holds."""

    def found(self) -> list[Entry]:
        """What is there, the oldest first."""
        there = self.entries(self.folder) if self.folder.is_dir() and not self.folder.is_symlink() else ()
        return sorted(there, key=lambda e: (e.used, e.path.name))

    def foreign(self) -> list[Path]:
        """What lies there and is not ours."""
        if not self.folder.is_dir() or self.folder.is_symlink():
            return []
        ours = {e.path for e in self.found()}
        locks = {path.with_name(f"{path.name}.lock") for path in ours}
        return sorted(p for p in self.folder.iterdir() if p not in ours | locks and not _is_lock(p))


def _is_lock(path: Path) -> bool:
    return re.fullmatch(r"[0-9a-f]{24}\.lock", path.name) is not None


def kinds() -> Mapping[str, Kind]:
    """Every kind, by name."""
    return {
        kind.name: kind
        for kind in (
            Kind("reference", "certified truths: made again in a run", default_cache(), _truths),
            Kind("corpus", "the corpus and its digests: made again in a run", digests_folder(), _corpus),
            Kind(
                "yardsticks",
                "what outputs are measured with: made again in a run",
                yardsticks_folder(),
                _yardsticks,
            ),
            Kind(
                "diagnosis",
                "what hypotheses said of answers: said again in a run",
                sayings_folder(),
                _sayings,
            ),
            Kind(
                "environments",
                "versions of frameworks for upgrade and matrix: made again when they are asked for",
                default_folder(),
                _environments,
                locked=True,
            ),
            Kind(
                "lent",
                "what workers in other environments import: made again when one lacks it",
                lending.default_folder(),
                _lent,
            ),
            Kind(
                "bytecode",
                "compiled modules of other environments: made again when they are imported",
                lending.bytecode_folder(),
                _bytecode,
            ),
            Kind(
                "compiled",
                "what frameworks have compiled: compiled again when it is asked for",
                compiled_folder(),
                _compiled,
            ),
        )
    }


def _by_source(
    ours: re.Pattern[str], now: Callable[[], str], of: str, counted: Callable[[list[Path]], str]
) -> Callable[[Path], Iterator[Entry]]:
    """One for each state of the source that decides them; those of another than ``now`` are read no more."""

    def entries(folder: Path) -> Iterator[Entry]:
        for path, files, used in _states(folder, ours):
            which = f"of this version of the {of}" if path.name == now() else "of another version"
            yield Entry(path, f"{counted(files)}, {which}", used, _size(path))

    return entries


def _profiles(files: list[Path]) -> str:
    return plural(len({f.stem for f in files}), "profile")


_truths = _by_source(_TRUTH, of_truths, "reference", lambda files: f"{len(files):,} batches")
_corpus = _by_source(_CORPUS, of_corpus, "corpus", _profiles)
_yardsticks = _by_source(_YARDSTICKS, of_yardsticks, "judge", _profiles)
_sayings = _by_source(_SAYINGS, of_hypotheses, "suite", lambda files: f"{plural(len(files), 'kind')} of runs")


def _states(folder: Path, ours: re.Pattern[str]) -> Iterator[tuple[Path, list[Path], float]]:
    """The folders that are named by a hash of source, with their files and when one was last written."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir() or not re.fullmatch("[0-9a-f]{16}", path.name):
            continue
        files = list(path.iterdir())
        if any(f.is_symlink() or not f.is_file() or not ours.fullmatch(f.name) for f in files):
            continue
        yield path, files, max(f.stat().st_mtime for f in [path, *files])


def _environments(folder: Path) -> Iterator[Entry]:
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir() or not re.fullmatch("[0-9a-f]{24}", path.name):
            continue
        try:
            record = json.loads((path / RECORD).read_text(encoding="utf-8"))
            about = ", ".join(map(str, record["requirements"]))
            used = (path / RECORD).stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            if not (path / "pyvenv.cfg").is_file():
                continue  # nothing of it says that it is ours
            about, used = "never finished", path.stat().st_mtime
        yield Entry(path, about, used, _size(path))


def _lent(folder: Path) -> Iterator[Entry]:
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            continue
        if re.fullmatch(r"\w+-([\w.]+-)?[0-9a-f]{16}|making-\w+", path.name):
            yield Entry(path, path.name.rpartition("-")[0], path.stat().st_mtime, _size(path))


def _bytecode(folder: Path) -> Iterator[Entry]:
    """Each tree that has bytecode and nothing else."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            continue
        files = [Path(top, name) for top, _, names in os.walk(path) for name in names]
        if all(f.suffix == ".pyc" or ".pyc." in f.name for f in files):
            used = max((f.stat().st_mtime for f in files), default=path.stat().st_mtime)
            yield Entry(path, f"{len(files):,} modules below /{path.name}", used, _size(path))


def _compiled(folder: Path) -> Iterator[Entry]:
    """One for each framework with its version, settings and machine."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir() or not re.fullmatch(r"[\w.+-]+-[0-9a-f]{16}", path.name):
            continue
        record = path / compiled.RECORD
        try:
            told = json.loads(record.read_text(encoding="utf-8"))
            about = f"{told['framework']} {told['version']}, {len(list(path.iterdir())):,} files or folders"
            used = record.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield Entry(path, about, used, _size(path))


def _size(path: Path) -> int:
    """Bytes that it takes on disk; a file that several names have counts once."""
    seen: dict[tuple[int, int], int] = {}
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):  # gone since it was listed
                s = Path(folder, name).lstat()
                seen[s.st_dev, s.st_ino] = getattr(s, "st_blocks", 0) * 512 or s.st_size
    return sum(seen.values())


# --- taking away ---


@dataclass(frozen=True)
class Cleaned:
    """What was taken away, and what was left with the reason."""

    gone: tuple[Entry, ...]
    left: tuple[tuple[Entry, str], ...]

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(e.size for e in self.gone)


def clean(kind: Kind, *, older_than: float | None = None, now: float | None = None) -> Cleaned:
    """Take away what is ours, or of that what was not used for so many days."""
    today = time.time() if now is None else now
    gone: list[Entry] = []
    left: list[tuple[Entry, str]] = []
    for entry in kind.found():
        if older_than is not None and today - entry.used < older_than * DAY:
            continue
        why = _taken_away(kind, entry)
        if why:
            left.append((entry, why))
        else:
            gone.append(entry)
    return Cleaned(tuple(gone), tuple(left))


def _taken_away(kind: Kind, entry: Entry) -> str:
    """Why it could not be taken away; empty where it was."""
    if user := _user(entry.path):
        return f"process {user} uses it"
    if not kind.locked:
        return _removed(entry)
    lock = FileLock(entry.path.with_name(f"{entry.path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return "another process is making it"
    except OSError as error:
        return f"its lock cannot be taken: {error.strerror}"
    try:
        return _removed(entry)
    finally:
        lock.release()


def _removed(entry: Entry) -> str:
    """Renamed first: what is half gone is never taken for whole."""
    going = entry.path.with_name(f"{entry.path.name}.going")
    try:
        entry.path.rename(going)
        shutil.rmtree(going)
    except OSError as error:
        return f"it cannot be taken away: {error.strerror}"
    return ""


def _user(folder: Path) -> int:
    """A process that was started with something of the folder, or says there that it uses it; else 0.

    Where the system lists processes.
    """
    for mark in folder.glob(f"*{compiled.USER}"):
        if Path("/proc", mark.stem).is_dir():
            return int(mark.stem)
    inside = os.fsencode(f"{folder}{os.sep}")
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # ended, or another's
            if any(word.startswith(inside) for word in words.read_bytes().split(b"\0")):
                return int(words.parent.name)
    return 0
