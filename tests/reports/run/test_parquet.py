"""Tables that lie about what they unpack to are refused before they are unpacked; an honest one is read."""

from __future__ import annotations

import io

import polars as pl
import pytest

from tests.support.hostile_parquet import HONEST, hostile
from xent_conformance.reports.run import parquet, thrift
from xent_conformance.reports.run.parquet import NoParquet, metadata, table

COLUMNS: dict[str, pl.DataType] = {"case": pl.String()}

HOSTILE = hostile()

UNPACKED = ("one text that 9,000 rows have",)
"""What is known of a table when it is there, and before anything is made of it."""


def test_an_honest_file_by_hand_is_read() -> None:
    assert table(io.BytesIO(HONEST.written()), COLUMNS)["case"].to_list() == ["a", "bc"]


@pytest.mark.parametrize(("little", "times"), [(parquet.LITTLE, 1), (0, 3)])
def test_a_few_bytes_are_read_at_once_and_many_a_column_at_a_time(
    little: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = {"case": pl.String(), "index": pl.Int64(), "clause": pl.Categorical()}
    written, reads, read = io.BytesIO(), list[object](), pl.read_parquet
    whole = pl.DataFrame({"case": ["a", "bc"], "index": [1, None], "clause": ["1.1", "1.1"]})
    whole.write_parquet(written)
    monkeypatch.setattr(parquet, "LITTLE", little)
    monkeypatch.setattr(pl, "read_parquet", lambda *a, **k: reads.append(a) or read(*a, **k))
    found = table(io.BytesIO(written.getvalue()), {**schema, "clause": pl.String()}, words=("clause",))
    assert found.schema == schema and len(reads) == times
    assert found.cast({"clause": pl.String}).equals(whole)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_lie_is_refused_before_it_is_unpacked(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held, words = HOSTILE[what]

    def unpacked(_: object) -> None:
        raise AssertionError("it is unpacked")

    if what not in UNPACKED:
        monkeypatch.setattr(pl, "read_parquet", unpacked)
    with pytest.raises(NoParquet) as refused:
        table(io.BytesIO(held), COLUMNS)
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_it_would_be_unpacked_if_nobody_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    held, _ = HOSTILE["a text of 40 MB, packed"]
    monkeypatch.setattr(parquet, "measured", lambda _: (1, 1))
    monkeypatch.setattr(parquet, "TEXT_A_ROW", 1 << 30)
    assert table(io.BytesIO(held), COLUMNS)["case"].str.len_bytes().item() == 40_000_000


def test_contents_of_very_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thrift, "MOST", 20)
    with pytest.raises(NoParquet, match="more than 20 values"):
        table(io.BytesIO(HONEST.written()), COLUMNS)


def test_words_of_megabytes_beside_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "METADATA", 10)
    with pytest.raises(NoParquet, match="stand beside its table"):
        metadata(io.BytesIO(HONEST.written()))
