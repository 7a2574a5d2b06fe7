"""The header of a file that was made small is packed: the same header, or none."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import polars as pl
import pytest

from tests.support.small_run import header, run_of, verdict
from xent_conformance.reports.run.file import SLIM, read_run, write_run
from xent_conformance.reports.run.packed import packed, unpacked
from xent_conformance.reports.run.parquet import METADATA
from xent_conformance.reports.run.unusable import RunFileError

TEXT = '{"clauses": {"1.1": "εn, 2⁻²⁴"}}' * 200


def _deflated(held: bytes) -> str:
    return base64.b85encode(held).decode()


HELD = zlib.compress(TEXT.encode())

OTHER = {
    "cut off": (_deflated(HELD[:-1]), "cut off"),
    "something behind it": (_deflated(HELD + b"more"), "cut off"),
    "other bytes": (_deflated(b"\0" + HELD[1:]), "cannot be unpacked"),
    "other letters": ('{"schema": 3}', "bad base85"),
    "no text": (_deflated(zlib.compress(b"\xff")), "utf-8"),
    "far more than it is": (_deflated(zlib.compress(bytes(METADATA + 1))), "far more than it is"),
}


def test_it_is_the_same_text_in_fewer_letters() -> None:
    assert unpacked(packed(TEXT)) == TEXT and len(packed(TEXT)) < len(TEXT) / 20


@pytest.mark.parametrize("what", OTHER)
def test_anything_else_is_refused(what: str, tmp_path: Path) -> None:
    letters, words = OTHER[what]
    with pytest.raises(ValueError, match=words):
        unpacked(letters)
    path = tmp_path / "run.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path, metadata={"xent-conformance-deflated": letters})
    with pytest.raises(RunFileError, match="damaged, or not a run file"):
        read_run(path)


def test_the_header_of_a_small_file_alone_is_packed(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    for told, letters in ((header(), str), (header(**{SLIM: "the numbers"}), unpacked)):
        write_run(path, run_of([verdict()], told))
        assert read_run(path).header["clauses"] == told["clauses"]
        (text,) = (v for k, v in pl.read_parquet_metadata(path).items() if k != "ARROW:schema")
        assert json.loads(letters(text))["clauses"] == told["clauses"]
