"""What the suite keeps between runs, and how large it is; :mod:`.cleaning` takes it away.

Only what bears our own mark is ours: a folder or file that another has put there, and whatever a link leads
to, is told apart.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from xent_conformance.asking import lending
from xent_conformance.asking.process import compiled_folder
from xent_conformance.cases.digest import digests_folder, of_corpus
from xent_conformance.diagnosis.where import of_hypotheses, sayings_folder
from xent_conformance.judging.remembered import of_yardsticks, yardsticks_folder
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.sources import of_truths
from xent_conformance.reports.atomic import ABANDONED
from xent_conformance.reports.text.wording import plural
from xent_conformance.versions.environments import RECORD, default_folder
from xent_conformance.worker import compiled

_TRUTH = re.compile(r"[0-9a-f]+\.truth")
_CORPUS = re.compile(r"\w+\.(digest|batches)")
_YARDSTICKS = re.compile(r"\w+\.yardsticks")
_SAYINGS = re.compile(r"[0-9a-f]+\.sayings")

GOING = ".going"
"""What the name of a folder ends with that is being taken away; one that an interruption has left is ours."""

_TORN = re.compile(r"tmp\w+")
"""What was never finished has the name that mkstemp gave it."""


@dataclass(frozen=True)
class Entry:
    """One thing that is kept: ``about`` says what; ``used`` is when it was last (seconds since the epoch)."""

    path: Path
    about: str
    used: float
    size: int
    """Bytes on disk, links not followed."""
    files: tuple[Path, ...] = ()
    """What of it is ours, where that is files alone: another's may lie beside them."""


@dataclass(frozen=True)
class Kind:
    """A folder of ours, and what of it is ours."""

    name: str
    about: str
    folder: Path
    entries: Callable[[Path], Iterator[Entry]]
    locked: bool = False
    """Whether an entry has a lock beside it that whoever makes it holds."""
    ours: re.Pattern[str] | None = None
    """What our files are called, where an entry is a folder of files, by the source that decides them."""

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
        states = {} if self.ours is None else {s.path: s.foreign for s in _states(self.folder, self.ours)}
        known = ours | locks | states.keys()
        beside = [p for p in _listed(self.folder) if p not in known and not _is_lock(p)]
        return sorted([*beside, *(p for foreign in states.values() for p in foreign)])

    def in_the_way(self) -> list[Path]:
        """Of that, folders where a file belongs, which cannot replace them: it is made anew in every run."""
        named = self.ours
        inside = (p for p in self.foreign() if p.parent != self.folder and p.is_dir() and not p.is_symlink())
        return [p for p in inside if named is not None and named.fullmatch(p.name)]


def _is_lock(path: Path) -> bool:
    return re.fullmatch(r"[0-9a-f]{24}\.lock", path.name) is not None


def kinds() -> Mapping[str, Kind]:
    """Every kind, by name."""
    return {
        kind.name: kind
        for kind in (
            Kind(
                "reference",
                "certified truths: made again in a run",
                default_cache(),
                _by_source(_TRUTH, of_truths, "reference", lambda files: f"{len(files):,} batches"),
                ours=_TRUTH,
            ),
            Kind(
                "corpus",
                "the corpus and its digests: made again in a run",
                digests_folder(),
                _by_source(_CORPUS, of_corpus, "corpus", _profiles),
                ours=_CORPUS,
            ),
            Kind(
                "yardsticks",
                "what outputs are measured with: made again in a run",
                yardsticks_folder(),
                _by_source(_YARDSTICKS, of_yardsticks, "judge", _profiles),
                ours=_YARDSTICKS,
            ),
            Kind(
                "diagnosis",
                "what hypotheses said of answers: said again in a run",
                sayings_folder(),
                _by_source(
                    _SAYINGS, of_hypotheses, "suite", lambda files: f"{plural(len(files), 'kind')} of runs"
                ),
                ours=_SAYINGS,
            ),
            Kind(
                "environments",
                "versions of frameworks for upgrade and matrix: made again when they are asked for",
                default_folder(),
                _called("[0-9a-f]{24}", _environment),
                locked=True,
            ),
            Kind(
                "lent",
                "what workers in other environments import: made again when one lacks it",
                lending.default_folder(),
                _called(r"\w+-([\w.]+-)?[0-9a-f]{16}|making-\w+", _loan),
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
                _called(r"[\w.+-]+-[0-9a-f]{16}", _of_compiled),
            ),
        )
    }


def _by_source(
    ours: re.Pattern[str], now: Callable[[], str], of: str, counted: Callable[[Sequence[Path]], str]
) -> Callable[[Path], Iterator[Entry]]:
    """One for each state of the source that decides them; those of another than ``now`` are read no more."""

    def entries(folder: Path) -> Iterator[Entry]:
        for path, files, _ in _states(folder, ours):
            if not files and any(_listed(path)):  # another's, or what is being written
                continue
            which = f"of this version of the {of}" if path.name == now() else "of another version"
            used = max(map(_written, [path, *files]))
            yield Entry(path, f"{counted(files)}, {which}", used, _size(files), files)

    return entries


def _listed(folder: Path) -> list[Path]:
    """What is in it; nothing where another has taken it away meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        return list(folder.iterdir())
    return []


def _written(path: Path) -> float:
    """When it was written; what is gone since it was listed, never."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _profiles(files: Sequence[Path]) -> str:
    return plural(len({f.stem for f in files}), "profile")


class _State(NamedTuple):
    """A folder that is named by a hash of source, with the files in it that are ours, and what is not."""

    path: Path
    files: tuple[Path, ...]
    foreign: tuple[Path, ...]


def _states(folder: Path, ours: re.Pattern[str]) -> Iterator[_State]:
    """Those that are ours: nothing is in them, or something that is called as a file of ours is."""
    for path in _listed(folder):
        if path.is_symlink() or not path.is_dir() or not re.fullmatch("[0-9a-f]{16}", path.name):
            continue
        there = [f for f in _listed(path) if not _being_written(f)]
        named = [f for f in there if ours.fullmatch(f.name) or _TORN.fullmatch(f.name)]
        files = {f for f in named if f.is_file() and not f.is_symlink()}
        if named or not there:
            yield _State(path, tuple(files), tuple(f for f in there if f not in files))


def _being_written(path: Path) -> bool:
    """Whether it is a file that is not finished, and may be: neither ours to take away nor anybody else's."""
    named = _TORN.fullmatch(path.name) is not None and path.is_file()
    return named and time.time() - _written(path) < ABANDONED


def _called(
    names: str, told: Callable[[Path], tuple[str, float] | None]
) -> Callable[[Path], Iterator[Entry]]:
    """One for each folder that is called so, or was until it was half taken away.

    ``told``: what a whole one is, and when it was used; None where nothing of it says that it is ours.
    """
    named = re.compile(f"(?:{names})(?:{re.escape(GOING)})?")

    def entries(folder: Path) -> Iterator[Entry]:
        for path in _listed(folder):
            if path.is_symlink() or not path.is_dir() or not named.fullmatch(path.name):
                continue
            half_gone = "half taken away", _written(path)
            if (found := half_gone if path.suffix == GOING else told(path)) is not None:
                yield Entry(path, *found, _size(_inside(path)))

    return entries


def _environment(path: Path) -> tuple[str, float] | None:
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        return ", ".join(map(str, record["requirements"])), (path / RECORD).stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return ("never finished", _written(path)) if (path / "pyvenv.cfg").is_file() else None


def _loan(path: Path) -> tuple[str, float]:
    return path.name.rpartition("-")[0], _written(path)


def _bytecode(folder: Path) -> Iterator[Entry]:
    """Each tree that has bytecode and nothing else."""
    for path in _listed(folder):
        if path.is_symlink() or not path.is_dir():
            continue
        files = list(_inside(path))
        if all(f.suffix == ".pyc" or ".pyc." in f.name for f in files):
            used = max(map(_written, files or [path]))
            yield Entry(path, f"{len(files):,} modules below /{path.name}", used, _size(_inside(path)))


def _of_compiled(path: Path) -> tuple[str, float] | None:
    """A framework with its version, settings and machine."""
    record = path / compiled.RECORD
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        about = f"{told['framework']} {told['version']}, {len(_listed(path)):,} files or folders"
        return about, record.stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _inside(path: Path) -> Iterator[Path]:
    """Every file in a folder."""
    return (Path(folder, name) for folder, _, names in os.walk(path) for name in names)


def _size(files: Iterable[Path]) -> int:
    """Bytes that they take on disk; a file that several names have counts once."""
    seen: dict[tuple[int, int], int] = {}
    for file in files:
        with contextlib.suppress(OSError):  # gone since it was listed
            s = file.lstat()
            seen[s.st_dev, s.st_ino] = getattr(s, "st_blocks", 0) * 512 or s.st_size
    return sum(seen.values())
