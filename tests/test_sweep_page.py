"""docs/SWEEP.md is what its command prints; what it says of sixteen bits is so on a machine like that one."""

from __future__ import annotations

import pytest

from docs.sweep import DOORS, KEPT, NARROW, ask, histograms, kept, page, slim
from tests.support.capturing import needs
from tests.support.paths import ROOT
from xent_conformance.worker.machine import instructions, processor

LIKE = ("framework", "version", "environment")
"""What of an answer must be as it was: another version, or another processor, has other kernels."""

SEEN = ("torch.sigmoid", "jax.nn.sigmoid", "tf.nn.sigmoid")


def test_the_page_is_printed_by_its_command() -> None:
    found = (ROOT / "docs/SWEEP.md").read_text(encoding="utf-8")
    assert found == page(), "renew it: .venv/bin/python -m docs.sweep > docs/SWEEP.md"


def test_all_doors_are_there_in_all_numbers_of_sixteen_bits() -> None:
    narrow = [d for d in kept() if d["asked"]["dtype"] in NARROW]
    assert [(d["asked"]["dtype"], d["asked"]["implementation"]) for d in narrow] == [
        (dtype, door) for dtype in NARROW for door in DOORS
    ]
    for document in kept():
        assert document["exhaustive"] and document["points"] == document["of"]
        for part in document["parts"]:
            assert sum(part["grades"].values()) == part["elements"]
            assert part["elements"] == document["of"] // max(len(document["asked"]["labels"]), 1)


def test_what_is_partial_is_not_kept() -> None:
    whole = kept()[0]
    with pytest.raises(ValueError, match="points of"):
        slim({**whole, "exhaustive": False})


@needs("torch", "jax", "tensorflow")
@pytest.mark.parametrize("door", SEEN)
@pytest.mark.parametrize("dtype", NARROW)
def test_it_is_found_again_where_the_machine_is_the_same(door: str, dtype: str) -> None:
    (before,) = (d for d in kept() if (d["asked"]["implementation"], d["asked"]["dtype"]) == (door, dtype))
    environment = before["answered"]["environment"]
    if (environment["processor"], environment["instructions"]) != (processor(), instructions()):
        pytest.skip("another processor, of which other kernels are chosen")
    now = ask(door, dtype)
    if any(before["answered"][name] != now["answered"][name] for name in LIKE):
        pytest.skip("another version, or another environment")
    told = [{k: v for k, v in part.items() if k != "looked_up"} for part in now["parts"]]
    assert told == [{k: v for k, v in part.items() if k != "looked_up"} for part in before["parts"]]
    assert histograms(now) == histograms(before)


def test_where_it_lies() -> None:
    assert KEPT.is_file() and KEPT.stat().st_size < 300_000
