"""What is asked for: names are known or near ones are offered, and nothing selected is an error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.by_hand import Install
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.corpus import Profile, families
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.names import UnknownName
from xent_conformance.explain.case import near_cases
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reference.operators import OPERATORS


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"profile": "fast"}, ["unknown profile 'fast': there are quick, standard"]),
        ({"dtypes": ("float8",)}, ["unknown dtype 'float8': there are float16, bfloat16, float32, float64"]),
        (
            {"frameworks": ("pytorhc",)},
            ["unknown framework 'pytorhc': did you mean torch", "list devices", "named with --plugin"],
        ),
        ({"operators": ("sofmax",)}, ["unknown operator 'sofmax': did you mean softmax", "list operators"]),
        (
            {"families": ("two_class",)},
            ["unknown family 'two_class': did you mean two_classes", "list families"],
        ),
        (
            {"implementation": ("torch.softmx",)},
            ["unknown implementation", "torch.softmax", "list implementations"],
        ),
        ({"operators": ("zzz",)}, ["unknown operator 'zzz': there are softmax, log_softmax"]),
    ],
    ids=str,
)
def test_an_unknown_name_offers_near_ones(names: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UnknownName) as unknown:
        Selection(**names)
    for word in words:
        assert word in str(unknown.value)


def test_the_second_of_two_names_is_checked_too() -> None:
    with pytest.raises(UnknownName, match="unknown operator 'nope'"):
        Selection(operators=("softmax", "nope"))


def test_a_family_that_has_nothing_for_an_operator() -> None:
    with pytest.raises(UnknownName, match=r"no case is selected: .* have nothing in common"):
        Selection(operators=("logit",), families=("two_classes",))


def test_implementations_without_a_case_are_nothing_selected() -> None:
    """Two names that exist, and nothing to ask: a run of it has no verdict and calls itself complete."""
    with pytest.raises(UnknownName, match="no case is selected"):
        Selection(families=("two_classes",), implementation=("numpy:logit-naive",))


@pytest.mark.parametrize(
    "names", [{"frameworks": ("numpy",)}, {"operators": ("sigmoid",)}], ids=["framework", "operator"]
)
def test_an_implementation_of_something_else_is_not_unknown(names: dict[str, Any]) -> None:
    with pytest.raises(UnknownName) as refused:
        Selection(implementation=("torch.softmax",), **names)
    assert "unknown" not in str(refused.value)


def test_every_pattern_is_checked_and_any_of_them_names() -> None:
    with pytest.raises(UnknownName, match="unknown implementation 'nope'"):
        Selection(implementation=("torch.softmax", "nope"))
    with pytest.raises(UnknownName, match=r"'jax\.nn\.softmax' is not of the named frameworks"):
        Selection(frameworks=("torch",), implementation=("torch.softmax", "jax.nn.softmax"))
    two = Selection("quick", ("torch",), implementation=("torch.softmax", "torch.logsume?p"))
    assert set(two.implementations(FRAMEWORKS["torch"])) == {"torch.softmax", "torch.logsumexp"}


def test_everything_by_default() -> None:
    everything = Selection()
    assert [f.name for f in everything.chosen_frameworks()] == list(FRAMEWORKS)
    batches = list(everything.batches())
    assert {b.operator for b in batches} == set(OPERATORS)
    assert {b.inputs.format.name for b in batches} == set(JUDGED)
    assert {b.family for b in batches} == set(families()) - {"saturating_sums"}, "which full alone asks"


def test_names_restrict() -> None:
    some = Selection(
        "quick", ("numpy",), ("softmax", "logit"), ("float16",), ("ordinary",), ("numpy:*-naive",)
    )
    assert {(b.operator, b.inputs.format.name, b.family) for b in some.batches()} == {
        ("softmax", "float16", "ordinary"),
        ("logit", "float16", "ordinary"),
    }
    assert some.implementations(FRAMEWORKS["numpy"]) == ["numpy:softmax-naive", "numpy:logit-naive"]
    assert some.implementations(FRAMEWORKS["torch"]) == []


def test_questions_are_every_mode_and_device(install: Install) -> None:
    install(fake="Exact", plain="NoAutodiff")
    small = Selection("quick", operators=("softmax",), dtypes=("float32",), families=("two_classes",))
    (batch,) = small.batches()
    fake = small.questions(Seat(FRAMEWORKS["fake"]), batch, ["cpu", "cuda:0"])
    assert [(q.implementation, q.mode, q.device) for q in fake] == [
        ("fake.softmax", "eager", "cpu"),
        ("fake.softmax", "eager", "cuda:0"),
    ]
    assert {q.outputs for q in fake} == {("value", "grad_logits")}
    (plain,) = small.questions(Seat(FRAMEWORKS["plain"]), batch, ["cpu"])
    assert plain.outputs == ("value",)


@pytest.mark.parametrize("profile", Profile)
def test_modes_belong_to_a_profile(profile: str) -> None:
    for framework in FRAMEWORKS.values():
        seat = Seat(framework)
        assert seat.modes(Profile.FULL)
        assert set(seat.modes("quick")) <= set(seat.modes(profile))
    assert all(Seat(FRAMEWORKS[name]).modes(profile) for name in ("torch", "numpy"))


def test_every_framework_says_how_to_get_it_and_what_it_offers() -> None:
    for name, framework in FRAMEWORKS.items():
        assert framework.name == name and framework.install.startswith("pip install")
        found = [(i.name, i.operator) for i in framework.declaration.implementations]
        assert found and len(set(found)) == len(found)
        assert {operator for _, operator in found} <= set(OPERATORS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("softmax/ordinary/unit/float32/n10/r99", "softmax/ordinary/unit/float32/n10/r4"),
        ("sofmax/ordinary/unit/float32/n10/r0", "softmax/ordinary/unit/float32/n10/r0"),
        ("softmax/ordinary", "softmax/ordinary/"),
        ("softmax/ordinry/unit/float32/n10/r0", "softmax/ordinary/unit/float32/n10/r0"),
    ],
)
def test_the_nearest_cases_are_offered(typed: str, meant: str) -> None:
    assert meant in near_cases(typed)


@pytest.mark.parametrize("typed", ["?", "", "softmax", "logit/two_classes/near/float32/n2/r0"])
def test_what_is_near_no_case_is_told_how_a_case_reads(typed: str) -> None:
    assert near_cases(typed).startswith("a case id reads OPERATOR/FAMILY/VARIANT/DTYPE/nN/rROW, e.g. ")
