"""The run file: one Parquet row a verdict, the header in the file's metadata.

The header is written with the last byte of the table, so a torn file does not open and can never
pass for a finished run. Everything a report shows comes from here.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from xent_conformance.reports.atomic import begun, replacing
from xent_conformance.reports.run.closed import strange, told_by
from xent_conformance.reports.run.foreign import unread
from xent_conformance.reports.run.header import check_header
from xent_conformance.reports.run.packed import packed, unpacked
from xent_conformance.reports.run.parquet import OtherColumns, metadata, table
from xent_conformance.reports.run.shape import Misshapen, parsed
from xent_conformance.reports.run.unusable import OtherVersion, RunFileError
from xent_conformance.reports.run.words import FAULTS, NAIVE, Row
from xent_conformance.reports.run.writing import write_table

SCHEMA_VERSION = 3
_KEY = "xent-conformance"
_PACKED = "xent-conformance-deflated"
"""The header is under the one, or where the file was made small under the other, :func:`.packed`."""

SLIM = "slim"
"""Of a header: what was taken out, in a sentence. Such a file is no baseline: not all bits are there."""

PART = "part"
"""Of a header: which part of a run it is, and the batches that it has. Its causes are not named yet."""

SCHEMA: dict[str, pl.DataType] = {
    "case": pl.String(),  # readable path
    "hash": pl.String(),  # content of the case
    "operator": pl.String(),
    "family": pl.String(),
    "variant": pl.String(),
    "dtype": pl.String(),
    "n": pl.Int32(),
    "framework": pl.String(),
    "version": pl.String(),
    "implementation": pl.String(),
    "formulation": pl.String(),
    "mode": pl.String(),
    "device": pl.String(),
    "machine": pl.String(),
    "output": pl.String(),
    "outcome": pl.String(),  # what happened
    "message": pl.String(),  # the framework's own words
    "grade": pl.String(),  # how accurate
    "status": pl.String(),  # whether it is right
    "symptom": pl.String(),
    "clause": pl.String(),  # the clause broken, or else the clause tested
    "level": pl.String(),
    "ulps": pl.Float64(),  # error of the worst element
    "ratio": pl.Float64(),  # that error over the stable bound
    "index": pl.Int32(),  # of the worst element in its row
    "got": pl.Float64(),
    "hi": pl.Float64(),  # exact value = (hi + lo) * 2**exponent
    "lo": pl.Float64(),
    "exponent": pl.Int32(),
    "rounded": pl.Float64(),  # exact value rounded once to the dtype
    "bits": pl.String(),  # hash of all bits returned for the row
    "cause": pl.String(),  # what is wrong, by its lasting name; empty where nothing is, or nobody looked
}

WORDS = tuple(name for name, kind in SCHEMA.items() if kind == pl.String() and name != "bits")
"""Columns of words that stand there again and again: in memory they are numbers, a quarter of the room."""

HELD = SCHEMA | dict.fromkeys(WORDS, pl.Categorical())
"""The columns in memory."""

_ADDED = ("cause",)
"""Columns that files of before have not: they are read as empty."""

Put = Callable[[pl.Series], pl.Series]
"""``put(column)``: the same column, where it is to be."""


def here(column: pl.Series) -> pl.Series:
    """Where it is."""
    return column


TARGET = ("framework", "version", "implementation", "mode", "device", "machine")
"""The columns that name what was asked."""


@dataclass(frozen=True)
class Run:
    """Verdicts with the headers of the run files they come from (more than one after a merge)."""

    verdicts: pl.DataFrame
    """In the columns of :data:`HELD`, whatever they were made of."""
    headers: tuple[Mapping[str, Any], ...]
    put: Put = field(default=here, repr=False, compare=False)
    """Where columns are to be that are made of the verdicts and kept beside them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdicts", held(self.verdicts))

    def __reduce__(self) -> tuple[type[Run], tuple[pl.DataFrame, tuple[Mapping[str, Any], ...]]]:
        """Verdicts and headers: where columns are to be is the business of the process that has the file."""
        return Run, (self.verdicts, self.headers)

    @property
    def header(self) -> Mapping[str, Any]:
        """The first header; what merged runs must share (clauses, operators) is in every one."""
        return self.headers[0]

    def clause(self, number: str) -> Mapping[str, str]:
        """Level, title and text of a clause, and the note beside its findings; a file of before has none."""
        told: Mapping[str, str] = self.header["clauses"][number]
        return {**told, "note": self.header.get("notes", {}).get(number, "")}

    @property
    def causes(self) -> Mapping[str, Mapping[str, Any]]:
        """Of each cause that a hypothesis explains, by its name: ``hypothesis``, ``sentence``, ``source``.

        ``conforming`` rows were held against it, and none contradicts it.
        """
        return {name: told for h in self.headers for name, told in h.get("causes", {}).items()}

    @cached_property
    def faults(self) -> pl.DataFrame:
        """The verdicts that are wrong, of implementations that users call."""
        wrong = (pl.col("formulation") != NAIVE) & pl.col("status").is_in(FAULTS)
        which = self.verdicts.select(wrong.fill_null(False).arg_true()).to_series()
        return pl.DataFrame([self.put(column.gather(which)) for column in self.verdicts])

    @cached_property
    def broken(self) -> pl.DataFrame:
        """The same, with how many implementations were ``asked`` the same output of the same case."""
        users = self.verdicts.lazy().filter(pl.col("formulation") != NAIVE)
        numbered = users.select(pl.col("case", "output", "implementation").to_physical())
        wrong = self.faults.select(pl.col("case", "output").to_physical())
        of_wrong = numbered.join(wrong.unique().lazy(), on=["case", "output"], how="semi")
        counted = of_wrong.unique().group_by("case", "output").agg(asked=pl.len())
        asked = counted.collect(engine="streaming")  # in pieces: all of a run are much memory
        beside = wrong.join(asked, on=["case", "output"], how="left", maintain_order="left")
        return self.faults.with_columns(beside["asked"])

    @cached_property
    def called(self) -> Run:
        """The run without naive formulations: they are controls, and nobody ships them."""
        users = self.verdicts["formulation"] != NAIVE
        return self if users.all() else Run(self.verdicts.filter(users), self.headers)

    @property
    def tested(self) -> tuple[str, ...]:
        """``torch 2.13.0``: every framework that was asked, with its version."""
        names = (f"{f['framework']} {f['version']}" for h in self.headers for f in h["frameworks"])
        return tuple(dict.fromkeys(names))

    @property
    def unanswered(self) -> bool:
        """Whether nobody was there to answer, or nobody has the device: it says who is absent, no more."""
        met = any(h["frameworks"] for h in self.headers)
        return self.verdicts.is_empty() and (not met or any(h["absent"] for h in self.headers))

    @property
    def is_slim(self) -> bool:
        """Whether it was made small: it is comparable with what was made so too, and with nothing else."""
        return any(SLIM in header for header in self.headers)

    @property
    def complete(self) -> bool:
        """Whether every planned verdict was reached, somebody was there, and everybody who was asked for."""
        return all(
            h["frameworks"] and h["finished"] == h["planned"] and not h["absent"] for h in self.headers
        )


def write_run(path: Path, run: Run, between: Callable[[], None] = lambda: None) -> None:
    """Write ``run`` whole or not at all: a temporary neighbour is renamed over ``path``.

    ``between``: called when a piece of the table has been read, and is not needed for a moment. Raises
    :class:`RunFileError` for a merged run: its parts are the evidence, the merge is a view.
    """
    frame, told, level = _as_written(run, between)
    with replacing(path) as temporary:
        write_table(temporary, frame, told, level, between)


def as_bytes(run: Run) -> bytes:
    """What :func:`write_run` writes. Raises :class:`RunFileError` for a merged run."""
    frame, told, level = _as_written(run)
    written = io.BytesIO()
    frame.write_parquet(written, metadata=told, compression_level=level)
    return written.getvalue()


def _as_written(
    run: Run, between: Callable[[], None] = lambda: None
) -> tuple[pl.DataFrame, dict[str, str], int | None]:
    """The table of a run file, what stands beside it, and how small it is made."""
    if len(run.headers) != 1:
        raise RunFileError("a merged run is not written; give its run files to `conformance report`")
    frame = held(_with_all(run.verdicts)).select(list(SCHEMA))
    header = {**run.header, "schema": SCHEMA_VERSION, "rows": frame.height}
    header = json.loads(json.dumps(header))
    header["digest"] = digest_of(header, frame, between)
    # what is kept for long is written once
    key, text, level = _KEY, json.dumps(header), None
    if SLIM in header:
        key, text, level = _PACKED, packed(text), 19
    return frame, {_ARROW: _as_texts(frame.columns), key: text}, level


_ARROW = "ARROW:schema"
"""Where Parquet says as what Arrow is to read it."""


def _as_texts(columns: Sequence[str]) -> str:
    """What the file of a table with these columns says of them, where their words are texts.

    Categories are written as texts are, once each; to make texts of them first takes as much memory as three
    tables. All that tells them apart is that a file says what it was made from, and this one is told.
    """
    plain = io.BytesIO()
    pl.DataFrame(schema={name: SCHEMA[name] for name in columns}).write_parquet(plain)
    return pl.read_parquet_metadata(io.BytesIO(plain.getvalue()))[_ARROW]


def read_run(path: Path, *, part: bool = False) -> Run:
    """Read a run file. Raises :class:`RunFileError` for a missing, torn, foreign or other version's file.

    A part of a run, which was divided among machines, is none yet: it is read where ``part`` is true.
    """
    if path.is_dir():
        raise RunFileError(f"{path}: a folder, and no run file; name the run file that is in it")
    if not path.is_file():
        if begun(path):
            go_on = "wait for it, or go on with it by the same command and --resume"
            raise RunFileError(f"{path}: the run that was to write it has not finished; {go_on}")
        raise RunFileError(f"{path}: no such file; `conformance run -o FILE` writes one")
    if path.stat().st_size == 0:
        raise RunFileError(
            f"{path}: empty: what was to write it did not get that far, or a copy failed; run again, or name "
            "another file"
        )
    try:
        told = metadata(path)
        header = parsed(unpacked(told[_PACKED]) if _PACKED in told else told[_KEY])
        frame = table(path, SCHEMA, words=WORDS) if header.get("schema") == SCHEMA_VERSION else pl.DataFrame()
    except KeyError:
        raise RunFileError(f"{path}: a Parquet file, but not one of ours (no run header)") from None
    except OtherColumns:
        raise _changed(path) from None
    except (OSError, ValueError) as reason:
        raise RunFileError(f"{path}: {unread(path, reason)}") from None
    if (schema := header.get("schema")) != SCHEMA_VERSION:
        age = "a newer" if isinstance(schema, int) and schema > SCHEMA_VERSION else "an older"
        raise OtherVersion(
            f"{path}: written by {age} version of the suite (schema {str(schema)[:20]}, "
            f"this one reads {SCHEMA_VERSION}); run again with this version"
        )
    columns = {name: kind for name, kind in HELD.items() if name in frame.columns or name not in _ADDED}
    whole = header.get("rows") == frame.height and dict(frame.schema) == columns
    if not whole or header.pop("digest", None) != digest_of(header, frame):
        raise _changed(path)
    try:
        check_header(header)
    except Misshapen as wrong:
        raise RunFileError(
            f"{path}: its header is no run's ({wrong}), so it is no evidence; run again"
        ) from None
    levels = {c: told["level"] for c, told in header["clauses"].items()}
    if words := strange(frame, levels, told_by(header)):
        raise RunFileError(f"{path}: {words}: no run writes that, so it is no evidence; run again")
    if twice := _twice(frame):
        raise RunFileError(
            f"{path}: {twice['implementation']} answers {twice['output']} of {twice['case']} twice on "
            f"{twice['device']} ({twice['mode']}): no run does, so it is no evidence; run again"
        )
    if PART in header and not part:
        told = header[PART]
        raise RunFileError(
            f"{path} is part {told['index']} of {told['of']} of a run, and decides nothing alone; put them "
            f"together: conformance merge {path} … -o run.parquet"
        )
    return Run(_with_all(frame), (header,))


def _changed(path: Path) -> RunFileError:
    return RunFileError(
        f"{path}: what it holds does not fit its digest: it was changed after the run, so it is no evidence; "
        "run again"
    )


def _twice(verdicts: pl.DataFrame) -> Row | None:
    """The first verdict that stands there twice; None where each is there once."""
    numbered = verdicts.select(pl.col("case", "output", *TARGET).to_physical())
    again = numbered.is_duplicated()
    return verdicts.filter(again).row(0, named=True) if again.any() else None


def held(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Verdicts in the columns of :data:`HELD`, and what stands beside them as it is."""
    return verdicts.with_columns(
        pl.col(name).cast(kind)
        for name, kind in HELD.items()
        if verdicts.schema.get(name) not in (None, kind)
    )


def _with_all(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with the columns that it was written without, and nothing missing in them."""
    found = (pl.col(name) if name in frame.columns else pl.lit("").alias(name) for name in _ADDED)
    return frame.with_columns(column.fill_null("") for column in found)


_AT_ONCE = 2**14
"""So many words are hashed at a time: a column as one text would be much of the table's memory."""


def digest_of(
    header: Mapping[str, Any], frame: pl.DataFrame, between: Callable[[], None] = lambda: None
) -> str:
    """Hash of the header and of every value in the table, whatever wrote the bytes of the file.

    ``between``: called when a column has been read.
    """
    h = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, kind in frame.schema.items():
        column = frame[name]
        if kind in (pl.String(), pl.Categorical()):
            h.update(f"{name}\x1e{column.null_count()}\x1e".encode())
            written = column.drop_nulls()
            for start in range(0, len(written), _AT_ONCE):
                some = written[start : start + _AT_ONCE].cast(pl.String).str.join("\x1f").item()
                h.update((f"\x1f{some}" if start else some).encode())
        else:
            h.update(f"{name}\x1e".encode() + np.ascontiguousarray(column.to_numpy()).tobytes())
        between()
    return h.hexdigest()


def merge(runs: Sequence[Run]) -> Run:
    """Several runs as one, for one report. Raises :class:`RunFileError` where they contradict.

    The same target and case in two files is refused: which one would count?
    """
    if not runs:
        raise RunFileError("no run file given")
    verdicts = pl.concat([r.verdicts for r in runs])
    headers = tuple(h for r in runs for h in r.headers)
    if len({json.dumps(h["clauses"], sort_keys=True) for h in headers}) > 1:
        raise RunFileError("the run files were judged by different versions of SPEC.md; run again with one")
    contents = verdicts.group_by("case").agg(pl.col("hash").n_unique().alias("contents"))
    if (contents["contents"] > 1).any():
        case = contents.filter(pl.col("contents") > 1).row(0, named=True)["case"]
        raise RunFileError(
            f"the run files asked different bits under one name ({case}); run again with one suite"
        )
    if first := _twice(verdicts):
        raise RunFileError(
            f"two run files answer for {first['implementation']} on {first['device']} of {first['machine']} "
            f"({first['case']}); give one of them, or compare them with each other"
        )
    return Run(verdicts, headers)


def called(run: Run) -> Run:
    """The run without naive formulations."""
    return run.called
