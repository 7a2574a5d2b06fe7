"""Reading Parquet that may be damaged: refused in a line, also where the library that reads it panics."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from xent_conformance.reports.run.interrupts import heeded

heeded()

Source = Path | IO[bytes]


class NoParquet(ValueError):
    """What is read is no Parquet, or is damaged; the message is a line."""


def metadata(source: Source) -> dict[str, str]:
    """What stands in it beside the table. Raises :class:`NoParquet`."""
    with _refused():
        return pl.read_parquet_metadata(source)


def table(source: Source) -> pl.DataFrame:
    """The table. Raises :class:`NoParquet`."""
    with _refused():
        return pl.read_parquet(source)


def rows(source: Path) -> int:
    """How many rows it says it has, before they are read. Raises :class:`NoParquet`."""
    with _refused():
        return int(pl.scan_parquet(source).select(pl.len()).collect().item())


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
