"""The second line of the first answer: how many causes, how bad, and what the gate makes of the worst."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.decisions import gate, reason
from tests.support.small_run import run_of, verdict
from xent_conformance.reports.terminal.first import by_harm
from xent_conformance.reports.views.causes import causes
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.harm import Harm
from xent_conformance.reports.views.waivers import Acceptance

OF = "softmax", "torch", "2.13.0", "torch.softmax", "AMD EPYC", "value", "1.1", "NaN"


def known(*names: str, **changes: Any) -> Gate:
    """A decision in which a waiver accepts a verdict of each of these causes."""
    accepted = tuple(Acceptance(*OF, "torch-known", 1, name) for name in names)
    return gate(accepted=accepted, waived=len(names), **{"by_suite": len(names)} | changes)


def must(cause: str, **changes: Any) -> dict[str, Any]:
    return verdict(cause=cause, status="breaks_must", **changes)


def should(cause: str, **changes: Any) -> dict[str, Any]:
    return verdict(cause=cause, status="breaks_should", **changes)


A, B = must("a"), must("b", symptom="NaN")
ODD = must("odd", clause="6.4", symptom="a number where NaN")
LESS, LESSER = should("less"), should("lesser")
BITS = should("bits", symptom="other bits", clause="7.4")


@pytest.mark.parametrize(
    ("rows", "decision", "told"),
    [
        ([], gate(), "no cause: nothing that has a name is wrong"),
        ([LESS], gate(), "1 cause: 1 less accurate; none breaks a must clause"),
        ([LESS, LESSER], gate(), "2 causes: 2 less accurate; none breaks a must clause"),
        (
            [A, B, ODD, LESS, BITS],
            known("a", "b", "odd"),
            "5 causes: 2 wrong for plain inputs, 1 wrong for unusual inputs, 1 less accurate, 1 in bits "
            "alone; 3 break a must clause, all known to this suite's waivers",
        ),
        ([A], known("a", by_suite=0), "1 breaks a must clause, known to your waivers"),
        (
            [A, B],
            known("a", "b", by_suite=1),
            "2 break a must clause, all known to this suite's and your waivers",
        ),
        ([A, B], known("a"), "2 break a must clause"),  # nothing is said to be known that is not
        ([A], gate(reason(cause="a")), "1 breaks a must clause and blocks"),
        ([A, B], gate(reason(cause="a"), reason(cause="b")), "2 break a must clause and block"),
        ([A, B, ODD], gate(reason(cause="a")), "3 break a must clause, 1 of which blocks"),
        ([A, LESS], gate(reason(cause="less")), "1 breaks a must clause; 1 of a should clause blocks"),
    ],
)
def test_it_counts_in_few_words(rows: list[dict[str, Any]], decision: Gate, told: str) -> None:
    said = by_harm(causes(run_of(rows)), decision)
    assert said == told or (said.endswith(f"; {told}") and said.startswith(f"{len(rows)} cause"))


def test_every_harm_has_words_that_are_counted() -> None:
    assert all(harm.brief and len(harm.brief.split()) <= 5 for harm in Harm)
