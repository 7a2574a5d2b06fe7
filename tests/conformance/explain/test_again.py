"""Scripts of calls that are made once more: a seeded fault differs, and a right implementation agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import fakes
from tests.support.memory import filling
from tests.support.scripts import ends_as_its_verdict, run_scripts
from xent_conformance.discovery.framework import FRAMEWORKS, Framework

STATE = "softmax/state/{}/float32/n10/r1"
SHARED = "softmax_cross_entropy/state/shared/float32/n10/r0"
TWICE = "softmax/invariance/twice/float32/n10/r1"
PLAIN = "softmax/ordinary/unit/float32/n10/r0"

KEEPS = "tests.support.fakes_of_state:Keeps"

FAULTS = {
    "twice": (TWICE, "kept.twice", "value"),
    "other_between": (STATE.format("other_between"), "kept.other_between", "value"),
    "threads": (STATE.format("threads"), "kept.threads", "value"),
    "inference": (STATE.format("inference"), "kept.inference", "value"),
    "second_backward": (STATE.format("second_backward"), "kept.second_backward", "grad_logits"),
    "accumulated": (STATE.format("accumulated"), "kept.accumulated", "grad_logits"),
    "shared": (SHARED, "kept.shared", "value"),
}
"""By the way in which a call is made once more: the case, a fault that it alone shows, and where it shows."""

RIGHT = {"softmax": "kept.right", "softmax_cross_entropy": "kept.right_loss"}


@pytest.fixture
def keeps(monkeypatch: pytest.MonkeyPatch, remembered: None) -> None:
    """PyTorch has the losses of the fakes in place of its own."""
    install = FRAMEWORKS["torch"].install
    monkeypatch.setitem(FRAMEWORKS, "torch", Framework("torch", KEEPS, install, (fakes.HERE,)))


def test_a_fault_that_only_another_call_shows(tmp_path: Path, keeps: None) -> None:
    """The script of each fault differs, that of a right implementation agrees, and both ask both ways.

    So does the script of the fault without the fault: what differs is nothing of how it asks.
    """
    wrong = [(fault, "eager", case, output) for case, fault, output in FAULTS.values()]
    right = [(RIGHT[case.partition("/")[0]], "eager", case, output) for case, _, output in FAULTS.values()]
    ended = ends_as_its_verdict("torch", [*wrong, *right], tmp_path)
    mended = []
    for way, bad, good in zip(FAULTS, ended, ended[len(wrong) :], strict=False):
        assert bad.status == 1 and "differ: " in bad.told, (way, bad.told)
        assert good.status == 0 and "the same bits: " in good.told, (way, good.told)
        assert all("def ask(" in e.text and "seconds = " in e.text for e in (bad, good)), way
        text = bad.text.replace("1.0000002", "1").replace("1.5", "1")
        assert text != bad.text
        mended.append(tmp_path / f"{way}.py")
        mended[-1].write_text(text, encoding="utf-8")
    for way, (status, told) in zip(FAULTS, run_scripts(mended, "torch"), strict=True):
        assert status == 0 and "the same bits: " in told, (way, told)


def test_a_call_that_changes_what_it_is_given(tmp_path: Path, keeps: None) -> None:
    wrong, right = ends_as_its_verdict(
        "torch", [("kept.in_place", "eager", PLAIN), ("kept.right", "eager", PLAIN)], tmp_path
    )
    assert wrong.status == 1 and "differs: the call changed its logits" in wrong.told, wrong.told
    assert right.status == 0


@filling
def test_a_call_that_returns_what_memory_held(tmp_path: Path, keeps: None) -> None:
    """The script fills memory itself, and agrees where the last class is written."""
    wrong, right = ends_as_its_verdict(
        "torch", [("kept.not_written", "eager", PLAIN), ("kept.right", "eager", PLAIN)], tmp_path
    )
    assert wrong.status == 1 and "differ: 1 of 10 numbers: a call, and one where memory held" in wrong.told
    assert "7.13 (must)" in wrong.text and right.status == 0
    mended = tmp_path / "mended.py"
    mended.write_text(wrong.text.replace("[:, :-1]", "[:]"), encoding="utf-8")
    ((status, told),) = run_scripts([mended], "torch")
    assert status == 0 and "the same bits: " in told, told


DIALECTS = {
    "tensorflow": "tf.nn.softmax",
    "jax": "jax.nn.softmax",
    "numpy": "numpy:softmax-shifted",
}


@pytest.mark.parametrize("framework", DIALECTS)
def test_each_dialect_makes_the_call_once_more(framework: str, tmp_path: Path, remembered: None) -> None:
    gradients = () if framework == "numpy" else ("inference", "second_backward")
    asked = [
        (DIALECTS[framework], "eager", STATE.format(way), "grad_logits" if "back" in way else "value")
        for way in ("other_between", "threads", *gradients)
    ]
    for ran in ends_as_its_verdict(framework, asked, tmp_path):
        assert ran.status == 0 and "the same bits: " in ran.told, ran.told
