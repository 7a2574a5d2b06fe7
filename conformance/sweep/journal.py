"""Chunks that are done, on disk while a sweep goes on: a line a chunk, each with the digest of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from xent_conformance.reports.atomic import journal_of, write_text
from xent_conformance.running.keeping import Occupied


class JournalError(ValueError):
    """What is there cannot be gone on with; the message says why, and what to do."""


def resumable(out: Path) -> bool:
    """Whether an interrupted sweep has left chunks with which ``--resume`` goes on."""
    lines, _ = _lines(journal_of(out))
    return len(lines) > 1


class Journal:
    """``SWEEP.json.partial``: whose sweep it is in the first line, then a line for each chunk.

    A line that was torn, or changed since, is nobody's: its chunk is asked again. Without ``out`` nothing is
    kept on disk.
    """

    def __init__(
        self, out: Path | None, identity: Mapping[str, Any], *, resume: bool = False, force: bool = False
    ) -> None:
        """Begin, or go on. Raises Occupied, :class:`JournalError`, and OSError where nothing can be written.

        A journal that an interrupted sweep has left is lost with ``force`` alone.
        """
        self.done: dict[int, Mapping[str, Any]] = {}
        self.damaged = 0
        self._file: IO[str] | None = None
        if out is None:
            return
        self._path = journal_of(out)
        told = json.loads(json.dumps(identity))
        if resume:
            self._load(told)
        elif resumable(out) and not force:
            raise Occupied(
                f"{self._path} has chunks of an interrupted sweep: --resume goes on with it, --force begins "
                "anew without them"
            )
        kept = [told, *({"chunk": number, **chunk} for number, chunk in self.done.items())]
        write_text(self._path, "".join(map(_line, kept)))
        self._file = self._path.open("a", encoding="utf-8", newline="\n")

    def _load(self, identity: Mapping[str, Any]) -> None:
        if not self._path.is_file():
            raise JournalError(f"nothing to resume: there is no {self._path}; sweep without --resume")
        lines, self.damaged = _lines(self._path)
        if not lines:
            raise JournalError(f"nothing to resume: {self._path} does not say whose it is; delete it")
        if lines[0] != identity:
            changed = [
                f"{name} {lines[0].get(name)}, now {now}"
                for name, now in identity.items()
                if lines[0].get(name) != now
            ]
            raise JournalError(
                f"{self._path} belongs to another sweep ({'; '.join(changed)}); delete it, or sweep with "
                "--force and without --resume"
            )
        for line in lines[1:]:
            self.done[int(line["chunk"])] = {k: v for k, v in line.items() if k != "chunk"}

    def add(self, number: int, told: Mapping[str, Any]) -> None:
        """A chunk is done: it is on disk before the next one is."""
        self.done[number] = told
        if self._file is not None:
            self._file.write(_line({"chunk": number, **told}))
            self._file.flush()

    def close(self) -> None:
        """Leave it for ``--resume``; one without any chunk is taken away."""
        if self._file is None:
            return
        self._file.close()
        if not self.done:
            self._path.unlink(missing_ok=True)

    def remove(self) -> None:
        """The document is written: the journal has served."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _line(told: Mapping[str, Any]) -> str:
    text = json.dumps(told)
    return f"{_digest(text)} {text}\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """What each whole line says, and how many are not whole; nothing behind a first line that is not."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return [], 0
    found, damaged = [], 0
    for i, line in enumerate(text.removesuffix("\n").split("\n")):
        digest, _, told = line.partition(" ")
        if digest != _digest(told):
            if i == 0:
                return [], 1
            damaged += 1
            continue
        found.append(json.loads(told))
    return found, damaged
