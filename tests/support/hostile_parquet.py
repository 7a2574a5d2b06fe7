"""Parquet written by hand, so that it can lie: in its table of contents, in its pages, or in both.

Source: https://github.com/apache/parquet-format, parquet.thrift, in Thrift's compact protocol.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

INT32, DOUBLE, BYTES, FIXED = 1, 5, 6, 7
PLAIN, RUNS, BY_THE_ONE_BEFORE, DICTIONARY = 0, 3, 7, 8
GZIP = 2
MOST = 2**31 - 1

Field = tuple[int, int, bytes]
_I32, _I64, _BYTES, _LIST, _STRUCTURE = 5, 6, 8, 9, 12


def varint(number: int) -> bytes:
    """Seven bits a byte, the last first."""
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def i32(name: int, number: int) -> Field:
    return name, _I32, varint(number << 1)


def i64(name: int, number: int) -> Field:
    return name, _I64, varint(number << 1)


def text(name: int, held: bytes) -> Field:
    return name, _BYTES, varint(len(held)) + held


def inner(name: int, held: bytes) -> Field:
    return name, _STRUCTURE, held


def several(name: int, kind: int, entries: Sequence[bytes], told: int | None = None) -> Field:
    """``told``: how many it says that there are."""
    return (
        name,
        _LIST,
        bytes([15 << 4 | kind]) + varint(len(entries) if told is None else told) + b"".join(entries),
    )


def structure(*fields: Field) -> bytes:
    """Fields in the order of their numbers."""
    held, before = b"", 0
    for name, kind, value in fields:
        held, before = held + bytes([name - before << 4 | kind]) + value, name
    return held + b"\0"


@dataclass(frozen=True)
class Page:
    """A page, which says of itself what ``values`` and ``unpacked`` are, whatever it holds."""

    held: bytes
    values: int
    way: int = PLAIN
    of_dictionary: bool = False
    unpacked: int | None = None

    def written(self) -> bytes:
        told = [i32(1, self.values), i32(2, self.way)]
        own = (
            inner(7, structure(*told))
            if self.of_dictionary
            else inner(5, structure(*told, i32(3, RUNS), i32(4, RUNS)))
        )
        unpacked = len(self.held) if self.unpacked is None else self.unpacked
        sizes = i32(2, unpacked), i32(3, len(self.held))
        return structure(i32(1, 2 if self.of_dictionary else 0), *sizes, own) + self.held


@dataclass(frozen=True)
class File:
    """A file of one column; what is not said of it is true."""

    pages: Sequence[Page]
    rows: int
    kind: int = BYTES
    told: int | None = None
    """Rows, in the table of contents."""
    groups: int = 1
    """So many have the same pages."""
    packing: int = 0
    more: Sequence[Field] = field(default_factory=tuple)
    """Of the table of contents."""

    def written(self) -> bytes:
        pages = [page.written() for page in self.pages]
        first = len(pages[0]) if self.pages[0].of_dictionary else 0
        places = [i64(9, 4 + first), *([i64(11, 4)] if first else [])]
        size = sum(map(len, pages))
        told = self.rows if self.told is None else self.told
        column = structure(
            i32(1, self.kind),
            several(2, _I32, [varint(page.way << 1) for page in self.pages]),
            several(3, _BYTES, [varint(4) + b"case"]),
            i32(4, self.packing),
            i64(5, told),
            i64(6, size),
            i64(7, size),
            *places,
        )
        group = structure(
            several(1, _STRUCTURE, [structure(i64(2, 4), inner(3, column))]), i64(2, size), i64(3, told)
        )
        length = [i32(2, 1 << 20)] if self.kind == FIXED else []
        leaf = structure(
            i32(1, self.kind), *length, i32(3, 1), text(4, b"case"), *([i32(6, 0)] * (not length))
        )
        contents = structure(
            i32(1, 1),
            several(2, _STRUCTURE, [structure(text(4, b"root"), i32(5, 1)), leaf]),
            i64(3, told * self.groups),
            several(4, _STRUCTURE, [group] * self.groups),
            *self.more,
        )
        return whole(b"".join(pages), contents)


def whole(pages: bytes, contents: bytes) -> bytes:
    """A file of pages and a table of contents."""
    return b"PAR1" + pages + contents + len(contents).to_bytes(4, "little") + b"PAR1"


def plain(*values: bytes) -> bytes:
    return b"".join(len(value).to_bytes(4, "little") + value for value in values)


def there(rows: int) -> bytes:
    """In runs: that so many rows have a value."""
    run = varint(rows << 1) + b"\1"
    return len(run).to_bytes(4, "little") + run


def missing(rows: int) -> bytes:
    """In runs: that so many rows have none."""
    run = varint(rows << 1) + b"\0"
    return len(run).to_bytes(4, "little") + run


HONEST = File([Page(there(2) + plain(b"a", b"bc"), 2)], 2)
"""One that is read, so that the others are refused for what they say."""


def hostile() -> dict[str, tuple[bytes, str]]:
    """Files by what they do, each with the words of its refusal."""
    page, no_table = HONEST.pages[0], "more than a table of numbers and texts"
    says_2_gb = replace(HONEST, pages=[replace(page, unpacked=MOST)])
    of_one = [
        Page(plain(b"x" * 16_000), 1, of_dictionary=True),
        Page(there(9_000) + b"\1" + varint(9_000 << 1) + b"\0", 9_000, DICTIONARY),
    ]
    says_2_g_values = [Page(plain(b"x"), MOST, of_dictionary=True), *of_one[1:]]
    by_the_one_before = replace(HONEST, pages=[replace(page, way=BY_THE_ONE_BEFORE)])
    of_many_groups = File([Page(there(1) + plain(b"x" * 100_000), 1)], 1, groups=1_000)
    long_list = structure(several(2, _STRUCTURE, [], told=MOST))
    made: dict[str, tuple[File | pl.DataFrame | bytes, str]] = {
        "a text of 40 MB, packed": (pl.DataFrame({"case": ["x" * 40_000_000]}), "that unpack to 40,"),
        "a page that says 2 GB": (says_2_gb, "that unpack to 2,1"),
        "a packed page that says 2 GB": (replace(says_2_gb, packing=GZIP), "that unpack to 2,1"),
        "rows that are missing": (File([Page(missing(MOST), MOST)], MOST), "2,147,483,647 rows in"),
        "a page of more rows than the column": (File([Page(missing(MOST), MOST)], 2), "have other rows"),
        "a column of more rows than its pages": (replace(HONEST, told=5_000), "have other rows"),
        "one text that 9,000 rows have": (File(of_one, 9_000), "144,000,000 bytes of text in 9,000 rows"),
        "a dictionary that says it is large": (File(says_2_g_values, 9_000), "nobody counts"),
        "texts that begin as the one before": (by_the_one_before, "nobody counts"),
        "a page that many groups have": (of_many_groups, "that unpack to 100,"),
        "values of a megabyte": (replace(HONEST, kind=FIXED), no_table),
        "encrypted": (replace(HONEST, more=[inner(8, b"\0")]), "its parts have other rows"),
        "lists": (pl.DataFrame({"case": [["x"]]}), no_table),
        "a structure": (pl.DataFrame({"case": [{"a": "x"}]}), no_table),
        "another column": (pl.DataFrame({"mine": ["x"]}), "it has a column 'mine' of String"),
        "another kind": (pl.DataFrame({"case": [1]}), "it has a column 'case' of Int64"),
        "a list that says it is long": (whole(b"", long_list), "more than is there"),
        "a structure without end": (whole(b"", bytes([1 << 4 | _STRUCTURE]) * 100_000), "nested too deep"),
        "a list without end": (whole(b"", b"\x19" * 100_000), "nested too deep"),
        "long contents": (b"PAR1" + MOST.to_bytes(4, "little") + b"PAR1", "longer than the file"),
        "nothing": (b"PAR1PAR1", "no Parquet file, or not the whole"),
    }
    return {what: (_bytes(file), words) for what, (file, words) in made.items()}


def _bytes(file: File | pl.DataFrame | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    if isinstance(file, File):
        return file.written()
    held = io.BytesIO()
    # Polars 1.32 has the least and the greatest text of a column stand there whole: nothing of it were packed
    file.write_parquet(held, statistics=False)
    return held.getvalue()
