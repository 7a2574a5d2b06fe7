"""The digest of a corpus is remembered by what decides it, and never trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from xent_conformance.cases import corpus, digest
from xent_conformance.cases.digest import digests_folder, of_corpus, remembered_digest
from xent_conformance.reference.sources import hash_of

MADE = "0123456789abcdef" * 4


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The profiles whose corpus was made; an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[str] = []

    def make(profile: str) -> str:
        asked.append(profile)
        return MADE

    monkeypatch.setattr(digest, "digest", make)
    remembered_digest.cache_clear()
    yield asked
    remembered_digest.cache_clear()


def anew(profile: str = "quick") -> str:
    """As another process would have it."""
    remembered_digest.cache_clear()
    return remembered_digest(profile)


def test_it_is_made_once_for_all_processes(made: list[str]) -> None:
    assert [anew(), anew(), anew("standard"), anew("standard")] == [MADE] * 4
    assert made == ["quick", "standard"]


def test_it_is_the_digest_of_the_corpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        assert anew() == anew() == digest.digest("quick")
    finally:
        remembered_digest.cache_clear()


@pytest.mark.parametrize("damage", [b"", b"torn", b"\xff\xfe", f"{MADE[::-1]} {MADE}\n".encode()])
def test_what_does_not_fit_is_made_again(damage: bytes, made: list[str]) -> None:
    anew()
    entry = digests_folder() / of_corpus() / "quick.digest"
    whole = entry.read_bytes()
    entry.write_bytes(damage)
    assert anew() == MADE and made == ["quick"] * 2
    assert entry.read_bytes() == whole


def test_an_entry_of_another_profile_does_not_fit(made: list[str]) -> None:
    anew("standard")
    folder = digests_folder() / of_corpus()
    (folder / "standard.digest").rename(folder / "quick.digest")
    anew()
    assert made == ["standard", "quick"]


def test_where_nothing_can_be_written_it_is_made(made: list[str]) -> None:
    digests_folder().parent.mkdir(parents=True)
    digests_folder().write_text("a file", encoding="utf-8")
    assert anew() == anew() == MADE and made == ["quick"] * 2


def test_data_of_a_family_decides_it_too(tmp_path: Path) -> None:
    """Historical and published inputs are JSON."""
    told = sorted(Path(corpus.__file__).parent.rglob("*.json"))
    assert told
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_text("1\n", encoding="utf-8")
    (tmp_path / "a" / "x.json").write_text(json.dumps([1]), encoding="utf-8")
    every = (".py", ".json")
    before = hash_of(tmp_path, suffixes=every), hash_of(tmp_path)
    (tmp_path / "a" / "x.json").write_text(json.dumps([2]), encoding="utf-8")
    assert hash_of(tmp_path, suffixes=every) != before[0] and hash_of(tmp_path) == before[1]
