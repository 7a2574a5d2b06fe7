"""A file by its name: which kind it is, what is wrong with it, and what is found in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.outside import case, file_of, held, loss, path_of
from xent_conformance.cases.outside import files
from xent_conformance.cases.outside.files import find_in, read_file, read_files
from xent_conformance.cases.outside.numbers import CasesError


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(CasesError, match=r"none\.json: no such file$"):
        read_file(tmp_path / "none.json")
    broken = path_of(tmp_path, case(dtype="int8"))
    with pytest.raises(CasesError, match=r"mine\.json: case 'one': unknown dtype 'int8'"):
        read_file(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CasesError, match="it is no text in UTF-8"):
        read_file(broken)
    broken.write_text("", encoding="utf-8")
    with pytest.raises(CasesError, match="it is empty"):
        read_file(broken)


def test_a_name_of_the_corpus_is_taken(tmp_path: Path) -> None:
    with pytest.raises(CasesError, match="'ordinary' is a family of the corpus"):
        file_of(tmp_path, case(), name="ordinary")


def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    with pytest.raises(CasesError, match="a file of cases at most 100: give several"):
        file_of(tmp_path, case())


def test_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(held(case())), encoding="utf-8-sig")
    assert read_file(path).name == "mine"


def test_two_files_of_one_name(tmp_path: Path) -> None:
    first, other = path_of(tmp_path, case()), tmp_path / "other.json"
    other.write_bytes(first.read_bytes())
    with pytest.raises(CasesError, match=r"other\.json: its name is 'mine', as that of .*mine\.json"):
        read_files([first, other])


def test_cases_are_found_by_their_id(tmp_path: Path) -> None:
    found = read_files([path_of(tmp_path, case(), loss(id="two")), path_of(tmp_path, case(), name="b")])
    for file in found:
        for batch in file.batches:
            for c in batch.cases:
                assert find_in(found, c.id) == (batch, c)
    for other in ("softmax/mine/one/float32/n3/r1", "softmax/c/one/float32/n3/r0", "", "softmax/mine"):
        with pytest.raises(LookupError):
            find_in(found, other)


def test_the_digest_is_of_what_is_asked(tmp_path: Path) -> None:
    """Not of the bytes: a note and a blank change nothing, a bit, a clause and an id do."""
    one = file_of(tmp_path, case()).digest
    assert file_of(tmp_path, case(note="words"), source="other").digest == one
    for changes in (
        {"logits": [[1, 2, 4.5]]},
        {"clause": "7.1"},
        {"id": "other"},
        {"cotangent": [[1, 2, 3]]},
    ):
        assert file_of(tmp_path, case(**changes)).digest != one
