"""What blocks against a baseline, cause by cause: what is new, or reached where it was not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.small_gate import CASE, decided, now_header, waiver
from tests.support.small_run import header, run_of, verdict
from xent_conformance.decision.policy import Policy
from xent_conformance.decision.waivers import KNOWN
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind

NAN: dict[str, Any] = {
    "status": "breaks_must",
    "symptom": "NaN",
    "grade": "wrong_special",
    "got": math.nan,
    "ulps": math.inf,
    "ratio": math.inf,
}
SHOULD: dict[str, Any] = NAN | {"status": "breaks_should", "level": "should"}

Rows = list[dict[str, Any]]


def _gate(
    then: Rows,
    now: Rows,
    *waivers: Any,
    before: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
    strict: bool = False,
) -> Gate:
    """``environment``: of the run; ``before``: of the baseline. What is empty was not recorded."""
    new = run_of([row | {"version": "2.14.0"} for row in now], _told(now_header(), environment or {}))
    policy = Policy(frozenset({"strict"} if strict else ()))
    return decided(new, waivers, baseline=run_of(then, _told(header(), before or {})), policy=policy)


def _told(header: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    (torch,) = header["frameworks"]
    recorded = {k: v for k, v in (torch["environment"] | environment).items() if v}
    return header | {"frameworks": [torch | {"environment": recorded}]}


def _blocking(gate: Gate) -> list[Kind]:
    return [r.kind for r in gate.blocking]


def test_a_must_clause_that_is_newly_broken_blocks() -> None:
    gate = _gate([verdict(case="a")], [verdict(case="a", **NAN)])
    assert _blocking(gate) == [Kind.REGRESSED]
    assert gate.blocking[0].detail.startswith("a must clause is broken where it was not; before: conforms")


def test_one_more_row_of_the_same_kind_is_told() -> None:
    then = [verdict(case="a", **NAN), verdict(case="b")]
    gate = _gate(then, [verdict(case="a", **NAN), verdict(case="b", **NAN)])
    assert gate.status == 0 and {r.kind for r in gate.reasons} == {Kind.REGRESSED, Kind.AS_BEFORE}
    assert _gate(then, [verdict(case="a", **NAN), verdict(case="b", **NAN)], strict=True).status == 1


@pytest.mark.parametrize("strict", [False, True])
def test_what_was_broken_and_drifted_is_as_broken_as_before(strict: bool) -> None:
    """Drift is told and does not block; that the clause is broken blocks for who is strict."""
    beyond = {"status": "breaks_must", "symptom": "beyond the stable bound", "grade": "divergent"}
    then, now = ([verdict(case="a", ratio=r, ulps=100 * r, **beyond)] for r in (3.0, 9.0))
    gate = _gate(then, now, strict=strict)
    assert {r.kind for r in gate.reasons} == {Kind.DRIFTED, Kind.AS_BEFORE}
    assert _blocking(gate) == ([Kind.AS_BEFORE] if strict else [])


@pytest.mark.parametrize(("element", "other"), [(1, ""), (2, " of another element")])
def test_errors_of_different_elements_are_said_to_be(element: int, other: str) -> None:
    then, now = (verdict(case="a", ulps=u, index=i) for u, i in ((2.0, 1), (32.0, element)))
    (drifted,) = _gate([then], [now]).reasons
    assert drifted.kind is Kind.DRIFTED and f"drifted from 2.00 ulp to 32.0 ulp{other} (" in drifted.title
    assert drifted.detail == f"before: conforms, 2.00 ulp; now: conforms, 32.0 ulp{other}"


def test_what_is_less_accurate_elsewhere_has_no_number_before_it() -> None:
    """1.19 ulp of a large number conforms, and 1.00 ulp of what is to be zero breaks a must clause."""
    beyond = {"status": "breaks_must", "symptom": "beyond the stable bound", "grade": "divergent"}
    then = verdict(case="a", ulps=1.19, ratio=0.5, index=1)
    now = verdict(case="a", ulps=1.0, ratio=math.inf, index=0, **beyond)
    (worse,) = _gate([then], [now]).reasons
    assert worse.kind is Kind.LESS_ACCURATE and worse.blocking
    assert "less accurate: conforms, now " in worse.title and " of another element (must" in worse.title
    assert "before: conforms, 1.19 ulp; now: " in worse.detail


@pytest.mark.parametrize(
    "where",
    [
        {"dtype": "bfloat16"},
        {"mode": "jit"},
        {"device": "cuda"},
        {"output": "grad_logits"},
        {"implementation": "torch.other"},
        {"family": "special_values"},
        {"variant": "another"},
    ],
)
def test_where_it_was_not_it_blocks(where: dict[str, str]) -> None:
    """The same cause in another output, format, mode, device, implementation or kind of row."""
    there = verdict(case="a", **NAN)
    gate = _gate([there, verdict(case="b", **where)], [there, verdict(case="b", **NAN, **where)])
    assert _blocking(gate) == [Kind.REGRESSED]


def test_a_should_clause_blocks_where_its_cause_is_new_to_the_run() -> None:
    fine, broken = verdict(case="a", level="should"), verdict(case="a", **SHOULD)
    assert _blocking(_gate([fine], [broken])) == [Kind.REGRESSED]
    known = verdict(case="b", **SHOULD)
    gate = _gate([fine, known], [broken | {"mode": "eager"}, known])
    assert gate.status == 0


def test_causes_are_one_across_implementations() -> None:
    """Two implementations, one cause: one reason, which names both."""
    cause = {"cause": "offset-kept-nan"}
    then = [verdict(case="a"), verdict(case="a", implementation="torch.other")]
    now = [verdict(case="a", **NAN, **cause), verdict(case="a", implementation="torch.other", **NAN, **cause)]
    (reason,) = _gate(then, now).blocking
    assert reason.cause == "offset-kept-nan" and reason.count == 2
    assert {f.implementation for f in reason.findings} == {"torch.softmax", "torch.other"}
    assert " and 1 more" in reason.title


def test_a_cause_of_another_name_is_new() -> None:
    """A wrong number for another reason, in the same rows as before: the cause is what counts."""
    rows = [verdict(case="a", **NAN, cause="one"), verdict(case="b", cause="")]
    now = [verdict(case="a", **NAN, cause="one"), verdict(case="b", **NAN, cause="other")]
    assert _blocking(_gate(rows, now)) == [Kind.REGRESSED]


def test_a_cause_that_shows_in_a_worse_way_is_new() -> None:
    """What lost accuracy is NaN now, by the same formula and in the same kind of row."""
    lost = verdict(case="b", status="breaks_should", cause="one")
    then = [verdict(case="a", cause="one", **NAN | {"status": "breaks_must"}, family="other"), lost]
    now = [then[0], verdict(case="b", **NAN, cause="one")]
    assert _blocking(_gate(then, now)) == [Kind.REGRESSED]


def test_a_baseline_without_causes_is_compared_by_findings() -> None:
    """A run file of before: a cause that it cannot know is not new because of that."""
    then = [verdict(case="a", **NAN), verdict(case="b")]
    now = [verdict(case="a", **NAN, cause="one"), verdict(case="b", **NAN, cause="one")]
    assert _gate(then, now).status == 0


def test_no_longer_offered_blocks() -> None:
    gone = {"status": "unsupported", "outcome": "unsupported", "grade": "none", "ulps": math.nan}
    other = verdict(case="b")
    gate = _gate([verdict(case="a"), other], [verdict(case="a", **gone), other])
    assert _blocking(gate) == [Kind.REGRESSED] and "no longer offered" in gate.blocking[0].detail


def _less_accurate() -> tuple[Rows, Rows]:
    beyond = {"status": "breaks_must", "symptom": "beyond the stable bound", "grade": "divergent"}
    return [verdict(case=CASE, ratio=0.5)], [verdict(case=CASE, ratio=9.0, ulps=900.0, **beyond)]


def test_on_another_machine_what_is_less_accurate_is_told_first() -> None:
    then, now = _less_accurate()
    assert _blocking(_gate(then, now)) == [Kind.LESS_ACCURATE]
    gate = _gate(then, now, environment={"processor": "another"})
    assert gate.status == 0 and Kind.LESS_ACCURATE in {r.kind for r in gate.warnings}
    assert gate.elsewhere.startswith("the machine changed since the baseline (processor): ")


def test_another_gpu_is_another_machine() -> None:
    then, now = _less_accurate()
    before, after = ({"cuda:0": gpu} for gpu in ("one", "another"))
    gate = _gate(then, now, environment=after, before=before)
    assert gate.status == 0 and gate.elsewhere.startswith("the machine changed since the baseline (cuda:0): ")


@pytest.mark.parametrize("what", ["processor", "instructions", "machine", "threads", "cuda:0"])
@pytest.mark.parametrize("side", ["before", "now"])
def test_what_one_side_does_not_record_is_no_other_machine(side: str, what: str) -> None:
    then, now = _less_accurate()
    lacking = {"processor": ""} if what == "processor" else {}
    before, after = ({what: "recorded"}, lacking)[:: 1 if side == "now" else -1]
    gate = _gate(then, now, environment=after, before=before)
    assert _blocking(gate) == [Kind.LESS_ACCURATE] and gate.elsewhere == ""


def _side(version: str, *others: str, processor: Mapping[str, str], rows: Rows) -> Run:
    """A run of torch, and of other frameworks beside it that have a row which conforms."""
    told = header()
    (torch,) = told["frameworks"]
    told["frameworks"] = [
        torch | {"framework": name, "version": version, "environment": {"processor": processor[name]}}
        for name in ("torch", *others)
    ]
    told["planned"] = told["finished"] = dict.fromkeys(("torch", *others), 1)
    beside = [verdict(case="b", framework=name, implementation=f"{name}.softmax") for name in others]
    return run_of([row | {"version": version} for row in [*rows, *beside]], told)


SAME = dict.fromkeys(("torch", "jax"), "AMD EPYC")


def test_a_framework_more_is_no_other_machine() -> None:
    """It stands on one side alone, and says nothing of the machine of the others."""
    then, now = _less_accurate()
    old, new = (
        _side("1", processor=SAME, rows=then),
        _side("2", "jax", processor=SAME, rows=now),
    )
    gate = decided(new, baseline=old)
    assert gate.status == 1 and _blocking(gate) == [Kind.LESS_ACCURATE]
    assert gate.elsewhere == "" and gate.machine == ()


def test_a_framework_fewer_is_no_other_machine() -> None:
    then, now = _less_accurate()
    old, new = (
        _side("1", "jax", processor=SAME, rows=then),
        _side("2", processor=SAME, rows=now),
    )
    gate = decided(new, baseline=old)
    assert _blocking(gate) == [Kind.MISSING, Kind.LESS_ACCURATE]
    assert gate.elsewhere == "" and gate.machine == ()


@pytest.mark.parametrize(("moved", "status"), [("torch", 0), ("jax", 1)])
def test_the_machine_of_one_framework_excuses_no_other(moved: str, status: int) -> None:
    then, now = _less_accurate()
    old = _side("1", "jax", processor=SAME, rows=then)
    gate = decided(_side("2", "jax", processor=SAME | {moved: "another"}, rows=now), baseline=old)
    assert gate.status == status
    assert gate.elsewhere == (
        f"the machine of {moved} changed since the baseline (processor): "
        "what is only less accurate there does not block"
    )


def test_the_machine_of_a_variant_is_its_frameworks() -> None:
    then, now = _less_accurate()
    sides = []
    for version, processor, rows in (("1", "AMD EPYC", then), ("2", "another", now)):
        side = _side(version, processor=SAME, rows=rows)
        (torch,) = side.header["frameworks"]
        side.header["frameworks"].append(
            torch | {"variant": "compile", "environment": {"processor": processor}}
        )
        sides.append(side)
    gate = decided(sides[1], baseline=sides[0])
    assert gate.status == 0
    assert gate.elsewhere.startswith("the machine changed since the baseline (processor): ")


def test_on_another_machine_another_meaning_blocks() -> None:
    gate = _gate([verdict(case="a")], [verdict(case="a", **NAN)], environment={"processor": "another"})
    assert _blocking(gate) == [Kind.REGRESSED]


@pytest.mark.parametrize("shipped", [True, False])
def test_a_shipped_waiver_hides_no_must_regression(shipped: bool) -> None:
    """One of the user's own accepts it, and what is new is said all the same."""
    then, now = _less_accurate()
    source = str(KNOWN / "torch.toml") if shipped else "waivers.toml"
    gate = _gate(then, now, waiver(source=source))
    assert gate.status == (1 if shipped else 0)
    kinds = {r.kind for r in gate.reasons}
    assert kinds == ({Kind.LESS_ACCURATE} if shipped else {Kind.ACCEPTED})
    said = "known (torch-known), and no waiver of the suite hides" if shipped else "accepted by torch-known"
    assert any(said in r.detail for r in gate.reasons)


@pytest.mark.parametrize("order", [1, -1])
def test_a_waiver_of_ones_own_accepts_what_the_suite_knows(order: int) -> None:
    """Whichever is named first: it is the user's that accepts, and that is named."""
    then, now = _less_accurate()
    mine = waiver(name="reviewed-here", source="waivers.toml")
    gate = _gate(then, now, *(waiver(source=str(KNOWN / "torch.toml")), mine)[::order])
    assert gate.status == 0 and {w.state.value for w in gate.waivers} == {"accepts"}
    (told,) = gate.reasons
    assert told.kind is Kind.ACCEPTED and "accepted by reviewed-here" in told.detail
    assert {a.waiver for a in gate.accepted} == {"reviewed-here"}


@pytest.mark.parametrize("shipped", [True, False])
def test_a_stale_waiver_of_the_suite_is_good_news(shipped: bool) -> None:
    source = str(KNOWN / "torch.toml") if shipped else "waivers.toml"
    gate = decided(run_of([verdict(case=CASE)]), [waiver(source=source)])
    assert (gate.status == 0) is shipped and {r.kind for r in gate.reasons} == {Kind.STALE}


def test_the_sentence_says_whether_the_upgrade_may_pass() -> None:
    fine = [verdict(case="a")]
    assert _gate(fine, fine).headline == "gate passed: torch 2.14.0 after torch 2.13.0: no verdict is worse"
    then = [verdict(case="a", **NAN), verdict(case="b"), verdict(case="c", **NAN)]
    now = [verdict(case="a", **NAN), verdict(case="b", **NAN), verdict(case="c")]
    said = "torch 2.14.0 after torch 2.13.0: 1 verdict worse and 1 better, none of it new or material"
    assert _gate(then, now).headline == f"gate passed: {said}; 2 warnings"


def test_the_sentence_says_what_is_new_and_accepted() -> None:
    """It is new, so that the sentence does not deny it."""
    fine, far = _less_accurate()
    other = {"implementation": "torch.other"}
    then = [verdict(case="a", **NAN, **other), verdict(case="b", **other), *fine]
    now = [verdict(case="a", **NAN, **other), verdict(case="b", **NAN, **other), *far]
    said = _gate(then, now, waiver(source="waivers.toml")).headline
    assert "2 verdicts worse and 0 better, none of it new or material but 1 that a waiver accepts; " in said
    two = [far[0], far[0] | {"case": "c"}]
    said = _gate([*fine, verdict(case="c")], two, waiver(source="waivers.toml")).headline
    assert "2 verdicts worse and 0 better, none of it new or material but 2 that waivers accept; " in said


def test_the_sentence_denies_nothing_material_on_another_machine() -> None:
    """It is materially worse there, and does not block."""
    said = _gate(*_less_accurate(), environment={"processor": "another"}).headline
    assert said.endswith(": 1 verdict worse and 0 better, none of it new; 1 warning"), said
