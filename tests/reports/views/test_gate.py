"""A decision as it is told: what it says of itself, from its reasons alone."""

from __future__ import annotations

import pytest

from tests.support.decisions import answer, changes, gate, missing, reason
from tests.support.small_gate import decided
from tests.support.small_run import run_of, verdict
from xent_conformance.reports.views.gate import FAILED, INVALID, PASSED, Gate
from xent_conformance.reports.views.reasons import Kind
from xent_conformance.reports.views.waivers import State


@pytest.mark.parametrize(
    ("decision", "status", "headline"),
    [
        (gate(), PASSED, "gate passed: 100 verdicts of torch 2.13.0"),
        (
            gate(reason(Kind.DRIFTED, blocking=False), waived=3),
            PASSED,
            "gate passed: 100 verdicts of torch 2.13.0; 3 accepted by your waivers; 1 warning",
        ),
        (
            gate(waived=3, by_suite=3),
            PASSED,
            "gate passed: 100 verdicts of torch 2.13.0; 3 accepted by this suite's waivers",
        ),
        (
            gate(waived=3, by_suite=1),
            PASSED,
            "gate passed: 100 verdicts of torch 2.13.0; 3 accepted by this suite's and your waivers",
        ),
        (gate(reason(title="a")), FAILED, "gate failed: a, 4 verdicts"),
        (gate(reason(title="a", count=1), reason()), FAILED, "gate failed: a, 1 verdict; 1 more reason"),
        (
            gate(missing(Kind.ABSENT, title="jax is absent", count=0), reason()),
            INVALID,
            "gate without a decision, evidence is missing: jax is absent; 1 more reason",
        ),
    ],
)
def test_the_headline(decision: Gate, status: int, headline: str) -> None:
    assert (decision.status, decision.headline) == (status, headline)


@pytest.mark.parametrize("kind", Kind)
def test_verdicts_are_counted_once(kind: Kind) -> None:
    """Some titles say how many there are."""
    says = kind in (Kind.UNDECIDED, Kind.MISSING, Kind.NOT_COMPARABLE)
    told = reason(kind, title="torch.softmax: 4 verdicts missing" if says else "torch.softmax").title_counted
    assert told.count("4 verdicts") == 1


def test_warnings_by_kind_in_the_order_of_the_first() -> None:
    kinds = (Kind.DRIFTED, Kind.SHOULD, Kind.DRIFTED)
    warned = gate(*(reason(k, blocking=False, title=str(i)) for i, k in enumerate(kinds))).warned
    assert [(w.kind, w.number, w.first.title) for w in warned] == [
        (Kind.DRIFTED, 2, "0"),
        (Kind.SHOULD, 1, "1"),
    ]


def test_no_number_is_told_with_the_words_for_it() -> None:
    raised = reason(answer=answer("raised", ""), detail="no kernel")
    assert (raised.answered, raised.answered_or_why) == ("raised", "raised: no kernel")
    assert reason(detail="no kernel").answered_or_why == "returned NaN, right 0.5"
    assert missing(Kind.UNFINISHED, detail="it ended").answered_or_why == "it ended"


def test_what_changed() -> None:
    decision = gate(changes=changes(fixed=1, regressed=2, same=0))
    assert decision.changed() == "2 regressed, 1 fixed"
    assert decision.changed(also_none=True).startswith("2 regressed, 0 missing, 0 not comparable, 0 drifted")
    assert decision.counts == "4 breaks must, 96 conforms"


def test_open_answers_that_are_errors_are_counted_where_open_ones_are() -> None:
    run = run_of([verdict(status="open", outcome="raised", case="r1"), verdict(status="open"), verdict()])
    assert decided(run).counts == "1 conforms, 2 open (1 of them an error)"


def test_a_state_blocks_or_is_unseen_or_accepts() -> None:
    assert [s for s in State if s.blocks == s.unseen] == [State.ACCEPTS]
