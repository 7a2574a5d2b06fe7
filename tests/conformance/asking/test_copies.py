"""The rows that fill a call up are answers too: each is compared with the row that it repeats (7.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import batch, question
from tests.support.here import TARGET
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.arrays import ROWS
from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import manner_of
from xent_conformance.cases.case import Batch
from xent_conformance.cases.form import Form
from xent_conformance.frameworks.interface import Array, Call
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.oracle import Oracle

CLEAN = [[0.0, 1.0, 2.0], [3.0, 3.0, -3.0], [10.0, 0.0, 0.5], [-1.0, 4.0, 4.0], [7.0, 7.0, 7.0]]

Change = Callable[[Array], None]


def _answered(b: Batch, change: Change, refuses: Callable[[Array], bool] = lambda logits: False) -> Answer:
    """By a fake that is exact but for what ``change`` does to all rows of its value, filled up or not."""

    class Changes(fakes.Exact):
        def run(self, call: Call) -> Mapping[str, Any]:
            if refuses(call.logits):
                raise ValueError("not these together")
            found = {name: np.array(a) for name, a in super().run(call).items()}
            change(found["value"])
            return found

    asked = replace(question("softmax", "value"), manner=manner_of(b))
    (answer,) = ask(InProcess(Changes), b, [asked])
    return answer


def _rows(b: Batch, answer: Answer) -> list[dict[str, Any]]:
    return rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)


def _next(row: int) -> Change:
    def change(value: Array) -> None:
        if len(value) > row:
            value[row, 0] = np.nextafter(value[row, 0], np.float32(2))

    return change


def _nothing(value: Array) -> None:
    return


@pytest.mark.parametrize("place", [5, 8, 61, ROWS - 1])
def test_the_row_whose_copy_differs(place: int) -> None:
    b = batch("softmax", CLEAN)
    answer = _answered(b, _next(place))
    assert {output: set(rows) for output, rows in answer.copies.items()} == {"value": {place % 5}}
    rows = _rows(b, answer)
    charged = [i for i, r in enumerate(rows) if r["status"] != "conforms"]
    assert charged == [place % 5]
    row = rows[place % 5]
    assert (row["status"], row["clause"], row["symptom"]) == ("breaks_should", "7.4", "other bits")
    assert row["grade"] in ("exact", "faithful"), "the original is what is graded"


@pytest.mark.parametrize(("again", "last"), [("twice", 2), ("other_between", 3)])
def test_copies_of_the_second_call_are_compared_too(again: Any, last: int) -> None:
    """In the call that is made again alone, whose rows have the first one's bits."""
    calls: list[int] = []

    def change(value: Array) -> None:
        calls.append(len(value))
        if len(value) == ROWS and len(calls) == last:  # of those that a worker makes
            _next(20)(value)

    b = batch("softmax", CLEAN, clause="7.3", form=Form(again=again))
    assert set(_answered(b, change).copies["value"]) == {0}


def test_rows_that_equal_their_copies_say_nothing() -> None:
    """NaN is NaN whatever its payload."""

    def payload(value: Array) -> None:
        value[7, 1] = np.nan
        value.view(np.uint32)[2, 1] = 0x7FC00077

    b = batch("softmax", [*CLEAN[:2], [np.nan, 0.0, 1.0], *CLEAN[3:]], clause="3.2")
    assert _answered(b, _nothing).copies == {}
    assert _answered(b, payload).copies == {}


def test_a_call_that_is_not_filled_up_has_no_copies() -> None:
    b = batch("softmax", CLEAN * 13)
    assert len(b.inputs) > ROWS
    assert _answered(b, _next(64)).copies == {}


def test_a_copy_that_is_wrong_is_wrong() -> None:
    """Not other bits alone: a number beyond the bound breaks 1.1, in whichever row of the call it stands."""

    def zero(value: Array) -> None:
        value[12] = 0

    b = batch("softmax", CLEAN)
    rows = _rows(b, _answered(b, zero))
    row = rows[2]
    assert (row["status"], row["clause"], row["got"]) == ("breaks_must", "1.1", 0.0)
    assert "once more" in row["message"]
    assert [r["status"] for r in rows].count("conforms") == 4


def test_rows_that_are_asked_apart_keep_what_their_copies_said() -> None:
    """A call that raises is asked again by halves, each filled up: copies are of their own rows."""
    poisoned = [*CLEAN[:4], [99.0, 0.0, 0.0]]
    b = batch("softmax", poisoned)
    answer = _answered(b, _next(ROWS - 1), refuses=lambda logits: bool((logits == 99).any()))
    assert set(answer.failures["value"]) == {4}
    rows = _rows(b, answer)
    other = [i for i, r in enumerate(rows) if r["symptom"] == "other bits"]
    # halves of five rows are 0, 1, 2 and 3, 4; the last copy is of row 63 % 3 = 0, and then of 3 alone
    assert other == [0, 3]
