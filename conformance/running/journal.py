"""Finished batches on disk while a run goes on, so that an interruption loses nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from xent_conformance.reports.run.file import SCHEMA, RunFileError
from xent_conformance.running.keeping import Occupied

_PART_ROWS = 2_000


def folder_of(out: Path) -> Path:
    """Where the journal of a run that is to become ``out`` lies."""
    return out.with_name(out.name + ".partial")


def resumable(out: Path) -> bool:
    """Whether an interrupted run has left answers with which ``--resume`` goes on."""
    return any(folder_of(out).glob("part-*.parquet"))


class Journal:
    """``RUN.parquet.partial/``: the identity of the run, and Parquet parts of whole batches.

    As a context it is left with all that is finished on disk, or, where nothing is, with nothing.
    """

    def __init__(
        self, out: Path, identity: Mapping[str, Any], *, resume: bool | None = False, force: bool = False
    ) -> None:
        """Begin, or go on; ``resume=None``: go on where the same run was interrupted, else begin.

        Raises :class:`~.keeping.Occupied` where another interruption has left answers, which ``force`` loses,
        RunFileError where there is nothing to go on with, and OSError where nothing can be written.
        """
        self.folder = folder_of(out)
        self._identity = json.loads(json.dumps(identity))
        if resume is None:
            resume = resumable(out) and self._left() == self._identity
        self._parts: list[pl.DataFrame] = []
        self._done: dict[str, set[str]] = {}
        self._pending: list[dict[str, Any]] = []
        self._pending_done: list[tuple[str, str]] = []
        if resume and not self.folder.is_dir():
            raise RunFileError(f"nothing to resume: there is no {self.folder}; run without --resume")
        if resume:
            self._load()
        elif resumable(out) and not force:
            raise Occupied(
                f"{self.folder} has the answers of an interrupted run: --resume goes on with it, "
                "--force begins anew without them"
            )
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            (self.folder / "identity.json").write_text(json.dumps(self._identity), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        if not self._parts:
            with contextlib.suppress(OSError):
                self.remove()

    def _left(self) -> Any:
        """Whose answers are there; None where that cannot be read."""
        try:
            return json.loads((self.folder / "identity.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _load(self) -> None:
        if self._left() != self._identity:
            raise RunFileError(
                f"{self.folder} belongs to another run (selection, corpus or reference differ); "
                "delete it, or run with --force and without --resume"
            )
        for path in sorted(self.folder.glob("part-*.parquet")):
            try:
                done = json.loads(pl.read_parquet_metadata(path)["done"])
                self._parts.append(pl.read_parquet(path))
            except (pl.exceptions.PolarsError, OSError, KeyError):
                path.unlink()  # torn by the interruption: its batches are asked again
                continue
            for framework, batch in done:
                self._done.setdefault(framework, set()).add(batch)

    def done(self, framework: str) -> set[str]:
        """Ids of the batches that ``framework`` has answered in an earlier, interrupted run."""
        return self._done.get(framework, set())

    def add(self, framework: str, batch: str, rows: Sequence[dict[str, Any]]) -> None:
        """Keep the verdicts of one finished batch."""
        self._pending += rows
        self._pending_done.append((framework, batch))
        if len(self._pending) >= _PART_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if not self._pending:
            return
        frame = pl.DataFrame(self._pending, schema=SCHEMA)
        last = max(
            (int(p.stem.removeprefix("part-")) for p in self.folder.glob("part-*.parquet")), default=-1
        )
        path = self.folder / f"part-{last + 1:05d}.parquet"
        frame.write_parquet(path, metadata={"done": json.dumps(self._pending_done)})
        self._parts.append(frame)
        self._pending, self._pending_done = [], []

    def verdicts(self) -> pl.DataFrame:
        """All verdicts, in an order that does not depend on which worker was faster."""
        return _in_order(pl.concat(self._parts) if self._parts else pl.DataFrame(schema=SCHEMA))

    def remove(self) -> None:
        """The run file is written: the journal has served."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)


class Kept:
    """The verdicts of a run that nobody wants on disk."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left."""

    def done(self, framework: str) -> set[str]:
        """Nothing was answered before."""
        return set()

    def add(self, framework: str, batch: str, rows: Sequence[dict[str, Any]]) -> None:
        """Keep the verdicts of one finished batch."""
        self._rows += rows

    def flush(self) -> None:
        """There is nowhere to write to."""

    def verdicts(self) -> pl.DataFrame:
        """All verdicts, in the order of a run file."""
        return _in_order(pl.DataFrame(self._rows, schema=SCHEMA))

    def remove(self) -> None:
        """There is nothing on disk."""


def _in_order(verdicts: pl.DataFrame) -> pl.DataFrame:
    """An order that does not depend on which worker was faster."""
    return verdicts.sort(["framework", "implementation", "mode", "device", "case", "output"])
