"""A text in fewer letters, for what is kept for long: half of a published file would be its header.

Letters are what stands beside the table of a Parquet file, so bytes are written as letters (RFC 1924).
"""

from __future__ import annotations

import base64
import zlib

from xent_conformance.reports.run.parquet import METADATA


def packed(text: str) -> str:
    """The text, deflated."""
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(letters: str) -> str:
    """What was packed. Raises ValueError for anything else, and for more than may stand beside a table."""
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(base64.b85decode(letters), METADATA)
    except zlib.error as reason:
        raise ValueError(f"what stands beside its table cannot be unpacked: {reason}") from None
    if not inflate.eof or inflate.unused_data:
        raise ValueError("what stands beside its table is cut off, or unpacks to far more than it is")
    return text.decode()
