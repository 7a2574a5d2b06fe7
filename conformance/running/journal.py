"""Finished batches on disk while a run goes on, so that an interruption loses nothing, and memory little."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.atomic import replacing
from xent_conformance.reports.run.closed import strange
from xent_conformance.reports.run.file import SCHEMA, RunFileError
from xent_conformance.running.keeping import Occupied

ENDED = "ended"
"""A file in a journal whose answers are all in a run file, which lacks others."""

_WORDS = {"operator": tuple(OPERATORS)}
"""What a column can hold that this suite lists, beside the words of verdicts."""

Done = Sequence[tuple[str, str]]
"""Seats, each with the id of a batch that it has answered."""


def folder_of(out: Path) -> Path:
    """Where the journal of a run that is to become ``out`` lies."""
    return out.with_name(out.name + ".partial")


def resumable(out: Path) -> bool:
    """Whether an interrupted run has left answers with which ``--resume`` goes on."""
    return any(folder_of(out).glob("part-*.parquet"))


class Journal:
    """``RUN.parquet.partial/``: the identity of the run, and Parquet parts of whole batches.

    A part's name ends in the digest of its bytes: one that does not fit it is no answer of anybody.
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
        self._parts: list[Path] = []
        self._done: dict[str, set[str]] = {}
        self._said: dict[str, dict[str, Any]] = {}
        self.asked_again: list[str] = []
        """What was found and is not used, in words."""
        if resume and not self.folder.is_dir():
            raise RunFileError(f"nothing to resume: there is no {self.folder}; run without --resume")
        if resume:
            self._load()
            (self.folder / ENDED).unlink(missing_ok=True)
        elif resumable(out) and not force and not (self.folder / ENDED).exists():
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
        left = self._left()
        if left != self._identity:
            what = _changes(left, self._identity) if isinstance(left, dict) else ["it does not say which"]
            raise RunFileError(
                f"{self.folder} belongs to another run ({'; '.join(what)}); "
                "delete it, or run with --force and without --resume"
            )
        for path in sorted(self.folder.glob("part-*.parquet")):
            held = path.read_bytes()
            if not _fits(path, held):  # torn by the interruption, or damaged since: it is asked again
                self.asked_again.append(f"{path} is damaged: what it answered is asked again")
                path.unlink()
                continue
            try:
                told = pl.read_parquet_metadata(io.BytesIO(held))
                done, said = json.loads(told["done"]), json.loads(told["said"])
                verdicts = pl.read_parquet(io.BytesIO(held))
            except (pl.exceptions.PolarsError, OSError, KeyError, ValueError) as error:
                raise self._of_no_run(path, f"no part of a journal ({str(error).splitlines()[0]})") from None
            if dict(verdicts.schema) != SCHEMA:
                raise self._of_no_run(path, "not the columns of a verdict")
            if words := strange(verdicts, {c.id: c.level for c in clauses().values()}, _WORDS):
                raise self._of_no_run(path, words)
            self._parts.append(path)
            for framework, batch in done:
                if batch in self._done.get(framework, ()):
                    raise self._of_no_run(
                        path, f"it answers {batch} for {framework}, as a part before it does"
                    )
                self._done.setdefault(framework, set()).add(batch)
            self._said |= said

    def _of_no_run(self, path: Path, why: str) -> RunFileError:
        return RunFileError(
            f"{path}: {why}: no run writes that; delete that file and its answers are asked again, or run "
            "with --force and without --resume"
        )

    def met(self, seat: str, hello: Mapping[str, Any]) -> None:
        """A seat has started and says ``hello``: whose answers the journal has from now on.

        Raises RunFileError where it has answers that the seat gave when it was another: another version,
        device, environment or number of cores. One table of both would be the answers of nobody.
        """
        now = json.loads(json.dumps({name: told for name, told in hello.items() if name != "import_s"}))
        then = self._said.setdefault(seat, now)
        if self._done.get(seat) and then != now:
            raise RunFileError(
                f"{self.folder} has answers of {seat} as it was, and it is another now ("
                f"{'; '.join(_changes(then, now))}): go on with --resume as it was then, or begin anew with "
                "--force and without --resume"
            )
        self._said[seat] = now

    def done(self, framework: str) -> set[str]:
        """Ids of the batches that ``framework`` has answered in an earlier, interrupted run."""
        return self._done.get(framework, set())

    def add(self, done: Done, verdicts: pl.DataFrame) -> None:
        """Write the verdicts on finished batches: they are kept on disk alone."""
        numbers = (int(p.stem.split("-")[1]) for p in self.folder.glob("part-*.parquet"))
        written = io.BytesIO()
        # it is read once, and soon
        said = {seat: self._said[seat] for seat, _ in done if seat in self._said}
        told = {"done": json.dumps(done), "said": json.dumps(said)}
        verdicts.write_parquet(written, metadata=told, compression="lz4", statistics=False)
        held = written.getvalue()
        path = self.folder / f"part-{max(numbers, default=-1) + 1:05d}-{_digest(held)}.parquet"
        with replacing(path) as temporary:
            temporary.write_bytes(held)
        self._parts.append(path)

    def verdicts(self) -> pl.DataFrame:
        """All verdicts, in an order that does not depend on which worker was faster."""
        if not self._parts:
            return pl.DataFrame(schema=SCHEMA)
        for path in self._parts:
            if not _fits(path, path.read_bytes()):
                raise RunFileError(
                    f"{path} was damaged while the run went on: --resume asks what it answered"
                )
        every = pl.scan_parquet(self._parts)

        def column(name: str) -> pl.Series:
            return every.select(name).collect().to_series()

        order = _order(column)
        # a column at a time: the whole is in memory once, and not a second time beside its order
        return pl.DataFrame([_ordered(column(name), order) for name in SCHEMA])

    def end(self) -> None:
        """A run file is written that lacks something: what it has is not lost with the journal any more.

        The journal stays, so that ``resume`` asks what is missing; a run that begins anew may take it away.
        """
        if self._parts:
            (self.folder / ENDED).touch()

    def remove(self) -> None:
        """The run file is written and lacks nothing: the journal has served."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)


def _digest(held: bytes) -> str:
    return hashlib.sha256(held).hexdigest()[:32]


def _fits(path: Path, held: bytes) -> bool:
    """Whether a part has the bytes that its name says."""
    return path.stem.rpartition("-")[2] == _digest(held)


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """``version 1.0, now 2.0``: what a seat says of itself that it did not say before."""
    for name in [*then, *(name for name in now if name not in then)]:
        before, after = then.get(name), now.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after)
        elif before != after:
            words = ("not set" if told is None else told for told in (before, after))
            yield f"{name} " + ", now ".join(map(str, words))


class Kept:
    """The verdicts of a run that nobody wants on disk."""

    asked_again: Sequence[str] = ()

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left."""

    def met(self, seat: str, hello: Mapping[str, Any]) -> None:
        """Nothing was answered before."""

    def done(self, framework: str) -> set[str]:
        """Nothing was answered before."""
        return set()

    def add(self, done: Done, verdicts: pl.DataFrame) -> None:
        """Keep the verdicts on finished batches."""
        self._parts.append(verdicts)

    def verdicts(self) -> pl.DataFrame:
        """All verdicts, in the order of a run file."""
        every = pl.concat(self._parts) if self._parts else pl.DataFrame(schema=SCHEMA)
        return every[_order(every.get_column)]

    def end(self) -> None:
        """There is nothing on disk."""

    def remove(self) -> None:
        """There is nothing on disk."""


_ORDER = ("framework", "implementation", "mode", "device", "case", "output")
"""Columns that name a verdict: in their order it does not matter which worker was faster."""


def _order(column: Callable[[str], pl.Series]) -> pl.Series:
    """The places of the verdicts in the order of a run file; ``column`` has each of its columns, by name.

    Words are sorted by their places among all words of a column: the texts themselves are much memory.
    """
    places = [_place(column(name)) for name in _ORDER]
    return pl.Series(np.lexsort(places[::-1]))


def _place(words: pl.Series) -> NDArray[np.int32]:
    """Of each word its place among those of the column in their order; what is missing comes first."""
    return _numbered(words)[1].cast(pl.Int32).fill_null(-1).to_numpy()


def _ordered(column: pl.Series, order: pl.Series) -> pl.Series:
    """A column in that order; each of its words is held once, however often it stands there."""
    if column.dtype != pl.String:
        return column.gather(order)
    known, number = _numbered(column)
    return known.gather(number.gather(order)).alias(column.name)


def _numbered(words: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The words of a column in their order, and of each place the number of its word."""
    known = words.drop_nulls().unique().sort()
    return known, words.cast(pl.Enum(known)).to_physical()
