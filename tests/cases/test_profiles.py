"""Each profile is a subset of the next, and together they ask every clause of SPEC.md."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from tests.support.corpus import Corpus, of_corpus
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import families, smallest_profile
from xent_conformance.cases.profile import Profile
from xent_conformance.reference.clauses import Level, clauses
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

NEW = (
    "attributes",
    "element_weights",
    "derivatives",
    "cotangents",
    "shapes",
    "layouts",
    "label_types",
    "index_range",
    "long_sums",
    "invariance",
    "positions",
)

Profiles = dict[str, tuple[Batch, ...]]


@pytest.fixture(scope="module")
def asked(corpus: Corpus) -> Profiles:
    return {profile: corpus(profile) for profile in Profile}


def _hashes(found: Sequence[Batch]) -> dict[str, str]:
    return {case.id: case.hash for b in found for case in b.cases}


def test_each_profile_is_a_subset_of_the_next(asked: Profiles) -> None:
    """Of batches whole, with the same bits."""
    for smaller, larger in itertools.pairwise(Profile):
        few, many = ({b.id: b.inputs.digest for b in asked[p]} for p in (smaller, larger))
        assert few.items() <= many.items()
        assert len(few) < len(many), f"{larger} asks more than {smaller}"
        assert _hashes(asked[smaller]).items() <= _hashes(asked[larger]).items()


def test_ids_are_unique_in_all_profiles(asked: Profiles) -> None:
    for found in asked.values():
        assert max(Counter(b.id for b in found).values()) == 1
        assert len(_hashes(found)) == sum(len(b.cases) for b in found)


def test_the_smallest_profile_is_the_first_that_asks(asked: Profiles) -> None:
    ids = {profile: {b.id for b in found} for profile, found in asked.items()}
    for b in asked["full"]:
        first = next(profile for profile in Profile if b.id in ids[profile])
        assert smallest_profile(b.operator, b.family, b.inputs.format.name, b.inputs.n) == first, b.id
    with pytest.raises(LookupError, match="softmax/ordinary/float32/n4 is asked by no profile"):
        smallest_profile("softmax", "ordinary", "float32", 4)


CHARGED = {"1.7", "5.11", "7.11", "7.13"}
"""Clauses that are charged by what happens, whatever the case tests: an answer is due to every one, and no
call may change what it is given, or return what nobody has written."""


def test_every_clause_has_a_case(asked: Profiles) -> None:
    tested = {c for b in asked["full"] for case in b.cases for c in (case.clause, *case.clauses.values())}
    assert tested == set(clauses()) - CHARGED


def test_quick_has_a_case_of_every_clause_that_is_judged(asked: Profiles) -> None:
    tested = {c for b in asked["quick"] for case in b.cases for c in (case.clause, *case.clauses.values())}
    judged = {number for number, c in clauses().items() if c.level is not Level.OPEN}
    assert judged - CHARGED <= tested


def test_every_family_is_asked_in_some_profile(asked: Profiles) -> None:
    assert {b.family for b in asked["full"]} == set(families())
    later = set(families()) - {b.family for b in asked["quick"]}
    assert later <= {"vocabularies", "saturating_sums", "published", "historical", "refusals"}


def test_formats_of_a_profile_are_formats_of_the_family() -> None:
    for family in families().values():
        assert set(family.formats) <= set(JUDGED)
        for profile, names in family.formats_in.items():
            assert profile in list(Profile) and set(names) <= set(family.formats) and names


def test_variants_belong_to_one_manner_in_every_length(asked: Profiles) -> None:
    """Else the id of a batch would say less than it holds."""
    for b in asked["full"]:
        assert len({a.manner for a in b.asks}) == 1, b.id
        assert b.manner == "" or "/" not in b.manner


# --- what is right, in the new families ------------------------------------------------------------------

UNDEFINED = {"2.8", "3.2", "4.5", "5.5", "6.4", "6.11"}
INFINITE = {"4.1", "4.2", "4.3", "4.5", "5.2"}


@pytest.mark.parametrize("operator", OPERATORS)
def test_exact_values_are_finite_where_nothing_special_is_tested(operator: str) -> None:
    """NaN and infinities are right where their clauses are tested, and undecided is nothing."""
    for dtype in ("float16", "float32"):
        for b in of_corpus("standard", operators=[operator], families=NEW, dtypes=[dtype]):
            truth = Oracle().truth(b.inputs)
            assert not truth.certified.undecided.any(), b.id
            for output in b.inputs.outputs:
                hi = truth.enclosure(output).hi
                rounded = truth.enclosure(output).round_to(b.inputs.format)
                for case in b.cases:
                    tested = case.clause_of(output)
                    given = b.inputs.logits[case.row]
                    defined = tested not in UNDEFINED and not np.isnan(given).any()
                    assert not defined or not np.isnan(hi[case.row]).any(), (case.id, output)
                    assert tested in INFINITE or not np.isinf(hi[case.row]).any(), (case.id, output)
                    overflows = np.isinf(rounded[case.row]) & np.isfinite(hi[case.row])
                    large = dtype == "float16" and ("huge" in case.id or b.family == "cotangents")
                    assert large or not overflows.any(), (case.id, output)
