"""Covering arrays: all pairs that can meet do, no rule is broken, and the same axes give the same rows."""

from __future__ import annotations

import itertools

import pytest

from xent_conformance.cases.pairwise import Rule, covering, meetings, met, possible

AXES = {"a": ("1", "2", "3"), "b": ("x", "y"), "c": ("p", "q", "r"), "d": ("u", "v")}
NEVER = Rule(("a", "b"), lambda a, b: (a, b) != ("1", "x"))
CHAINED = (
    Rule(("a", "c"), lambda a, c: a != "2" or c == "p"),
    Rule(("c", "d"), lambda c, d: c != "p" or d == "u"),
)
"""Together: where ``a`` is 2, ``d`` is u, though no rule says so."""


@pytest.mark.parametrize(
    "rules", [(), (NEVER,), CHAINED, (NEVER, *CHAINED)], ids=["none", "one", "chained", "all"]
)
def test_all_pairs_that_can_meet_do(rules: tuple[Rule, ...]) -> None:
    rows = covering(AXES, rules)
    for pair in itertools.combinations(AXES, 2):
        can = {m for m in meetings(AXES, [pair]) if possible(AXES, rules, m)}
        assert met(rows, pair) == can
    assert all(rule.allows(row) for row in rows for rule in rules)
    assert all(set(row) == set(AXES) for row in rows)


def test_what_no_rule_says_alone_is_known() -> None:
    assert not possible(AXES, CHAINED, (("a", "2"), ("d", "v")))
    assert possible(AXES, CHAINED, (("a", "2"), ("d", "u")))


def test_few_rows_hold_all_pairs() -> None:
    """Of 36 rows a quarter is enough; the product of the two longest axes is needed."""
    assert 9 <= len(covering(AXES, ())) <= 11


def test_more_than_pairs_where_it_is_said() -> None:
    rows = covering(AXES, (), also=[("a", "b", "c")])
    assert len(met(rows, ("a", "b", "c"))) == 18 > len(met(covering(AXES, ()), ("a", "b", "c")))


def test_rows_that_are_given_come_first_and_count() -> None:
    first = covering(AXES, ())
    assert covering(AXES, (), first=first) == first
    assert covering(AXES, (), first=first[:3])[:3] == first[:3]


def test_the_same_axes_give_the_same_rows() -> None:
    assert covering(AXES, CHAINED) == covering(dict(AXES), CHAINED)
