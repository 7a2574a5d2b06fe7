"""The parts that have come, on disk while others are asked, so that an interruption loses none."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xent_conformance.reports.atomic import parts_of, replacing, write_text
from xent_conformance.reports.run.file import PART, Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.keeping import Occupied
from xent_conformance.running.merging import ALIKE

IDENTITY = "identity.json"

_NAME = re.compile(r"part-([0-9]+)-of-([0-9]+)\.parquet")
_OURS = re.compile(rf"{_NAME.pattern}|{re.escape(IDENTITY)}|\.part-.*")


def resumable(out: Path) -> bool:
    """Whether an interrupted run has left parts with which ``--resume`` goes on."""
    return any(parts_of(out).glob("part-*.parquet"))


def left_by(folder: Path) -> Any:
    """Whose parts are there; None where that cannot be read."""
    try:
        return json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class Parts:
    """``RUN.parquet.parts/``: run files of parts, and what all of them are parts of.

    ``identity`` has the number of parts as ``parts``. Raises :class:`Occupied` for parts that are there and
    not to be gone on with, RunFileError for parts of another run; ``resume=None`` goes on with those of this
    one.
    """

    def __init__(
        self, folder: Path, identity: Mapping[str, Any], *, resume: bool | None, force: bool
    ) -> None:
        self.folder = folder
        self.of = identity["parts"]
        self.asked_again: list[str] = []
        """What was found and is not used, in words."""
        self._identity = json.loads(json.dumps(identity))
        self._check_ours()
        there = any(folder.glob("part-*.parquet"))
        if resume is None:
            resume = there and left_by(folder) == self._identity
        if resume:
            self._check_left(there)
        elif there and not force:
            raise Occupied(
                f"{folder} has the parts of an interrupted run: --resume goes on with it, --force begins "
                "anew without them"
            )
        else:
            self.remove()
            write_text(folder / IDENTITY, json.dumps(self._identity))
        self._has = {index: run for index in range(1, self.of + 1) if (run := self._usable(index))}

    @property
    def has(self) -> set[int]:
        """The parts that have come."""
        return set(self._has)

    @property
    def paths(self) -> list[Path]:
        """Their files."""
        return [self._path(index) for index in sorted(self._has)]

    def add(self, index: int, held: bytes) -> Run:
        """Keep a part that has come. Raises RunFileError where it is none of this run."""
        path = self._path(index)
        with replacing(path) as temporary:
            temporary.write_bytes(held)
        run = read_run(path, part=True)
        if why := self._foreign_to(run, index):
            path.unlink()
            raise RunFileError(f"part {index}/{self.of} came back with {why}: nodes need this suite as it is")
        self._has[index] = run
        return run

    def remove(self) -> None:
        """The parts have served."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if _OURS.fullmatch(path.name):
                path.unlink()
        with contextlib.suppress(OSError):  # what is not ours stays
            self.folder.rmdir()

    def _path(self, index: int) -> Path:
        return self.folder / f"part-{index}-of-{self.of}.parquet"

    def _check_ours(self) -> None:
        folder = self.folder
        there = sorted(folder.iterdir()) if folder.is_dir() else [folder] if folder.exists() else []
        if strange := [path.name for path in there if not (path.is_file() and _OURS.fullmatch(path.name))]:
            raise Occupied(
                f"{folder} is no folder of parts ({strange[0]}), and stays as it is: move it away, or name "
                "another file"
            )

    def _check_left(self, there: bool) -> None:
        if not there:
            raise RunFileError(
                f"nothing to resume: there are no parts in {self.folder}; run without --resume"
            )
        left = left_by(self.folder)
        if left != self._identity:
            before = left if isinstance(left, dict) else {}
            names = [name for name in self._identity if before.get(name) != self._identity[name]]
            raise RunFileError(
                f"{self.folder} belongs to another run (another {', '.join(names)}); delete it, or run with "
                "--force and without --resume"
            )

    def _usable(self, index: int) -> Run | None:
        """The part as it lies there; None where it is to be asked."""
        path = self._path(index)
        if not path.exists():
            return None
        try:
            run = read_run(path, part=True)
        except RunFileError as damaged:
            self.asked_again.append(f"{damaged}: part {index}/{self.of} is asked again")
            return None
        if why := self._foreign_to(run, index) or ("" if run.complete else "something unanswered"):
            self.asked_again.append(f"{path} has {why}: part {index}/{self.of} is asked again")
            return None
        return run

    def _foreign_to(self, run: Run, index: int) -> str:
        """What makes it another's; empty for what is ours."""
        told = run.header.get(PART, {})
        if (told.get("index"), told.get("of")) != (index, self.of):
            return "another part"
        other = (what for name, what in ALIKE.items() if run.header[name] != self._identity[name])
        return next((f"another {what}" for what in other), "")
