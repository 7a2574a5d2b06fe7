"""Several versions as one table: what is counted, what is told of a finding that comes and goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.versions_by_hand import run, verdict
from xent_conformance.reports.ci import data
from xent_conformance.reports.views.versions import Cell, Lifetime
from xent_conformance.versions.matrix import by_version, version_of, versions

MUST, SHOULD, GONE = "breaks_must", "breaks_should", "unsupported"


def _cells(*runs: Any) -> list[Cell | None]:
    (line,) = versions(runs).lines
    return list(line.cells)


def _life(*statuses: str) -> Lifetime:
    """The one finding of versions whose one verdict has these statuses."""
    (life,) = versions([run(f"{i}.0", verdict(status=s)) for i, s in enumerate(statuses, 1)]).lifetimes
    return life


def test_oldest_first() -> None:
    runs = [run(v, verdict()) for v in ("10.0", "odd", "2.0", "2.0rc1", "2.0+cpu")]
    assert [version_of(r) for r in by_version(runs)] == ["2.0rc1", "2.0", "2.0+cpu", "10.0", "odd"]
    assert versions(runs).versions == ("2.0rc1", "2.0", "2.0+cpu", "10.0", "odd")


def test_verdicts_are_counted_by_what_they_are() -> None:
    rows = [verdict(i, status=s) for i, s in enumerate((MUST, MUST, SHOULD, GONE, "open", "conforms"))]
    (cell,) = _cells(run("1", *rows))
    assert cell is not None
    assert (cell.verdicts, cell.must, cell.should, cell.unsupported) == (6, 2, 1, 1)


def test_the_worst_error_is_that_of_ordinary_rows_by_format() -> None:
    rows = [
        verdict(0, ulps=3.0),
        verdict(1, ulps=0.5),
        verdict(2, ulps=7.0, dtype="bfloat16"),
        verdict(3, ulps=1e9, family="huge_logits"),
        verdict(4, ulps=float("nan")),
        verdict(5, ulps=float("inf"), dtype="float16"),
    ]
    (cell,) = _cells(run("1", *rows))
    assert cell is not None
    assert cell.worst == {"bfloat16": 7.0, "float16": float("inf"), "float32": 3.0}


def test_bits_are_compared_with_the_version_before() -> None:
    a = run("1", verdict(0), verdict(1), verdict(2), verdict(3, hash="other"))
    b = run("2", verdict(0, bits="1"), verdict(1), verdict(3), verdict(4))
    c = run("3", verdict(0, bits="1"), verdict(1, status=GONE))
    assert [None if x is None else (x.changed, x.compared) for x in _cells(a, b, c)] == [
        (None, None),
        (1, 2),
        (1, 2),
    ]


def test_a_changed_grade_with_other_bits_is_counted_too() -> None:
    _, cell = _cells(run("1", verdict()), run("2", verdict(status=MUST, bits="1")))
    assert cell is not None and cell.changed == 1


def test_an_implementation_that_a_version_lacks() -> None:
    table = versions([run("1", verdict()), run("2", verdict(), verdict(implementation="fake.new"))])
    assert [line.implementation for line in table.lines] == ["fake.new", "fake.softmax"]
    assert table.lines[0].cells[0] is None and table.lines[0].cells[1] is not None


def test_controls_come_last() -> None:
    table = versions([run("1", verdict(formulation="naive", implementation="a"), verdict())])
    assert [(line.implementation, line.control) for line in table.lines] == [
        ("fake.softmax", False),
        ("a", True),
    ]


@pytest.mark.parametrize(
    ("statuses", "since", "until", "story"),
    [
        (["conforms", MUST, MUST], "2.0", "—", "new in 2.0"),
        ([MUST, MUST, "conforms"], "1.0 or before", "3.0", "gone in 3.0"),
        (["conforms", MUST, "conforms"], "2.0", "3.0", "new in 2.0, gone in 3.0"),
        ([MUST, "conforms", MUST], "1.0 or before", "—", "in more or fewer verdicts"),
        (["conforms", MUST, GONE], "2.0", "3.0", "new in 2.0, gone in 3.0"),
    ],
)
def test_when_a_finding_came_and_went(statuses: list[str], since: str, until: str, story: str) -> None:
    table = versions([run(f"{i}.0", verdict(status=s)) for i, s in enumerate(statuses, 1)])
    (life,) = table.lifetimes
    assert (table.since(life), table.until(life), table.story(life)) == (since, until, story)
    assert table.moved == (life,)


def test_as_many_are_not_the_same() -> None:
    """Nothing is netted: one verdict is worse, one is better, and the finding has moved."""
    table = versions(
        [run("1", verdict(0, status=MUST), verdict(1)), run("2", verdict(0), verdict(1, status=MUST))]
    )
    (life,) = table.moved
    assert life.counts == (1, 1) and table.story(life) == "in other verdicts, as many"
    (line,) = table.lines
    assert line.cells[0] is not None and (line.cells[0].regressed, line.cells[0].fixed) == (None, None)
    assert line.cells[1] is not None and (line.cells[1].regressed, line.cells[1].fixed) == (1, 1)


def test_what_is_not_offered_has_no_faults_and_no_merits() -> None:
    assert _life(MUST, GONE, "conforms").counts == (1, None, 0)


def test_a_finding_that_is_always_there_has_not_moved() -> None:
    assert _life(MUST, MUST).steady


def test_the_worst_case_is_that_of_the_last_version_that_has_it() -> None:
    old = run("1", verdict(0, status=MUST, ulps=9e9))
    new = run("2", verdict(1, status=MUST, ulps=50.0), verdict(2, status=MUST, ulps=60.0, got=0.75))
    (life,) = versions([old, new, run("3", verdict(0), verdict(1), verdict(2))]).lifetimes
    assert life.case == "softmax/ordinary/unit/float32/n3/r2"
    assert life.answer.sentence == "returned 0.75, right 0.25, 60.0 ulp"
    assert life.counts == (1, 2, 0)


def test_must_before_should_before_controls() -> None:
    rows = [
        verdict(0, status=MUST, formulation="naive", implementation="a"),
        verdict(1, status=SHOULD, implementation="b"),
        verdict(2, status=MUST, implementation="c"),
    ]
    assert [f.implementation for f in versions([run("1", *rows)]).lifetimes] == ["c", "b", "a"]


def test_an_incomplete_version_is_named() -> None:
    assert versions([run("1", verdict()), run("2", verdict(), complete=False)]).complete == (True, False)


def test_as_json() -> None:
    """Strict JSON: what is no finite number is null."""
    rows = [verdict(status=MUST, symptom="NaN", ulps=float("inf"))]
    table = versions([run("1", *rows)], "conformance …")
    told = json.loads(json.dumps(data.versions(table), allow_nan=False))
    assert told["command"] == "conformance …" and told["date"] == "2026-11-21"
    assert told["lines"][0]["cells"][0]["worst"] == {"float32": None}
    (life,) = told["lifetimes"]
    assert (life["ulps"], life["first_seen"], life["gone_in"]) == (None, "1 or before", None)


def test_of_nothing() -> None:
    table = versions([run("1"), run("2")])
    assert table.lines == () and table.lifetimes == ()
