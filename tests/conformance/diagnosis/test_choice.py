"""Of hypotheses that explain the same verdicts one is told: the one that explains most, then the simplest."""

from __future__ import annotations

from typing import Any

import numpy as np

from xent_conformance.diagnosis.choice import DOOR, Explained, Weighed, explain

DOORS = tuple("" for _ in DOOR)
LOG, ROUNDED = ("log of the whole sum", ""), ("log of a rounded probability", "softmax")
CLIPPED, OTHER = ("clipped by ε", "1e-07"), ("another base", "2")


def door(broken: int, names: tuple[str, ...] = DOORS) -> Explained:
    """One whose verdicts are numbered from one, and not explained yet."""
    return Explained(names, np.arange(1, broken + 1), 7, {})


def at(*ids: int) -> int:
    """These of its verdicts, by their numbers."""
    return sum(1 << i - 1 for i in ids)


def by(e: Explained) -> dict[Any, Any]:
    return {name: set(e.of(name).tolist()) for name in e.by}


def told(broken: int, *found: Weighed) -> dict[Any, Any]:
    (e,) = explain([(door(broken), list(found))])
    assert (e.ids.size, e.conforming) == (broken, 7)
    return by(e)


def test_the_one_that_explains_most_comes_first_and_the_rest_what_is_left() -> None:
    found = Weighed(LOG, at(1, 2, 3), 0), Weighed(ROUNDED, at(3, 4), 0)
    assert told(5, *found) == {LOG: {1, 2, 3}, ROUNDED: {4}}


def test_one_contradiction_refuses() -> None:
    found = Weighed(LOG, at(1, 2, 3), 1), Weighed(ROUNDED, at(3), 0)
    assert told(3, *found) == {ROUNDED: {3}}


def test_of_two_that_explain_the_same_the_simplest_is_told() -> None:
    assert told(1, Weighed(ROUNDED, at(1), 0), Weighed(LOG, at(1), 0)) == {LOG: {1}}


def test_how_simple_is_a_matter_of_the_output_and_not_of_other_outputs() -> None:
    """Elsewhere both have a form of rank 1; of this output one of them supposes more."""
    subtracted, log = (
        (name, "(P − 1) softplus(−x) − x") for name in ("two softplus subtracted", "log of the whole sum")
    )
    place = {"operator": "sigmoid_cross_entropy", "output": "grad_labels"}
    names = tuple(place.get(column, "") for column in DOOR)
    found = [Weighed(name, at(1), 0) for name in (log, subtracted)]
    about = [Weighed(log, at(2, 3, 4), 0)]
    e, _ = explain([(door(1, names), found), (door(4), about)])
    assert by(e) == {subtracted: {1}}


def test_what_is_left_goes_to_what_explains_most_in_the_whole_run() -> None:
    """Either would do for the third; what is left elsewhere says which of the two is about."""
    clipped, rounded = Weighed(CLIPPED, at(3), 0), Weighed(ROUNDED, at(3), 0)
    here = [Weighed(LOG, at(1, 2), 0), clipped, rounded]
    there = [Weighed(LOG, at(4, 5), 0), Weighed(CLIPPED, at(6), 0)]
    assert told(3, *here) == {LOG: {1, 2}, ROUNDED: {3}}
    e, _ = explain([(door(6), found) for found in (here, there)])
    assert by(e) == {LOG: {1, 2}, CLIPPED: {3}}


def test_what_is_no_fault_is_told_last_of_what_is_left() -> None:
    """It is about in another door, and explains more here; a fault explains one of them."""
    order, rounded = ("another order of summation", ""), Weighed(ROUNDED, at(3), 0)
    here = [Weighed(LOG, at(1, 2, 5), 0), Weighed(order, at(3, 4), 0), rounded]
    there = [Weighed(LOG, at(1, 2, 3), 0), Weighed(order, at(4, 5), 0)]
    e, _ = explain([(door(6), found) for found in (here, there)])
    assert by(e) == {LOG: {1, 2, 5}, ROUNDED: {3}, order: {4}}


def test_of_two_that_are_as_simple_the_one_that_is_about_is_told() -> None:
    """Both are of one rank, and explain all of a door; another door tells which it is."""
    weights, smoothing = ("weights are not applied", ""), ("smoothing is not applied", "")
    here = [Weighed(weights, at(1), 0), Weighed(smoothing, at(1), 0)]
    assert told(1, *here) == {weights: {1}}
    there = [Weighed(smoothing, at(2, 3), 0)]
    e, _ = explain([(door(3), found) for found in (here, there)])
    assert by(e) == {smoothing: {1}}


def test_a_constant_that_is_chosen_for_one_number_says_nothing() -> None:
    assert told(1, Weighed(CLIPPED, at(1), 0)) == {}
    assert told(2, Weighed(CLIPPED, at(1, 2), 0)) == {CLIPPED: {1, 2}}


def test_another_function_is_seen_where_rounding_is_no_explanation() -> None:
    assert told(1, Weighed(OTHER, at(1), 0, severe=False)) == {}
    assert told(1, Weighed(OTHER, at(1), 0)) == {OTHER: {1}}
    assert told(1, Weighed(LOG, at(1), 0, severe=False)) == {LOG: {1}}


def test_unexplained_is_an_answer() -> None:
    assert told(1, Weighed(LOG, at(), 0)) == {}
