"""The range of versions that a waiver should name, from two run files of which one has the newer JAX."""

from __future__ import annotations

import pytest

from docs.published import run_file
from docs.ranges import Held, held
from xent_conformance.reports.run.file import read_run


@pytest.fixture(scope="module")
def found() -> dict[str, Held]:
    runs = [read_run(run_file(name)) for name in ("jax-0.10.2", "jax-0.9.2")]
    return {of.waiver.name: of for of in held(runs)}


@pytest.mark.parametrize(
    ("name", "accepts", "not_there"),
    [
        ("jax-take-negative-index", ("0.9.2", "0.10.2"), ()),
        ("jax-take-index-cut-to-32-bits", ("0.10.2",), ("0.9.2",)),
        ("jax-take-index-wraps-before-0.10.2", ("0.9.2",), ("0.10.2",)),
        ("jax-layer-tf32", (), ()),
    ],
    ids=["in both", "in the newer", "in the older", "not asked"],
)
def test_in_which_versions_it_holds(
    found: dict[str, Held], name: str, accepts: tuple[str, ...], not_there: tuple[str, ...]
) -> None:
    """Oldest first, whatever range it names: the last but one names none that has 0.10.2."""
    assert (found[name].accepts, found[name].not_there) == (accepts, not_there)


def test_a_waiver_of_what_was_not_run_is_not_told_of(found: dict[str, Held]) -> None:
    assert {of.waiver.framework for of in found.values()} == {"jax"}
