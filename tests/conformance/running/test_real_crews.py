"""Of a framework that compiles, three workers give what one gives: verdict for verdict, bit for bit."""

from __future__ import annotations

import importlib.util

import pytest

from xent_conformance.asking.selection import Selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running import conversation, crews
from xent_conformance.running.crew import Crew
from xent_conformance.running.engine import run

NEEDED = ("jax", "numpy")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


def _of_jax_alone(crew: Crew) -> float:
    """Seconds that are left to be answered, whether or not any has been."""
    return 1.0 if crew.seat.name == "jax" and crew.share.kinds else 0.0


def test_several_workers_give_the_bits_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late the reader looks: the one that compiles gets more, and no worker is far ahead of it."""
    monkeypatch.setattr(crews, "PAYS", 0.0)
    monkeypatch.setattr(Crew, "left", property(_of_jax_alone))
    monkeypatch.setattr(conversation, "AHEAD", 0)
    asked = Selection(
        "quick",
        frameworks=NEEDED,
        operators=("softmax", "softmax_cross_entropy", "sigmoid_cross_entropy"),
        dtypes=("float32",),
        families=("offsets", "two_classes", "special_values"),
    )
    oracle = Oracle()
    one = run(asked, None, oracle=oracle, jobs=1)
    several = run(asked, None, oracle=oracle, jobs=4)
    assert one.header["workers"]["most"] == dict.fromkeys(NEEDED, 1)
    assert several.header["workers"]["most"]["jax"] > 1
    assert one.verdicts.height > 500 and set(one.verdicts["outcome"]) == {"returned"}
    assert one.verdicts.equals(several.verdicts)
    assert one.header["distances"] == several.header["distances"] != []
