"""What was made last is not made again, as far as its bytes allow."""

from __future__ import annotations

import pytest

from xent_conformance.cases.recent import Recent, recent


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def text(made: list[str]) -> Recent[str]:
    """A text of so many letters; twelve bytes are kept."""

    @recent(12, len)
    def text(letter: str, times: int) -> str:
        made.append(letter)
        return letter * times

    return text


def test_what_is_kept_is_made_once(text: Recent[str], made: list[str]) -> None:
    assert text("a", 4) is text("a", 4)
    assert made == ["a"]


def test_what_was_asked_longest_ago_goes_first(text: Recent[str], made: list[str]) -> None:
    for letter in "abc":
        text(letter, 4)
    text("a", 4)  # asked again: b is the oldest now
    text("d", 4)
    made.clear()
    for letter in "acdb":
        assert text(letter, 4) == 4 * letter
    assert made == ["b"]


def test_what_is_larger_than_all_is_not_kept_and_takes_nobodys_place(
    text: Recent[str], made: list[str]
) -> None:
    text("a", 4), text("x", 13), text("x", 13), text("a", 4)
    assert made == ["a", "x", "x"]


def test_one_that_fails_is_asked_again() -> None:
    tried = []

    @recent(12, len)
    def fails() -> str:
        tried.append(1)
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):
            fails()
    assert len(tried) == 2


def test_what_is_forgotten_is_made_anew(text: Recent[str], made: list[str]) -> None:
    text("a", 4)
    made.clear()
    text.forget()
    assert text("a", 4) == "aaaa" and made == ["a"] and text("a", 4) is text("a", 4)
