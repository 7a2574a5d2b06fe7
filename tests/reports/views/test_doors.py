"""Which to use: the best of a framework on what all its doors were asked, and what each gets wrong."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from tests.support.small_run import run_of, verdict
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.views.doors import Fit, Line, Table, choices, doors

ONNX = {"framework": "onnx", "version": "1.23.2", "implementation": "onnx.Softmax"}
LOST = {"status": "breaks_should", "ulps": 5000.0}
FLUSHED = {"status": "breaks_should", "symptom": "flushed to zero", "grade": "divergent", "ulps": 1e6}
NAN = {"status": "breaks_must", "symptom": "NaN", "grade": "wrong_special", "ulps": inf, "got": nan}
HARD = {"family": "huge_logits", "case": "hard"}


def table(*rows: dict[str, Any]) -> Table:
    (found,) = doors(run_of(rows))
    return found


def lines(*rows: dict[str, Any]) -> dict[str, Line]:
    (there,) = table(*rows).frameworks
    return {name: line for line in there.lines for name in line.implementations}


def fit(*rows: dict[str, Any], of: str = "torch.softmax") -> Fit:
    (found,) = lines(*rows)[of].fits
    assert found is not None
    return found


def test_the_worst_error_is_of_ordinary_values_that_were_neither_lost_nor_flushed_nor_special() -> None:
    found = fit(
        verdict(case="a", ulps=0.75),
        verdict(case="b", **LOST),
        verdict(case="c", **FLUSHED),
        verdict(case="d", **NAN),
        verdict(case="e", output="grad_logits", ulps=70.0),
        verdict(**HARD, ulps=80.0),
    )
    assert found.worst == 0.75
    assert (found.lost, found.flushed, found.special, found.ordinary) == (1, 1, 1, 4)


def test_the_share_is_of_values_and_derivatives_in_every_family() -> None:
    found = fit(
        verdict(),
        verdict(output="grad_logits", status="breaks_should"),
        verdict(**HARD),
        verdict(case="no", status="open"),
        verdict(case="none", status="unsupported"),
    )
    assert (found.conforming, found.judged, found.must, found.should) == (2, 3, 0, 1)
    assert found.status is Status.BREAKS_SHOULD


def test_nothing_to_measure_is_no_error_of_zero() -> None:
    assert fit(verdict(**NAN)).worst is None
    assert fit(verdict(family="huge_logits")).worst is None


def test_implementations_are_compared_on_what_all_of_them_were_asked() -> None:
    rows = [
        verdict(),
        verdict(implementation="torch.b"),
        verdict(case="more", ulps=900.0, status="breaks_must"),
    ]
    found = fit(*rows)
    assert found.worst == 0.25 and found.judged == 1 and not found.must
    # what it gets wrong elsewhere is told all the same
    assert [w.must for w in lines(*rows)["torch.softmax"].wrong] == [True]


def best(*rows: dict[str, Any]) -> set[str]:
    return {name for name, line in lines(*rows).items() if line.fits[0] and line.fits[0].best}


def test_the_best_breaks_no_must_clause_before_it_is_accurate() -> None:
    exact = [verdict(ulps=0.1), verdict(**HARD, status="breaks_must")]
    careful = [verdict(implementation="torch.b", ulps=40.0), verdict(implementation="torch.b", **HARD)]
    assert best(*exact, *careful) == {"torch.b"}


def test_the_best_keeps_its_digits_before_it_is_accurate() -> None:
    losing = [verdict(ulps=0.5), verdict(case="b", **LOST)]
    keeping = [verdict(implementation="torch.b", ulps=3.0, case=c) for c in (verdict()["case"], "b")]
    assert best(*losing, *keeping) == {"torch.b"}


def test_the_best_has_the_smaller_error_and_then_the_larger_share() -> None:
    assert best(verdict(ulps=2.0), verdict(implementation="torch.b", ulps=1.0)) == {"torch.b"}
    shares = [verdict(), verdict(**HARD, status="breaks_should")]
    shares += [verdict(implementation="torch.b"), verdict(implementation="torch.b", **HARD)]
    assert best(*shares) == {"torch.b"}


def test_flushed_results_decide_between_the_same_errors_alone() -> None:
    ordinary = verdict()["case"]
    flushing = [verdict(ulps=0.5), verdict(case="b", **FLUSHED), verdict(**HARD)]
    other = [verdict(implementation="torch.b", ulps=0.5, case=case) for case in (ordinary, "b")]
    # as many of its answers conform
    other.append(verdict(implementation="torch.b", **HARD, status="breaks_should"))
    assert best(*flushing, *other) == {"torch.b"}
    far = [row | {"ulps": 30.0} for row in other]
    assert best(*flushing, *far) == {"torch.softmax"}


def test_where_they_do_not_differ_none_is_the_best() -> None:
    assert best(verdict()) == set()
    assert best(verdict(), verdict(implementation="torch.b")) == set()
    # both round correctly: the cases decide which of them came nearer
    assert best(verdict(ulps=0.49), verdict(implementation="torch.b", ulps=0.31)) == set()


def test_all_that_are_as_good_are_the_best() -> None:
    rows = [verdict(), verdict(implementation="torch.b"), verdict(implementation="torch.c", ulps=9.0)]
    assert best(*rows) == {"torch.softmax", "torch.b"}


def test_those_that_fared_alike_share_a_line_in_every_format() -> None:
    rows = [
        verdict(implementation=i, dtype=d) for i in ("torch.a", "torch.b") for d in ("float32", "float16")
    ]
    (there,) = table(*rows).frameworks
    assert [line.implementations for line in there.lines] == [("torch.a", "torch.b")]
    rows[3]["ulps"] = 7.0
    (there,) = table(*rows).frameworks
    assert [line.implementations for line in there.lines] == [("torch.a",), ("torch.b",)]


def test_a_format_that_was_not_asked_is_no_cell() -> None:
    found = lines(verdict(), verdict(implementation="torch.b", dtype="float16"))
    assert [f is None for f in found["torch.softmax"].fits] == [True, False]


def test_another_mode_or_setting_and_naive_controls_are_left_out() -> None:
    rows = [
        verdict(case="a"),
        verdict(case="b"),
        verdict(case="a", mode="compile", ulps=90.0),
        verdict(case="a", device="cpu[isa=avx2]", ulps=91.0),
        verdict(case="a", implementation="naive", formulation="naive", ulps=92.0),
    ]
    assert list(lines(*rows)) == ["torch.softmax"]
    assert fit(*rows).worst == 0.25


def test_a_cause_names_those_of_the_line_that_it_breaks_and_the_formats_in_which() -> None:
    rows = [
        verdict(implementation=i, dtype=d) for i in ("torch.a", "torch.b") for d in ("float32", "float16")
    ]
    rows += [
        verdict(implementation="torch.b", case="x", status="breaks_must", cause="offset-kept"),
        *(
            verdict(implementation=f"torch.{i}", case="y", status="breaks_should", cause="small")
            for i in "ab"
        ),
    ]
    found = lines(*rows)["torch.a"].wrong
    assert [(w.cause, w.must, w.dtypes, w.only) for w in found] == [
        ("offset-kept", True, ("float32",), ("torch.b",)),
        ("small", False, ("float32",), ()),
    ]


def test_a_file_that_names_no_causes_has_them_by_clause() -> None:
    (wrong,) = lines(verdict(status="breaks_must"))["torch.softmax"].wrong
    assert wrong.cause == "1-1-softmax-value-beyond-the-stable-bound"


def test_frameworks_stand_side_by_side_on_the_rows_that_all_were_asked() -> None:
    rows = [
        verdict(ulps=0.5),
        verdict(implementation="torch.b", ulps=9.0),
        verdict(case="more", ulps=300.0),
        verdict(**ONNX, ulps=87.4),
    ]
    found = table(*rows).standings["float32"]
    assert [(s.place.framework, s.implementations, s.fit.worst) for s in found] == [
        ("torch", ("torch.softmax",), 0.5),
        ("onnx", ("onnx.Softmax",), 87.4),
    ]


def test_whoever_loses_digits_or_returns_nan_stands_behind() -> None:
    rows = [verdict(ulps=0.1), verdict(case="b", **NAN)]
    rows += [verdict(**ONNX, ulps=50.0), verdict(**ONNX, case="b", ulps=50.0)]
    assert [s.place.framework for s in table(*rows).standings["float32"]] == ["onnx", "torch"]


def test_what_there_is_to_choose_in_each_framework() -> None:
    found = table(verdict(ulps=0.5), verdict(implementation="torch.b", ulps=1680.0), verdict(**ONNX))
    onnx, torch = choices(found, "float32")
    assert (torch.best, torch.best_fit.worst) == (("torch.softmax",), 0.5)
    assert (torch.worst, torch.worst_fit.worst) == (("torch.b",), 1680.0)
    assert onnx.best == onnx.worst == ("onnx.Softmax",)
    assert choices(found, "float16") == ()
