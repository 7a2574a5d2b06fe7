"""Each framework that is installed starts, answers one small batch, and answers it rightly.

This tells a broken harness from a broken framework: where all of the suite fails and this does not,
look at the framework.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from xent_conformance.asking.selection import Selection
from xent_conformance.cases.profile import Profile
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.framework import FRAMEWORKS, Seat
from xent_conformance.running.engine import run


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_two_classes(name: str, tmp_path: Path) -> None:
    """Of softmax, or of the cross-entropy where that is all it has."""
    offered = {i.operator for i in FRAMEWORKS[name].declaration.implementations if i.since == "quick"}
    selection = Selection(
        next(profile for profile in Profile if Seat(FRAMEWORKS[name]).modes(profile)),
        frameworks=(name,),
        operators=("softmax" if "softmax" in offered else "softmax_cross_entropy",),
        dtypes=("float32",),
        families=("two_classes",),
    )
    result = run(selection, tmp_path / "run.parquet", oracle=Oracle())
    for gap in result.header["absent"]:
        pytest.skip(f"{name} is not installed: {gap['message']}")
    assert result.complete
    # a naive control may be wrong; what people are told to call must not
    values = result.verdicts.filter(pl.col("formulation") != "naive", output="value")
    assert values.height >= 20
    assert "breaks_must" not in set(values["status"])
    assert set(values["outcome"]) == {"returned"}
    (hello,) = result.header["frameworks"]
    assert hello["framework"] == name and hello["version"]
    assert "cpu" in hello["devices"]
