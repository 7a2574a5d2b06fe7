"""To how much a Parquet file reads: said by its pages, and known before any of them is unpacked.

A file is unpacked on its word, and it may lie: in its table of contents, which has sizes and numbers of rows,
or in its pages. Who unpacks takes memory for as much as a page says it is and for no more, so the pages are
asked, and what they say must be what the table of contents says. A text that many rows have is unpacked once;
how long all are together is known when they are there (:func:`~.parquet.table`).
Source: https://github.com/apache/parquet-format, parquet.thrift.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xent_conformance.reports.run.thrift import Held, NoThrift, Reader, Wanted

MAGIC = b"PAR1"

# parquet.thrift: fields by their numbers
_SCHEMA, _ROWS, _GROUPS, _ENCRYPTED = 2, 3, 4, 8
_KIND, _REPETITION, _CHILDREN = 1, 3, 5
_COLUMNS, _ROWS_OF_GROUP = 1, 3
_ELSEWHERE, _COLUMN, _CRYPTO, _CRYPTIC = 1, 3, 8, 9
_COUNT, _PACKED, _DATA_AT, _DICTIONARY_AT = 5, 7, 9, 11
_PAGE, _UNPACKED, _SIZE = 1, 2, 3
_DATA, _DICTIONARY, _DATA_2 = 5, 7, 8

_CHUNK: Wanted = dict.fromkeys((_KIND, _COUNT, _PACKED, _DATA_AT, _DICTIONARY_AT), int)
_CONTENTS: Wanted = {
    _SCHEMA: [{_KIND: int, _REPETITION: int, _CHILDREN: int}],
    _ROWS: int,
    _GROUPS: [
        {
            _COLUMNS: [{_ELSEWHERE: bool, _COLUMN: _CHUNK, _CRYPTO: bool, _CRYPTIC: bool}],
            _ROWS_OF_GROUP: int,
        }
    ],
    _ENCRYPTED: bool,
}
_HEAD: Wanted = {
    **dict.fromkeys((_PAGE, _UNPACKED, _SIZE), int),
    _DATA: {1: int, 2: int},
    _DICTIONARY: {1: int, 2: int},
    _DATA_2: {1: int, 4: int},
}

LEAST = 4
"""Bytes that a value of a dictionary has at least: of a text how long it is."""

_FORMS = {0: (_DATA, 2), 2: (_DICTIONARY, 2), 3: (_DATA_2, 4)}
"""By the type of a page: its own part of the head, and where that says how values are written."""

_KINDS = {0, 1, 2, 4, 5, 6}
"""Booleans, whole and floating numbers, and bytes; of another kind a value can be longer than its page."""

_PLAIN, _DICTIONARIES, _RUNS = 0, (2, 8), 3
_WRITTEN = {_PLAIN, *_DICTIONARIES, _RUNS}
"""As themselves, as places in a dictionary, in runs. Others can write a value by the one before, and so in a
few bytes one that is as long."""

MOST = 1 << 16
"""Pages."""

_FLAT = (0, 1)
"""A value a row, which may be missing."""


class Unmeasured(ValueError):
    """A file that does not say to how much it reads, or says it twice; the message is half a sentence."""


def measured(held: Held) -> tuple[int, int]:
    """How many rows a file has, and how many bytes its pages unpack to. Raises :class:`Unmeasured`."""
    try:
        return _measured(held)
    except NoThrift as wrong:
        raise Unmeasured(str(wrong)) from None


def _measured(held: Held) -> tuple[int, int]:
    size = len(held)
    if size < 12 or held[:4] != MAGIC or held[-4:] != MAGIC:
        raise Unmeasured("no Parquet file, or not the whole")
    end = size - 8
    begin = end - int.from_bytes(held[end : end + 4], "little")
    if begin < len(MAGIC):
        raise Unmeasured("its table of contents is longer than the file")
    contents = Reader(held, begin, end).structure(_CONTENTS)
    columns, rows, groups = _columns(contents), contents.get(_ROWS), contents.get(_GROUPS, [])
    if _ENCRYPTED in contents or sum(group.get(_ROWS_OF_GROUP, -1) for group in groups) != rows:
        raise Unmeasured("its parts have other rows than the whole")
    pages = unpacked = 0
    for group in groups:
        chunks = group.get(_COLUMNS, [])
        if len(chunks) != len(columns) or group[_ROWS_OF_GROUP] < 0:
            raise Unmeasured("a part of it has other columns than the whole")
        for chunk, kind in zip(chunks, columns, strict=True):
            more, taken = _chunk(held, begin, chunk, kind, group[_ROWS_OF_GROUP])
            pages, unpacked = pages + more, unpacked + taken
            if pages > MOST:
                raise Unmeasured(f"more than {MOST:,} pages")
    return rows, unpacked


def _columns(contents: dict[int, Any]) -> Sequence[int]:
    """The kind of each; the first of the list is what holds them."""
    whole, *columns = contents.get(_SCHEMA) or [{}]
    flat = all(_CHILDREN not in c and c.get(_REPETITION) in _FLAT and c.get(_KIND) in _KINDS for c in columns)
    if not flat or whole.get(_CHILDREN) != len(columns):
        raise Unmeasured("it holds more than a table of numbers and texts")
    return [column[_KIND] for column in columns]


def _chunk(held: Held, limit: int, chunk: dict[int, Any], kind: int, rows: int) -> tuple[int, int]:
    """The pages of a column in a group, and how many bytes they unpack to."""
    told = chunk.get(_COLUMN, {})
    if chunk.keys() & {_ELSEWHERE, _CRYPTO, _CRYPTIC} or told.get(_KIND) != kind or told.get(_COUNT) != rows:
        raise Unmeasured("a column has other rows than its part, or another kind, or is elsewhere")
    data, packed = told.get(_DATA_AT, -1), told.get(_PACKED, -1)
    at = told.get(_DICTIONARY_AT, data)
    end = at + packed
    if not len(MAGIC) <= at <= data <= end <= limit:
        raise Unmeasured("a column is not where it says")
    pages = values = unpacked = 0
    while at < end:
        reader = Reader(held, at, end)
        head = reader.structure(_HEAD)
        at = reader.at + _sized(head, _SIZE)
        pages, unpacked = pages + 1, unpacked + _sized(head, _UNPACKED)
        values += _values(head)
    if at != end or values != rows:
        raise Unmeasured("the pages of a column have other rows than the column")
    return pages, unpacked


def _values(head: dict[int, Any]) -> int:
    """How many rows a page has, and a dictionary none; of both no more than can be there."""
    if head.get(_PAGE) not in _FORMS:
        raise Unmeasured("a page of a type that no table has")
    form, written = _FORMS[head[_PAGE]]
    told = head.get(form, {})
    number, way = told.get(1, -1), told.get(written)
    of_a_dictionary = form == _DICTIONARY
    if number < 0 or way not in _WRITTEN or (of_a_dictionary and number * LEAST > head[_UNPACKED]):
        raise Unmeasured("a page whose values nobody counts")
    return 0 if of_a_dictionary else number


def _sized(head: dict[int, Any], name: int) -> int:
    size: int = head.get(name, -1)
    if size < 0:
        raise Unmeasured("a page without a size")
    return size
