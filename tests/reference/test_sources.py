"""What decides is hashed whole: a number changed in any file that decides changes the hash."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from xent_conformance.reference.sources import hash_of, of_reference, of_truths
from xent_conformance.running import header
from xent_conformance.running.header import INSTRUMENT, of_instrument

NUMBER = re.compile(rb"\b\d+\b")

TRUTHS = ("reference", (".",), ("bounds",))
REFERENCE = ("reference", (".",), ())
JUDGED = ("conformance", INSTRUMENT, ())
CORPUS = ("cases", (".",), ())


def deciding(folder: str, parts: tuple[str, ...], but: tuple[str, ...]) -> list[str]:
    """The files that one hash is of, as paths in the checkout."""
    found = [f for part in parts for f in sorted((ROOT / folder / part).rglob("*.py"))]
    left = [f for f in found if not any(f.is_relative_to(ROOT / folder / name) for name in but)]
    return [f.relative_to(ROOT / folder).as_posix() for f in left if NUMBER.search(f.read_bytes())]


@pytest.mark.parametrize(
    "what", [TRUTHS, REFERENCE, JUDGED, CORPUS], ids=["truths", "reference", "instrument", "corpus"]
)
def test_one_number_in_any_file_that_decides_changes_the_hash(
    what: tuple[str, tuple[str, ...], tuple[str, ...]], tmp_path: Path
) -> None:
    folder, parts, but = what
    shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = hash_of(tmp_path / folder, parts, but=but)
    files = deciding(*what)
    assert len(files) >= 8
    for name in files:
        file = tmp_path / folder / name
        kept = file.read_bytes()
        last = [*NUMBER.finditer(kept)][-1]
        file.write_bytes(kept[: last.start()] + b"5" + kept[last.start() :])
        assert hash_of(tmp_path / folder, parts, but=but) != before, name
        file.write_bytes(kept)
    assert hash_of(tmp_path / folder, parts, but=but) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("bounds/sizes.py", "else 5.0", "else 500.0"),
        ("inputs.py", "labels[i]", "labels[0]"),
        ("clauses/SPEC.md", "must", "open"),
    ],
)
def test_what_was_once_left_out_counts(file: str, old: str, new: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reference", tmp_path / "r")
    text = (tmp_path / "r" / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "r" / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert hash_of(tmp_path / "r") != of_reference()


def test_a_bound_is_not_stored_with_a_truth(tmp_path: Path) -> None:
    """So a bound that is derived anew leaves the truths as they are."""
    shutil.copytree(ROOT / "reference", tmp_path / "r")
    (tmp_path / "r" / "bounds" / "sizes.py").write_text("Q = 500\n", encoding="utf-8")
    assert hash_of(tmp_path / "r", but=("bounds",)) == of_truths() != of_reference()


def test_a_file_that_is_added_counts_and_an_empty_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="has no source"):
        hash_of(tmp_path, ("a",))
    (tmp_path / "a" / "x.py").write_text("1\n", encoding="utf-8")
    one = hash_of(tmp_path, ("a",))
    (tmp_path / "a" / "y.py").write_text("", encoding="utf-8")
    assert hash_of(tmp_path, ("a",)) != one
    assert len({one, of_instrument(), of_reference(), of_truths()}) == 4


def test_what_decides_who_is_asked_is_of_the_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of the corpus is that of its inputs: another may be asked of a compiler, or of nobody."""
    monkeypatch.setattr(header, "of_cases", lambda: "another")
    assert header.of_instrument.__wrapped__() != of_instrument()
