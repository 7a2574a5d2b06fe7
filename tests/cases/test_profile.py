"""Profiles are ordered by how much they ask, not by their letters."""

from __future__ import annotations

import pytest

from xent_conformance.cases.profile import Profile


def test_the_order_is_that_of_how_much_is_asked() -> None:
    assert sorted(["full", "quick", "standard"], key=Profile) == ["quick", "standard", "full"]
    assert Profile.QUICK < Profile.STANDARD < Profile.FULL and Profile.FULL >= "quick"
    assert min(Profile.FULL, Profile.STANDARD) is Profile.STANDARD and max(Profile) is Profile.FULL
    assert not Profile.QUICK > "standard" and Profile.QUICK <= "quick"


def test_a_profile_is_its_name() -> None:
    """Adapters write ``{"eager": "quick"}``, and run files carry the word."""
    assert Profile("quick") == "quick" and {"quick": 1}[Profile.QUICK] == 1
    with pytest.raises(ValueError, match="'quik' is not a valid Profile"):
        Profile("quik")


def test_later() -> None:
    assert Profile.QUICK.later(0) is Profile.QUICK and Profile.QUICK.later(2) is Profile.FULL
    assert Profile.STANDARD.later(2) is None
