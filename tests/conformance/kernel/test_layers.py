"""A fused linear loss of one's own is judged as any function is: hidden states, weights, labels, a bias."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.capturing import needs
from xent_conformance import check
from xent_conformance.discovery.names import UnknownName
from xent_conformance.explain.search import search_target

pytestmark = needs("torch")

OF_A_LAYER = {
    "operator": "linear_cross_entropy",
    "framework": "torch",
    "takes": {"reduction", "ignore_index"},
    "dtypes": "float32",
}


def linear_loss(hidden: Any, weight: Any, labels: Any, bias: Any, **given: Any) -> Any:
    import torch

    logits = torch.nn.functional.linear(hidden, weight, bias)
    return torch.nn.functional.cross_entropy(logits, labels, **{"reduction": "none", **given})


def first_chunk_alone(hidden: Any, weight: Any, labels: Any, bias: Any, **given: Any) -> Any:
    return linear_loss(hidden[:4], weight, labels[:4], bias, **given)


def test_a_right_one_passes() -> None:
    found = check(linear_loss, **OF_A_LAYER)
    assert found.conforms, str(found)
    outputs = set(found.run.verdicts["output"])
    assert outputs == {"value", "grad_hidden", "grad_weight", "grad_bias"}


def test_one_that_loses_a_chunk_breaks_a_must_in_every_output() -> None:
    found = check(first_chunk_alone, **OF_A_LAYER)
    assert not found.conforms
    broken = found.run.verdicts.filter(found.run.verdicts["status"] == "breaks_must")
    assert set(broken["output"]) == {"value", "grad_hidden", "grad_weight", "grad_bias"}
    assert "6.18" in set(broken["clause"])


def test_a_script_calls_it_with_the_parts() -> None:
    """As a user would, with nothing of the suite."""
    found = check(first_chunk_alone, **OF_A_LAYER)
    script = found.script("linear_cross_entropy/layers/offset/float32/n5/r0", "grad_weight")
    assert re.search(r"first_chunk_alone\(\s+hidden, weight, labels, bias, ignore_index", script)
    assert "xent_conformance" not in script and "features" not in script.partition("import")[2]


def test_rows_are_not_searched_for_a_layer() -> None:
    door = "torch.nn.functional.linear+cross_entropy"
    with pytest.raises(UnknownName, match="what is searched for are rows"):
        search_target(door, None, "value", "float32", None, 5)
