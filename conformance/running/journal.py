"""Finished batches on disk while a run goes on, so that an interruption loses nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xent_conformance.reports.run.file import SCHEMA, RunFileError

_PART_ROWS = 2_000


class Journal:
    """``RUN.parquet.partial/``: the identity of the run, and Parquet parts of whole batches."""

    def __init__(self, out: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
        self.folder = out.with_name(out.name + ".partial")
        self._identity = json.loads(json.dumps(identity))
        self._parts: list[pl.DataFrame] = []
        self._done: dict[str, set[str]] = {}
        self._pending: list[dict[str, Any]] = []
        self._pending_done: list[tuple[str, str]] = []
        if resume and not self.folder.is_dir():
            raise RunFileError(f"nothing to resume: there is no {self.folder}; run without --resume")
        if resume:
            self._load()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            (self.folder / "identity.json").write_text(json.dumps(self._identity), encoding="utf-8")

    def _load(self) -> None:
        try:
            identity = json.loads((self.folder / "identity.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            identity = None
        if identity != self._identity:
            raise RunFileError(
                f"{self.folder} belongs to another run (selection, corpus or reference differ); "
                "delete it or run without --resume"
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
        shutil.rmtree(self.folder)


class Kept:
    """The verdicts of a run that nobody wants on disk."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

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
