"""A table written as Parquet, a piece at a time: it is not in memory a second time beside itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import polars as pl


def write_table(
    path: Path,
    frame: pl.DataFrame,
    told: Mapping[str, str],
    level: int | None,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Write the table with what is ``told`` beside it. Raises OSError, as the disk says it.

    ``between``: called when a piece is written.
    """
    with path.open("wb") as file:
        heard = _Heard(file, between)
        try:
            frame.write_parquet(heard, metadata=dict(told), compression_level=level)  # type: ignore[arg-type]
        except pl.exceptions.PolarsError as error:
            raise heard.error or error from error


class _Heard:
    """A file that keeps what it says when it takes no more: Polars tells it as an error of its own."""

    def __init__(self, file: IO[bytes], between: Callable[[], None]) -> None:
        self._file, self._between = file, between
        self.error: OSError | None = None

    def write(self, some: bytes) -> int:
        self._between()
        try:
            return self._file.write(some)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()
