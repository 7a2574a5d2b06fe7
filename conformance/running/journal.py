"""Finished batches on disk while a run goes on, so that an interruption loses nothing, and memory little."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.atomic import UNFINISHED, journal_of, replacing, write_text
from xent_conformance.reports.run.closed import cut, strange
from xent_conformance.reports.run.file import HELD, SCHEMA, Put, here
from xent_conformance.reports.run.header import DISTANCE
from xent_conformance.reports.run.parquet import metadata
from xent_conformance.reports.run.parquet import table as read_table
from xent_conformance.reports.run.shape import anything, every, pair, parsed, record, table, text
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.distances import ANSWERS, Measured
from xent_conformance.running.keeping import Occupied
from xent_conformance.running.memory import Done
from xent_conformance.running.order import ordered

ENDED = "ended"
"""A file in a journal whose answers are all in a run file, which lacks others."""

TOLD = 5
"""Differences that a refusal names."""

ANSWERS_BYTES = 1 << 29
"""Answers that are still to be compared are kept up to so many bytes; beyond, a resumed run asks again."""

_DONE = every(pair)
_TOLD = {"done": _DONE, "said": table(table(anything)), "largest": every(DISTANCE), "answers": text}
"""What a part says of itself, beside its verdicts."""

_WORDS = {"operator": tuple(OPERATORS)}
"""What a column can hold that this suite lists, beside the words of verdicts."""


def resumable(out: Path) -> bool:
    """Whether an interrupted run has left answers with which ``--resume`` goes on."""
    return any(journal_of(out).glob("part-*.parquet"))


class Journal:
    """``RUN.parquet.partial/``: the identity of the run, and Parquet parts of whole batches.

    A part's name ends in the digest of its bytes: one that does not fit it is no answer of anybody. What it
    answered is kept beside it, with the same number, until everybody has answered the same.
    As a context it is left with all that is finished on disk, or, where nothing is, with nothing.
    """

    def __init__(
        self, out: Path, identity: Mapping[str, Any], *, resume: bool | None = False, force: bool = False
    ) -> None:
        """Begin, or go on; ``resume=None``: go on where the same run was interrupted, else begin.

        Raises :class:`~.keeping.Occupied` where another interruption has left answers, which ``force`` loses,
        RunFileError where there is nothing to go on with, and OSError where nothing can be written.
        """
        self.folder = journal_of(out)
        self._identity = json.loads(json.dumps(identity))
        if resume is None:
            resume = resumable(out) and self._left() == self._identity
        self._parts: list[Path] = []
        self._done: dict[str, set[str]] = {}
        self._said: dict[str, dict[str, Any]] = {}
        self._answers: dict[Path, set[tuple[str, str]]] = {}
        self._largest: list[Mapping[str, Any]] = []
        self._held: set[tuple[str, str]] = set()
        self._compared: set[str] = set()
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
            if foreign := _foreign(self.folder):
                raise Occupied(
                    f"{self.folder} is no journal of a run ({foreign.name} is in it), and stays as it is: "
                    "move it away, or name another file"
                )
            self.remove()
            write_text(self.folder / "identity.json", json.dumps(self._identity))

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
            return parsed((self.folder / "identity.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _load(self) -> None:
        left = self._left()
        if left != self._identity:
            what = _changes(left, self._identity) if isinstance(left, dict) else ["it does not say which"]
            raise RunFileError(
                f"{self.folder} belongs to another run ({_few(what)}); "
                "delete it, or run with --force and without --resume"
            )
        beside = {path.name: path for path in self.folder.glob("answers-*.parquet")}
        for path in sorted(self.folder.glob("part-*.parquet")):
            held = path.read_bytes()
            told = self._told(path, held) if _fits(path, held) else None
            answers = None if told is None else beside.pop(told["answers"], None)
            if told is None or not (answers is None or _fits(answers, answers.read_bytes())):
                # torn by the interruption, or damaged since
                self.asked_again.append(f"{path} is damaged: what it answered is asked again")
                for damaged in filter(None, (path, answers)):
                    damaged.unlink()
                continue
            self._take(path, held, told)
            if answers is not None:
                try:
                    self._answers[answers] = set(_kept_in(answers))
                except ValueError as error:
                    raise self._of_no_run(answers, f"no answers ({error})") from None
        for unfinished in beside.values():  # the part that it was to stand beside was never written
            unfinished.unlink()
        self._held = {pair for pairs in self._answers.values() for pair in pairs}

    def _told(self, path: Path, held: bytes) -> dict[str, Any]:
        """What a part says of itself, beside its verdicts."""
        try:
            told = metadata(io.BytesIO(held))
            found = parsed("{" + ", ".join(f'"{name}": {told[name]}' for name in _TOLD) + "}")
            record(_TOLD)(found, "")
            return found
        except (KeyError, ValueError) as error:
            raise self._of_no_run(path, f"no part of a journal ({error})") from None

    def _take(self, path: Path, held: bytes, told: Mapping[str, Any]) -> None:
        """Go on with a part."""
        try:
            verdicts = read_table(io.BytesIO(held), SCHEMA)
        except ValueError as error:
            raise self._of_no_run(path, f"no part of a journal ({error})") from None
        if dict(verdicts.schema) != SCHEMA:
            raise self._of_no_run(path, "not the columns of a verdict")
        if words := strange(verdicts, {c.id: c.level for c in clauses().values()}, _WORDS):
            raise self._of_no_run(path, words)
        self._parts.append(path)
        for framework, batch in told["done"]:
            if batch in self._done.get(framework, ()):
                raise self._of_no_run(path, f"it answers {batch} for {framework}, as a part before it does")
            self._done.setdefault(framework, set()).add(batch)
        self._said |= told["said"]
        self._largest += told["largest"]

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
                f"{_few(_changes(then, now))}): go on with --resume as it was then, or begin anew with "
                "--force and without --resume"
            )
        self._said[seat] = now

    def done(self, framework: str) -> set[str]:
        """Ids of the batches that ``framework`` has answered in an earlier, interrupted run."""
        return self._done.get(framework, set())

    def holds(self, framework: str, batch: str) -> bool:
        """Whether what ``framework`` answered in an earlier, interrupted run can be compared with others."""
        return (framework, batch) in self._held

    def measured(self) -> Iterator[Measured]:
        """What was measured between answers, and what is still to be, in an earlier, interrupted run."""
        yield Measured(largest=self._largest)
        for path in self._answers:
            yield Measured(read_table(path, ANSWERS, little=ANSWERS_BYTES))

    def compared(self, batch: str) -> None:
        """Everybody has answered the batch, and what is measured is told with the next :meth:`add`."""
        self._compared.add(batch)

    def add(self, done: Done, verdicts: pl.DataFrame, measured: Measured | None = None) -> None:
        """Write the verdicts on finished batches: they are kept on disk alone.

        ``measured``: what is to be compared with what others will answer, and what was found so far.
        """
        measured = measured or Measured()
        numbers = (int(p.stem.split("-")[1]) for p in self.folder.glob("part-*.parquet"))
        number = max(numbers, default=-1) + 1
        # it is read once, and soon
        said = {seat: self._said[seat] for seat, _ in done if seat in self._said}
        told = {"done": done, "said": said, "largest": measured.largest}
        answers = self._add_answers(number, done, measured.answers)
        self._parts.append(self._written(f"part-{number:05d}", verdicts, told | {"answers": answers}))
        self._let_go()

    def _add_answers(self, number: int, done: Done, answers: pl.DataFrame) -> str:
        """The name of the file of what others have still to answer; empty where there is none."""
        kept = [(seat, batch) for seat, batch in done if batch not in self._compared]
        if not kept:
            return ""
        path = self._written(f"answers-{number:05d}", answers, {"kept": kept})
        self._answers[path] = set(kept)
        return path.name

    def _let_go(self) -> None:
        """Take away answers that everybody has given, and the oldest where they are too large."""
        for path, pairs in list(self._answers.items()):
            if all(batch in self._compared for _, batch in pairs):
                self._drop(path)
        size = {path: path.stat().st_size for path in self._answers}
        while sum(size.values()) > ANSWERS_BYTES:
            oldest = next(iter(size))
            del size[oldest]
            self._drop(oldest)

    def _drop(self, answers: Path) -> None:
        del self._answers[answers]
        answers.unlink(missing_ok=True)

    def _written(self, name: str, frame: pl.DataFrame, told: Mapping[str, Any]) -> Path:
        """A file of the journal, whose name ends in its digest."""
        written = io.BytesIO()
        metadata = {key: json.dumps(value) for key, value in told.items()}
        frame.write_parquet(written, metadata=metadata, compression="lz4", statistics=False)
        held = written.getvalue()
        path = self.folder / f"{name}-{_digest(held)}.parquet"
        with replacing(path) as temporary:
            temporary.write_bytes(held)
        return path

    def verdicts(self, put: Put = here) -> pl.DataFrame:
        """All verdicts, in an order that does not depend on which worker was faster.

        Each column is where it is ``put``, as soon as it is there.
        """
        if not self._parts:
            return pl.DataFrame(schema=HELD)
        for path in self._parts:
            if not _fits(path, path.read_bytes()):
                raise RunFileError(
                    f"{path} was damaged while the run went on: --resume asks what it answered"
                )
        every = pl.scan_parquet(self._parts)

        def column(name: str) -> pl.Series:
            """Piece by piece: texts, before they are numbers, are much memory."""
            read = every.select(pl.col(name).cast(HELD[name]))
            return read.collect(engine="streaming").to_series()

        return ordered(column, put)

    def end(self) -> None:
        """A run file is written that lacks something: what it has is not lost with the journal any more.

        The journal stays, so that ``resume`` asks what is missing; a run that begins anew may take it away.
        """
        if self._parts:
            (self.folder / ENDED).touch()

    def remove(self) -> None:
        """The run file is written and lacks nothing: the journal has served."""
        if not self.folder.is_dir() or _foreign(self.folder):
            return
        # answers first and then whose they are: what a kill leaves half gone begins anew, or goes on
        (self.folder / ENDED).touch()
        last = ("identity.json", ENDED)
        for path in sorted(self.folder.iterdir(), key=lambda p: (p.name in last, p.name == ENDED)):
            path.unlink()
        self.folder.rmdir()


_OURS = re.compile(
    r"identity\.json|ended|(part|answers)-\d{5}(-[0-9a-f]{32})?\.parquet|\.[\w.-]+\." + UNFINISHED
)
"""The names of files in a journal; the last is of one that was not finished."""


def _foreign(folder: Path) -> Path | None:
    """What is there that no journal has; None where there is nothing."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return folder
    there = sorted(folder.iterdir()) if folder.is_dir() else ()
    return next((p for p in there if p.is_symlink() or not (p.is_file() and _OURS.fullmatch(p.name))), None)


def _digest(held: bytes) -> str:
    return hashlib.sha256(held).hexdigest()[:32]


def _fits(path: Path, held: bytes) -> bool:
    """Whether a part has the bytes that its name says."""
    return path.stem.rpartition("-")[2] == _digest(held)


def _kept_in(answers: Path) -> list[tuple[str, str]]:
    """Whose answers to which batches it has. Raises ValueError for what is no file of answers."""
    kept = parsed(f'{{"kept": {metadata(answers).get("kept")}}}')
    record({"kept": _DONE})(kept, "")
    if dict(read_table(answers, ANSWERS, little=ANSWERS_BYTES).schema) != ANSWERS:
        raise ValueError("not the columns of answers")
    return [(seat, batch) for seat, batch in kept["kept"]]


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """``version 1.0, now 2.0``: what a seat says of itself that it did not say before."""
    for name in [*then, *(name for name in now if name not in then)]:
        before, after = then.get(name), now.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after)
        elif before != after:
            words = ("not set" if told is None else told for told in (before, after))
            yield f"{cut(name)} " + ", now ".join(map(cut, words))


def _few(changes: Iterable[str]) -> str:
    """The first of them; what is read may be damaged, and say much."""
    told = list(changes)
    more = [f"and {len(told) - TOLD:,} more"] if len(told) > TOLD else []
    return "; ".join([*told[:TOLD], *more])
