"""Clauses are read from SPEC.md; what is said beside a finding is no part of the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from xent_conformance.reference import clauses as read
from xent_conformance.reference.clauses import Level, clauses

TEXT = """
#### 1.1 (must) First
One rule,
in two lines.

> Said beside it,
> in two lines.

#### 1.2 (should, or an error) Second
A rule alone: 2 > 1.
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, read.Clause]:
    spec = tmp_path / "SPEC.md"
    spec.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(read, "SPEC", spec)
    return read.clauses.__wrapped__()


def test_a_note_is_no_rule(written: dict[str, read.Clause]) -> None:
    first, second = written.values()
    assert (first.text, first.note) == ("One rule, in two lines.", "Said beside it, in two lines.")
    assert (second.text, second.note) == ("A rule alone: 2 > 1.", "")
    assert second.level is Level.SHOULD and second.or_an_error


def test_relative_accuracy_names_the_honest_who_break_it() -> None:
    """By the premises of 8.1, three ulps of exp and sums in blocks, and by base two (8.2)."""
    note = clauses()["1.2"].note
    assert note.startswith("An honest kernel can be here")
    assert all(premise in note for premise in ("3 ulp of 8.1", "in order", "power of two"))


def test_no_must_excuses_anybody() -> None:
    assert [c.id for c in clauses().values() if c.note and c.level is Level.MUST] == []
