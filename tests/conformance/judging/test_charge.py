"""A row is charged to what it was made for only where it alone shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.small_run import verdict
from xent_conformance import check
from xent_conformance.judging.charge import by_what_is_plain
from xent_conformance.reports.run.file import SCHEMA

BEYOND = {"status": "breaks_must"}
INDEX = {"family": "index_labels", "clause": "6.3", "status": "breaks_must"}


def charged(*rows: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Clause, level and status of each verdict, in their order."""
    frame = by_what_is_plain(pl.DataFrame([verdict(**row) for row in rows], schema=SCHEMA))
    assert frame.schema == SCHEMA
    return list(frame.select("clause", "level", "status").iter_rows())


MUST = ("1.1", "must", "breaks_must")


@pytest.mark.parametrize(
    ("right", "wrong", "clause"), [(1, 1, "1.1"), (0, 1, "1.1"), (2, 1, "6.3"), (3, 0, "6.3"), (0, 0, "6.3")]
)
def test_half_of_the_plain_rows_decide(right: int, wrong: int, clause: str) -> None:
    *_, found = charged(*[{}] * right, *[BEYOND] * wrong, INDEX)
    assert found == (clause, "must", "breaks_must")


def test_a_should_clause_becomes_the_must_that_is_broken() -> None:
    row = {
        "family": "soft_labels",
        "clause": "6.2",
        "level": "should",
        "status": "breaks_should",
        "symptom": "beyond the stable bound",
    }
    assert charged(BEYOND, row) == [MUST, MUST]
    assert charged({}, row)[1] == ("6.2", "should", "breaks_should")


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"status": "open"},
        {"status": "unsupported"},
        {"status": "breaks_should"},
        {"status": "breaks_should", "clause": "1.3", "level": "should", "symptom": "flushed to zero"},
        {"status": "breaks_must", "clause": "1.4", "symptom": "wrong dtype"},
        {"status": "breaks_must", "clause": "1.7", "symptom": "refused"},
        {"status": "breaks_must", "clause": "2.1", "symptom": "NaN"},
        {"status": "breaks_must", "clause": "2.1", "symptom": "infinite where finite"},
        {"status": "breaks_must", "clause": "3.2", "symptom": "a number where NaN"},
        {"status": "breaks_should", "clause": "7.3", "level": "should", "symptom": "other bits"},
    ],
    ids=lambda k: f"{k.get('status', 'conforms')} {k.get('symptom', '')}",
)
def test_what_is_wrong_in_another_way_keeps_its_clause(kept: dict[str, Any]) -> None:
    kept |= {"family": "special_values"}
    there = verdict(**kept)
    assert charged(BEYOND, kept)[1] == (there["clause"], there["level"], there["status"])


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"implementation": "other"},
        {"mode": "xla"},
        {"device": "cpu[onednn=off]"},
        {"dtype": "bfloat16"},
        {"output": "grad_logits"},
        {"operator": "log_softmax"},
        {"n": 1},
        {"family": "huge_logits"},
    ],
    ids=str,
)
def test_only_plain_rows_of_the_same_output_count(elsewhere: dict[str, Any]) -> None:
    assert charged(BEYOND | elsewhere, INDEX)[1] == ("6.3", "must", "breaks_must")


def test_the_order_of_the_verdicts_stays() -> None:
    rows = [{"case": f"c{i}", **(INDEX if i % 2 else BEYOND)} for i in range(9)]
    frame = pl.DataFrame([verdict(**row) for row in rows], schema=SCHEMA)
    assert by_what_is_plain(frame)["case"].to_list() == [f"c{i}" for i in range(9)]


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(axis=-1, keepdims=True)
    ell: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return ell


def _broken(function: Any) -> dict[str, set[str]]:
    """By family, the must clauses that a loss by index breaks."""
    checked = check(function, operator="sparse_softmax_cross_entropy", framework="numpy", dtypes=["float32"])
    broken = checked.verdicts.filter(status="breaks_must").group_by("family").agg(pl.col("clause").unique())
    return {family: set(clauses) for family, clauses in broken.iter_rows()}


def test_a_loss_that_is_wrong_everywhere_says_nothing_about_indices() -> None:
    broken = _broken(lambda x, y: -1.5 * _log_softmax(x)[np.arange(len(y)), y])
    assert broken["ordinary"] == broken["index_labels"] == broken["two_classes"] == {"1.1"}
    assert "6.4" in broken["index_range"], "a number where an error belongs is another fault"


def test_a_loss_that_is_wrong_for_indices_alone_says_so() -> None:
    """Beyond 99 they are clamped: most plain rows are right."""
    broken = _broken(lambda x, y: -_log_softmax(x)[np.arange(len(y)), np.minimum(y, 99)])
    assert "6.3" in broken["index_labels"] and "1.1" not in broken["index_labels"]
