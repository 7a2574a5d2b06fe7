"""Each framework that is installed starts, answers one small batch, and answers it rightly.

This tells a broken harness from a broken framework: where all of the suite fails and this does not,
look at the framework.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.support.real import asked_in_quick, part
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.running.engine import run


@pytest.fixture(scope="module")
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run | None:
    return asked_in_quick(request, tmp_path_factory)


OPERATORS = ("softmax", "softmax_cross_entropy", "sparse_softmax_cross_entropy")


@pytest.mark.parametrize("name", [n for n, f in FRAMEWORKS.items() if not f.declaration.settings_only])
def test_two_classes(name: str, whole: Run | None, tmp_path: Path) -> None:
    """Of softmax, or of the cross-entropy where that is all it has."""
    offered = {i.operator for i in FRAMEWORKS[name].declaration.implementations if i.since == "quick"}
    selection = Selection(
        next(profile for profile in Profile if Seat(FRAMEWORKS[name]).modes(profile)),
        frameworks=(name,),
        operators=(next(o for o in OPERATORS if o in offered),),
        dtypes=("float32",),
        families=("two_classes",),
    )
    if whole is None or selection.profile != Profile.QUICK:
        whole = run(selection, tmp_path / "run.parquet", oracle=Oracle())
    header, verdicts = whole.header, part(whole, selection)
    for gap in (*header["absent"], *header["not_installed"]):
        if gap["framework"] == name:
            pytest.skip(f"{name} is not installed: {gap['message']}")
    assert header["finished"][name] == header["planned"][name]
    # a naive control may be wrong; what people are told to call must not
    values = verdicts.filter(pl.col("formulation") != "naive", output="value")
    assert values.height >= 20
    assert "breaks_must" not in set(values["status"])
    assert set(values["outcome"]) == {"returned"}
    (hello,) = [f for f in header["frameworks"] if f["framework"] == name]
    assert hello["version"] and "cpu" in hello["devices"]
