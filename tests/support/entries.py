"""What may become of an entry that is kept between runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path


def _torn(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-8])


def _flipped(entry: Path) -> None:
    body = bytearray(entry.read_bytes())
    body[-1] ^= 1
    entry.write_bytes(body)


DAMAGES: Mapping[str, Callable[[Path], None]] = {"torn": _torn, "flipped": _flipped}
"""By name: its end is missing, or one bit of its content is another."""
