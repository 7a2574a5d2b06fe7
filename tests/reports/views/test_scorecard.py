"""The scorecard: what counts as an error, what as a small result that was lost, what happens at an edge."""

from __future__ import annotations

import math
from typing import Any

from tests.support.small_run import header, run_of, verdict
from xent_conformance.reports.views.scorecard import Scorecard, scorecard


def card(rows: list[dict[str, Any]], *frameworks: str) -> Scorecard:
    return scorecard(run_of(rows, header()), frameworks or ("torch",))


def edge(rows: list[dict[str, Any]], name: str) -> Any:
    found = card(rows)
    return found.lines[0].edges[[e.name for e in found.edges].index(name)]


def test_the_worst_of_each_format_and_who_it_is_of() -> None:
    rows = [
        verdict(case="a", ulps=0.4),
        verdict(case="b", ulps=7.0, grade="accurate", implementation="torch.nn.Softmax"),
        verdict(case="c", dtype="bfloat16", ulps=0.5),
        verdict(case="d", ulps=900.0, n=1),
        verdict(case="e", ulps=900.0, family="huge_logits"),
        verdict(case="f", ulps=900.0, output="grad_logits"),
        verdict(case="g", ulps=900.0, formulation="naive"),
        verdict(case="h", ulps=900.0, device="cpu[isa=avx2]"),
    ]
    found = card(rows)
    assert found.columns == (("softmax", ("bfloat16", "float32")),)
    sixteen, thirty_two = found.lines[0].cells
    assert (sixteen.ulps, thirty_two.ulps) == (0.5, 7.0)
    assert thirty_two.implementation == "torch.nn.Softmax" and thirty_two.case == "b"


def test_a_small_result_that_was_lost_or_flushed_is_counted_and_is_no_error_in_ulps() -> None:
    rows = [
        verdict(case="a", ulps=0.5),
        verdict(case="b", status="breaks_should", symptom="lost relative accuracy", ulps=1e7),
        verdict(case="c", status="breaks_should", clause="1.3", symptom="flushed to zero", ulps=3e8),
    ]
    (cell,) = card(rows).lines[0].cells
    assert cell.ulps == 0.5 and cell.small == 2
    tiny = edge(rows, "tiny results")
    assert (tiny.broken, tiny.level) == (2, "should")


def test_a_wrong_special_value_is_a_word_and_worse_than_every_number() -> None:
    rows = [
        verdict(case="a", status="breaks_must", ulps=1e12),
        verdict(
            case="b", status="breaks_must", symptom="NaN", grade="wrong_special", ulps=math.nan, cause="why"
        ),
    ]
    (cell,) = card(rows).lines[0].cells
    assert (cell.ulps, cell.special, cell.cause) == (None, "NaN", "why")


def test_an_edge_says_what_usually_happens_and_where_it_is_right() -> None:
    bad = {"clause": "6.4", "symptom": "a number where NaN", "cause": "wraps"}
    rows = [
        verdict(case="a", status="breaks_must", **bad),
        verdict(case="b", status="breaks_must", **bad),
        verdict(case="c", clause="6.4"),
        verdict(case="a", clause="6.4", mode="compile"),
    ]
    found = edge(rows, "bad index")
    assert (found.word, found.level, found.cause) == ("silent", "must", "wraps")
    assert (found.asked, found.broken, found.right_in) == (4, 2, ("compile",))


def test_a_mode_in_which_what_is_broken_was_not_asked_is_not_called_right() -> None:
    bad = {"clause": "6.4", "symptom": "a number where NaN", "cause": "wraps"}
    rows = [
        verdict(case="a", status="breaks_must", implementation="torch.composed", **bad),
        verdict(case="a", clause="6.4", mode="compile"),
        verdict(case="b", clause="6.4", mode="compile", implementation="torch.composed"),
    ]
    assert edge(rows, "bad index").right_in == ()


def test_a_should_clause_never_hides_a_must_clause() -> None:
    rows = [
        verdict(case=f"{i}", status="breaks_should", clause="4.2", symptom="NaN", cause="zero")
        for i in range(9)
    ]
    rows += [verdict(case="m", status="breaks_must", clause="4.1", cause="leak")]
    found = edge(rows, "masked class")
    assert (found.level, found.cause, found.word, found.also) == ("must", "leak", "wrong", "NaN")


def test_causes_are_counted_once_by_their_worst_level() -> None:
    rows = [
        verdict(case="a", status="breaks_must", cause="one"),
        verdict(case="b", status="breaks_should", cause="one"),
        verdict(case="c", status="breaks_should", cause="two"),
    ]
    (line,) = card(rows).lines
    assert (line.must, line.should) == (1, 1)


def test_two_devices_are_two_lines_and_are_named() -> None:
    rows = [verdict(case="a"), verdict(case="a", device="cuda", ulps=2.0)]
    lines = card(rows).lines
    assert [(line.device, line.cells[0].ulps) for line in lines] == [("cpu", 0.25), ("cuda", 2.0)]
    assert [line.device for line in card([verdict(case="a")]).lines] == [""]


def test_who_was_asked_under_settings_alone_has_a_line_for_each() -> None:
    """Ranks, runtimes, interpreters: else they would be on no scorecard; then all tell their devices."""
    ranks = [verdict(case="a", device=f"cpu[mesh=tp{n}]", ulps=float(n)) for n in (1, 4)]
    runtime = verdict(
        case="a", framework="tract", implementation="tract:Softmax", device="cpu[runtime=tract]"
    )
    both = [verdict(case="a", framework="jax", device=d, ulps=9.0) for d in ("cpu", "cpu[isa=avx2]")]
    lines = card([*ranks, runtime, *both], "jax", "torch", "tract").lines
    assert [(line.framework, line.device, line.cells[0].ulps) for line in lines] == [
        ("jax", "cpu", 9.0),
        ("torch", "cpu[mesh=tp1]", 1.0),
        ("torch", "cpu[mesh=tp4]", 4.0),
        ("tract", "cpu[runtime=tract]", 0.25),
    ]


def test_drivers_have_a_line_each_beside_the_cpu_as_it_is() -> None:
    devices = ("cpu", "cpu[isa=avx2]", "vulkan[lavapipe]", "vulkan[lavapipe,fp16]")
    lines = card([verdict(case="a", device=d, ulps=float(i)) for i, d in enumerate(devices)]).lines
    assert [(line.device, line.cells[0].ulps) for line in lines] == [
        ("cpu", 0.0),
        ("vulkan[lavapipe,fp16]", 3.0),
        ("vulkan[lavapipe]", 2.0),
    ]


def test_a_right_number_with_a_fault_beside_it_says_which() -> None:
    changed = {"status": "breaks_must", "clause": "7.11", "symptom": "changed inputs", "grade": "exact"}
    (cell,) = card([verdict(case="a", ulps=0.5, **changed)]).lines[0].cells
    assert (cell.ulps, cell.status, cell.beside) == (0.5, "breaks_must", "changed inputs")
    (cell,) = card([verdict(case="a", status="breaks_must")]).lines[0].cells
    assert cell.beside == ""
