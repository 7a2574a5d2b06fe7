"""Reading Parquet that may be damaged or hostile: refused in a line, before it takes more memory than it may.

A library that is told to read takes what memory the file says that it needs, and where there is none, ends
the process. So nothing is read that was not measured (:mod:`.pages`).
"""

from __future__ import annotations

import contextlib
import functools
import io
import mmap
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import polars as pl

from xent_conformance.reports.run.interrupts import heeded
from xent_conformance.reports.run.pages import Unmeasured, measured
from xent_conformance.reports.run.thrift import Held

heeded()

Source = Path | io.BytesIO


ROWS_A_BYTE, FEW = 1, 10_000
"""A table has no more rows than its file bytes: a run file that was made small has two bytes a verdict."""

BYTES_A_BYTE, LITTLE = 64, 1 << 24
"""What is unpacked is no more than so often the file, or so many bytes: of a run file it is 22 at most."""

TEXT_A_ROW = 1 << 11
"""Bytes of the texts of a row, on the average of a table, beside :data:`LITTLE`: a verdict has 350."""

METADATA = 1 << 25
"""Bytes that stand beside a table, at most: those of a whole run are a million and a half."""


class NoParquet(ValueError):
    """What is read is no Parquet, is damaged, or reads to far more than it is; the message is a line."""


class OtherColumns(NoParquet):
    """It is a table, and of something else."""


def metadata(source: Source) -> dict[str, str]:
    """What stands in it beside the table. Raises :class:`NoParquet`."""
    with _held(source) as held:
        _measured(held)
        size = int.from_bytes(held[-8:-4], "little")
    if size > METADATA:
        raise NoParquet(f"{size:,} bytes stand beside its table")
    with _refused():
        return pl.read_parquet_metadata(source)


def table(
    source: Source, schema: Mapping[str, pl.DataType], *, little: int = LITTLE, words: Collection[str] = ()
) -> pl.DataFrame:
    """The table, which has these columns or some of them.

    ``little``: so many bytes it may always unpack to. ``words``: columns whose texts stand there again and
    again, and which are read as categories. Raises :class:`NoParquet`.
    """
    with _held(source) as held:
        (rows, unpacked), size = _measured(held), len(held)
    if rows > max(ROWS_A_BYTE * size, FEW):
        raise NoParquet(f"{rows:,} rows in {size:,} bytes")
    if unpacked > max(BYTES_A_BYTE * size, little):
        raise NoParquet(f"{size:,} bytes that unpack to {unpacked:,}")
    with _refused():
        there = pl.read_parquet_schema(source)
    columns = _columns(source, at_once=unpacked <= LITTLE)
    if odd := [name for name, kind in there.items() if schema.get(name) != kind]:
        raise OtherColumns(f"it has a column {odd[0][:60]!r} of {str(there[odd[0]])[:60]}")
    found, texts = [], 0
    for name, kind in there.items():
        with _refused():
            column = columns(name)
        if kind == pl.String():
            texts += int(column.str.len_bytes().sum())
            if texts > little + TEXT_A_ROW * rows:
                raise NoParquet(f"{texts:,} bytes of text in {rows:,} rows")
        found.append(column.cast(pl.Categorical) if name in words else column)
    return pl.DataFrame(found)


def _columns(source: Source, *, at_once: bool) -> Callable[[str], pl.Series]:
    """A column by its name: read one by one, as what becomes categories is texts first, or all of a few."""
    if not at_once:
        return lambda name: pl.read_parquet(source, columns=[name])[name]
    every = functools.cache(lambda: pl.read_parquet(source))
    return lambda name: every()[name]


def _measured(held: Held) -> tuple[int, int]:
    """Rows, and bytes that its pages unpack to. Raises :class:`NoParquet`."""
    try:
        return measured(held)
    except Unmeasured as wrong:
        raise NoParquet(str(wrong)) from None


@contextlib.contextmanager
def _held(source: Source) -> Iterator[Held]:
    """The bytes of a source, which are not taken into memory where they are a file's."""
    if not isinstance(source, Path):
        yield source.getvalue()
        return
    with source.open("rb") as file, _refused():
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with held:
        yield held


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    try:
        with _silent():
            yield
    except pl.exceptions.PanicException:
        raise NoParquet("it is damaged") from None
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise NoParquet((str(error).splitlines() or ["it cannot be read"])[0][:200]) from None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what the library prints below Python when it panics, a stack of its own: the error is told."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no error stream
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
