"""Modes that compile every shape anew are asked some of it a profile later, and no kind of question less."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.support.corpus import Corpus
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.family import FOUNDATIONS
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import FRAMEWORKS, Seat

COMPILED = [("jax", "jit"), ("tensorflow", "xla")]

LATER = {("every_half", 1024), ("many_rows", 4), ("shapes", 7)}
"""What ``quick`` asks of whom it costs a millisecond: a shape more of functions that compilers are asked in
others."""


def _bold(framework: str) -> Seat:
    """The framework as if nothing of it compiled."""
    whole = FRAMEWORKS[framework]
    return Seat(replace(whole, given=replace(whole.declaration, compiling=frozenset())))


def _asked(
    seat: Seat, mode: str, batches: tuple[Batch, ...], profile: Profile = Profile.QUICK
) -> list[tuple[str, Batch]]:
    names = [i.name for i in seat.declaration.implementations]
    asked = ((q, b) for b in batches for q in questions(seat, b, ["cpu"], names, profile))
    return [(q.implementation, b) for q, b in asked if q.mode == mode]


@pytest.mark.parametrize(("framework", "mode"), COMPILED)
def test_every_family_and_every_implementation_is_asked_in_quick(
    framework: str, mode: str, corpus: Corpus
) -> None:
    """Fewer operators and formats of a family, none of them gone."""
    batches = corpus("quick")
    some = _asked(Seat(FRAMEWORKS[framework]), mode, batches)
    every = _asked(_bold(framework), mode, batches)
    families = {b.family for _, b in every if (b.family, b.inputs.n) not in LATER}
    assert {b.family for _, b in some} == families
    assert not {(b.family, b.inputs.n) for _, b in some} & LATER
    assert {name for name, _ in some} == {name for name, _ in every}
    assert len(some) < 0.8 * len(every), "what is left is hardly less"


@pytest.mark.parametrize(("framework", "mode"), COMPILED)
def test_what_a_compiler_fuses_is_asked_of_the_foundations_and_of_the_logarithm(
    framework: str, mode: str, corpus: Corpus
) -> None:
    """Of each implementation of theirs, every kind; of the others a profile later."""
    composites = tuple(b for b in corpus("quick") if b.family == "composites")
    some, every = (_asked(seat, mode, composites) for seat in (Seat(FRAMEWORKS[framework]), _bold(framework)))
    assert some == [(name, b) for name, b in every if b.operator in {*FOUNDATIONS, "logsumexp"}]


@pytest.mark.parametrize(("framework", "mode"), [*COMPILED, ("jax", "eager")])
def test_standard_asks_all_of_what_a_compiler_fuses(framework: str, mode: str, corpus: Corpus) -> None:
    """Of modes that begin there as well."""
    composites = tuple(b for b in corpus("quick") if b.family == "composites")
    some, every = (
        _asked(seat, mode, composites, Profile.STANDARD)
        for seat in (Seat(FRAMEWORKS[framework]), _bold(framework))
    )
    assert some == every and {b.operator for _, b in some} > {*FOUNDATIONS, "logsumexp"}


def test_the_foundations_are_asked_all_lengths(corpus: Corpus) -> None:
    """In single precision, whatever the family."""
    batches = tuple(
        b
        for b in corpus("quick")
        if b.operator in FOUNDATIONS and b.inputs.format.name == "float32"
        if (b.family, b.inputs.n) not in LATER
    )
    assert _asked(Seat(FRAMEWORKS["jax"]), "jit", batches) == _asked(_bold("jax"), "jit", batches)


@pytest.mark.parametrize(("since", "door"), list(itertools.product(Profile, Profile)))
def test_a_profile_later_and_in_the_last_at_the_latest(since: Profile, door: Profile) -> None:
    declared = FRAMEWORKS["tensorflow"].declaration
    for profile in Profile:
        at_once, later = (
            declared.asked_modes(profile, asked_since=since, door_since=door, at_once=at_once)
            for at_once in (True, False)
        )
        assert set(later) <= set(at_once)
        assert set(at_once) - set(later) <= declared.compiling
        if profile == Profile.FULL:
            assert later == at_once
    assert "xla" not in declared.asked_modes("quick", at_once=False)
    assert "xla" in declared.asked_modes("standard", at_once=False)
