"""A run file is whole or it is refused, and merging never lets two answers stand for one."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import re
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support import small_run
from xent_conformance.reports.run import file as run_file
from xent_conformance.reports.run.file import (
    HELD,
    SCHEMA,
    SCHEMA_VERSION,
    Run,
    RunFileError,
    as_bytes,
    merge,
    read_run,
    write_run,
)

CLAUSES = {"1.1": {"level": "must", "title": "Stable accuracy", "text": "…"}}

WORDS = {
    "dtype": "float32",
    "output": "value",
    "formulation": "fused",
    "outcome": "returned",
    "grade": "exact",
    "status": "conforms",
    "symptom": "none",
    "clause": "1.1",
    "level": "must",
}
"""A column that is not listed here has its own name as its word."""


def _verdict(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: {pl.String(): name, pl.Int32(): 7, pl.Float64(): 0.1}[kind] for name, kind in SCHEMA.items()
    }
    assert not set(changes) - set(row)
    return row | WORDS | {"framework": "fake", "machine": "here", "device": "cpu", "cause": ""} | changes


def _run(*rows: dict[str, Any], **header: Any) -> Run:
    usual: dict[str, Any] = small_run.header(
        clauses=CLAUSES,
        operators={"operator": "…"},
        families={"family": "…"},
        frameworks=[{**small_run.header()["frameworks"][0], "framework": "fake", "version": "1.0"}],
        planned={"fake": 1},
        finished={"fake": 1},
    )
    return Run(pl.DataFrame(list(rows) or [_verdict()], schema=SCHEMA, orient="row"), (usual | header,))


GONE = {"framework": "gone", "message": "it is not there", "install": "pip install gone"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.parquet"


# --- what is made of it ---------------------------------------------------------------------------------


def test_what_is_broken_is_where_it_is_put() -> None:
    """A column after the other, once; and it is what is broken and no control."""
    rows = [
        _verdict(case=f"{status} {formulation}", status=status, formulation=formulation)
        for status in ("breaks_must", "conforms", "breaks_should", "open")
        for formulation in ("fused", "naive")
    ]
    run, put = _run(*rows), []

    def elsewhere(column: pl.Series) -> pl.Series:
        put.append(column.name)
        return column.reverse() if column.name == "case" else column

    faults = Run(run.verdicts, run.headers, elsewhere).broken
    assert put == list(SCHEMA) and faults["asked"].to_list() == [1, 1]
    assert faults["case"].to_list() == ["breaks_should fused", "breaks_must fused"]
    assert run.faults["case"].to_list() == ["breaks_must fused", "breaks_should fused"]


def test_a_run_goes_to_another_process_without_the_place_of_its_columns() -> None:
    """Which may be a file that this process has opened."""
    with tempfile.TemporaryFile() as opened:

        def elsewhere(column: pl.Series) -> pl.Series:
            opened.write(column.name.encode())
            return column

        here = _run(_verdict(status="breaks_must"), _verdict(case="other"))
        run = Run(here.verdicts, here.headers, elsewhere)
        assert len(run.broken) == 1 and (written := opened.tell())
        there = pickle.loads(pickle.dumps(run))
        assert there.verdicts.equals(run.verdicts) and there.headers == run.headers
        assert there.broken.equals(run.broken) and opened.tell() == written


# --- reading and writing ------------------------------------------------------------------------------


def test_what_is_written_is_read(path: Path) -> None:
    """Every bit of every number: NaN, infinities, signed zeros, subnormals, 17 digits."""
    numbers = [float("nan"), float("inf"), -0.0, 5e-324, 0.1 + 0.2, 1.7976931348623157e308]
    rows = [_verdict(case=f"r{i}", got=v, hi=-v, message="“quoted” \n [red]") for i, v in enumerate(numbers)]
    run = _run(*rows, note={"deep": [1, "ü"]})
    write_run(path, run)
    found = read_run(path)
    for column in ("got", "hi"):
        sent, read = (f[column].to_numpy().tobytes() for f in (run.verdicts, found.verdicts))
        assert sent == read
    assert found.verdicts.drop("got", "hi").equals(run.verdicts.drop("got", "hi"))
    assert dict(found.verdicts.schema) == HELD and dict(pl.read_parquet_schema(path)) == SCHEMA
    assert found.header == {**run.header, "schema": SCHEMA_VERSION, "rows": 6}
    assert found.complete


def test_between_two_pieces_something_else_is_done(path: Path) -> None:
    """After each column that is hashed, and after each piece that is written; the file is the same."""
    numbers = [name for name, kind in SCHEMA.items() if kind == pl.Float64()]
    one, many = _run(), np.arange(50_000) ** 0.5  # which are not made small
    frame = one.verdicts[np.zeros(many.size, int)].with_columns(pl.Series(name, many) for name in numbers)
    run = Run(frame, one.headers)
    write_run(path, run)
    plain, done = path.read_bytes(), [0, 0]

    def between() -> None:
        done[any(path.parent.glob(".run.parquet.*"))] += 1  # which is there while the table is written

    write_run(path, run, between)
    hashed, written = done
    assert path.read_bytes() == plain and hashed == len(SCHEMA)
    assert written >= len(numbers), "the table was written at once"


def test_a_file_of_before_causes_is_read_as_one_that_names_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written without the column, and its digest is of what it has."""
    run = _run()
    with monkeypatch.context() as before:
        before.setattr(run_file, "SCHEMA", {name: kind for name, kind in SCHEMA.items() if name != "cause"})
        write_run(path, run)
    assert "cause" not in pl.read_parquet(path).columns
    found = read_run(path)
    assert found.verdicts["cause"].to_list() == [""] and dict(found.verdicts.schema) == HELD
    assert found.verdicts.drop("cause").equals(run.verdicts.drop("cause"))


def test_a_run_without_verdicts_is_read(path: Path) -> None:
    write_run(path, Run(pl.DataFrame(schema=SCHEMA), _run().headers))
    assert read_run(path).verdicts.height == 0


@pytest.mark.parametrize(
    "header",
    [{"finished": {"fake": 0}}, {"finished": {}}, {"absent": [GONE]}, {"frameworks": []}],
    ids=str,
)
def test_an_incomplete_run_stays_incomplete(header: dict[str, Any], path: Path) -> None:
    write_run(path, _run(**header))
    assert not read_run(path).complete


def test_columns_are_put_in_order_and_strangers_dropped(path: Path) -> None:
    run = _run()
    shuffled = run.verdicts.select(list(reversed(SCHEMA))).with_columns(stranger=pl.lit(1))
    write_run(path, Run(shuffled, run.headers))
    assert read_run(path).verdicts.columns == list(SCHEMA)


def test_writing_replaces_the_old_file(path: Path) -> None:
    write_run(path, _run(_verdict(case="old")))
    write_run(path, _run(_verdict(case="new")))
    assert read_run(path).verdicts["case"].to_list() == ["new"]
    assert [p.name for p in path.parent.iterdir()] == ["run.parquet"]


def test_a_write_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was there before stays."""
    write_run(path, _run(_verdict(case="old")))

    opened = Path.open

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            super().write(data[:99])
            raise OSError(28, "No space left on device")

    def full(self: Path, mode: str = "r", **more: Any) -> Any:
        return Full(self, mode) if mode == "wb" else opened(self, mode, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match=f"No space left on device: '{re.escape(str(path))}'"):
        write_run(path, _run(_verdict(case="new")))
    assert [p.name for p in path.parent.iterdir()] == ["run.parquet"]
    assert read_run(path).verdicts["case"].to_list() == ["old"]


def _most(act: Callable[[], object]) -> int:
    """Bytes that Python holds at most meanwhile, more than before."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_is_not_in_memory_before_it_is_written(path: Path) -> None:
    """Beside the table, which is most of a run's memory, in its last moment."""
    verdicts, drawn = _run().verdicts[np.zeros(2**16, np.int64)], np.random.default_rng(0)
    floats = [name for name, kind in SCHEMA.items() if kind == pl.Float64()]
    run = Run(verdicts.with_columns(pl.Series(name, drawn.random(2**16)) for name in floats), _run().headers)
    written, held = _most(lambda: write_run(path, run)), _most(lambda: as_bytes(run))
    size = path.stat().st_size
    assert size > 2**21 and written < size / 2
    assert held >= size, "what is held is seen"


def test_a_header_that_is_no_json_leaves_nothing_behind(path: Path) -> None:
    with pytest.raises(TypeError):
        write_run(path, _run(odd={1, 2}))
    assert list(path.parent.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_run(tmp_path / "file" / "run.parquet", _run())


def test_a_merged_run_is_not_written_as_one(path: Path) -> None:
    both = merge([_run(), _run(_verdict(machine="there"), absent=[{"framework": "gone"}])])
    with pytest.raises((ValueError, RunFileError)):
        write_run(path, both)


# --- refusing -----------------------------------------------------------------------------------------


def _refused(path: Path, *words: str, without: tuple[str, ...] = ()) -> None:
    with pytest.raises(RunFileError) as refused:
        read_run(path)
    said = str(refused.value)
    for word in (str(path), *words):
        assert word in said
    assert not any(word in said.removeprefix(str(path)) for word in without), said


def test_a_missing_file(path: Path) -> None:
    _refused(path, "no such file", "`conformance run -o")
    path.mkdir()
    _refused(path, "a folder, and no run file; name the run file that is in it")


def test_a_torn_file_at_every_length(path: Path) -> None:
    write_run(path, _run(*(_verdict(case=f"r{i}") for i in range(50))))
    whole = path.read_bytes()
    step = max(len(whole) // 40, 1)
    for length in {*range(0, len(whole), step), *range(12), *range(len(whole) - 12, len(whole))}:
        path.write_bytes(whole[:length])
        _refused(path, *((": torn (", "--resume") if length else ("empty", "run again")))


STUBS = b'# Stubs of waivers.\n[[waiver]]\nname = "x"\n'

KINDS = {
    "html": (
        b"\n<!DOCTYPE html><html></html>",
        "an HTML page, and no run file; give the run file that it was",
    ),
    "json": (b"\xef\xbb\xbf{}", "a JSON document, and no run file; give the run file that it was made from"),
    "junit": (b"<?xml version='1.0'?>", "an XML document, and no run file; give the run file that it was"),
    "waivers": (STUBS, "a file of waivers, and no run file; give it with --waivers, and a run file here"),
    "waivers that are no TOML": (b"[[waiver]\nname=", "a file of waivers, and no run file; give it with"),
    "toml": (b"[tool.conformance]\nwaivers = []\n", "a TOML document, and no run file; give waivers with"),
    "tables": (b"\n[[ cases ]]\n", "a TOML document, and no run file; give waivers with --waivers, and a"),
    "json list": (b"[[true], [null]]", "a JSON document, and no run file; give the run file that it was"),
    "json word": (b"[null]", "a JSON document, and no run file; give the run file that it was made from"),
    "json text": (b'["waiver"]', "a JSON document, and no run file; give the run file that it was made from"),
    "zip": (b"PK\x03\x04....", "a ZIP archive, and no run file; unpack it"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "text": ("naïve ☃\n".encode() * 999, "a text, and no run file; give one that `conformance run -o FILE"),
    "nul": (b"\0" * 4096, "no Parquet file (it begins with 00 00 00 00); give one that"),
    "latin": ("naïve".encode("latin-1") * 99, "no Parquet file (it begins with 6e 61 ef 76)"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_told_as_what_it_is(kind: str, path: Path) -> None:
    content, words = KINDS[kind]
    path.write_bytes(content)
    _refused(path, f"{path}: {words}", without=("torn", "--resume"))


@pytest.mark.parametrize("content", [b"PAR1PAR1", b"PAR1", b"PA", b"PAR1<html>"])
def test_what_begins_as_parquet_and_does_not_end_so_is_torn(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    _refused(path, f"{path}: torn (", "--resume if it was interrupted")


def test_the_run_file_beside_a_page_is_named(path: Path) -> None:
    page = path.with_name("mine.html")
    page.write_text("<html></html>", encoding="utf-8")
    _refused(page, "give the run file that it was made from", without=(".parquet",))
    page.with_suffix(".parquet").write_bytes(b"PAR1")
    _refused(page, f"that it was made from, which may be {page.with_suffix('.parquet')}")


def test_a_file_that_may_not_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(path, _run())

    def refuses(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuses)
    _refused(path, f"{path}: cannot be read: Permission denied; name a run file that can be")


def test_a_foreign_parquet_file(path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(path)
    _refused(path, "a Parquet file, but not one of ours")


@pytest.mark.parametrize("header", ["{", "nonsense"])
def test_a_header_that_is_no_header(header: str, path: Path) -> None:
    _run().verdicts.write_parquet(path, metadata={run_file._KEY: header})
    _refused(path, "damaged, or not a run file (", "copy it again, or run again", without=("torn",))


@pytest.mark.parametrize(("schema", "age"), [(SCHEMA_VERSION + 1, "a newer"), (0, "an older")])
def test_another_schema_version(schema: int, age: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as m:
        m.setattr(run_file, "SCHEMA_VERSION", schema)
        write_run(path, _run())
    _refused(
        path, f"written by {age} version of the suite (schema {schema}, this one reads {SCHEMA_VERSION})"
    )


@pytest.mark.parametrize("change", ["fewer", "more", "retyped", "renamed", "passed", "closer", "later"])
def test_rows_that_were_changed_after_the_run(change: str, path: Path) -> None:
    write_run(path, _run(_verdict(case="a"), _verdict(case="b")))
    metadata = {run_file._KEY: pl.read_parquet_metadata(path)[run_file._KEY]}
    frame = pl.read_parquet(path)
    changed = {
        "fewer": frame.head(1),
        "more": pl.concat([frame, frame.head(1)]),
        "retyped": frame.cast({"ulps": pl.Float32}),
        "renamed": frame.rename({"ulps": "error"}),
        "passed": frame.with_columns(status=pl.lit("open")),
        "closer": frame.with_columns(ulps=pl.col("ulps") + 0.5),
        "later": frame.reverse(),
    }[change]
    changed.write_parquet(path, metadata=metadata)
    _refused(path, "does not fit its digest: it was changed after the run, so it is no evidence; run again")


def test_a_header_without_a_count_is_refused(path: Path) -> None:
    text = json.dumps({"schema": SCHEMA_VERSION, "rows": 2})
    _run().verdicts.write_parquet(path, metadata={run_file._KEY: text})
    _refused(path, "does not fit its digest")


def test_a_header_that_was_changed_after_the_run(path: Path) -> None:
    """Nothing in the table is another, but now more was planned, or less."""
    write_run(path, _run())
    header = json.loads(pl.read_parquet_metadata(path)[run_file._KEY])
    header["finished"] = {"fake": 7}
    pl.read_parquet(path).write_parquet(path, metadata={run_file._KEY: json.dumps(header)})
    _refused(path, "does not fit its digest")


# --- merging -------------------------------------------------------------------------------------------


def test_two_machines_stand_side_by_side() -> None:
    here, there = _run(), _run(_verdict(machine="there"), absent=[{"framework": "gone"}])
    merged = merge([here, there])
    assert merged.verdicts["machine"].to_list() == ["here", "there"]
    assert merged.headers == (*here.headers, *there.headers)
    assert here.complete and not merged.complete, "one incomplete run leaves the whole incomplete"


@pytest.mark.parametrize("column", ["device", "version", "mode", "implementation", "output", "case"])
def test_what_tells_two_answers_apart(column: str) -> None:
    assert merge([_run(), _run(_verdict(**{column: "another"}))]).verdicts.height == 2


def test_a_target_twice_is_refused() -> None:
    with pytest.raises(RunFileError, match=r"answer for implementation on cpu of here \(case\)"):
        merge([_run(), _run(_verdict(ulps=3.0))])


def test_runs_by_different_specifications_are_refused() -> None:
    other = {"1.1": {**CLAUSES["1.1"], "level": "should"}}
    with pytest.raises(RunFileError, match=r"different versions of SPEC\.md"):
        merge([_run(), _run(_verdict(machine="there"), clauses=other)])


def test_one_case_with_two_contents_is_refused() -> None:
    """Same path, other bits: not comparable, so not side by side."""
    with pytest.raises(RunFileError):
        merge([_run(), _run(_verdict(machine="there", hash="another"))])


def test_nothing_to_merge() -> None:
    with pytest.raises(RunFileError, match="no run file given"):
        merge([])


def test_one_run_merges_to_itself() -> None:
    run = _run()
    assert merge([run]).verdicts.equals(run.verdicts) and merge([run]).header == run.header
