"""Wrong kernels behind other projects' names: a gross one is noticed, a right one is not, the page is so."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest

from benchmarks.peers.counting import PEERS
from benchmarks.peers.ours import Ours
from benchmarks.peers.page import FOUND, PAGE, count, page
from benchmarks.peers.peer import Check, Noticing, Through, ready, said
from benchmarks.peers.stage import MUTANTS, SEEDED, Kernel, Stage, kernels, right
from benchmarks.peers.through import by_element
from tests.support.paths import ROOT
from xent_conformance.frameworks.interface import Call, Implementation

LIGHT = """
import sys
from benchmarks.peers.counting import peer_of
from benchmarks.peers.peer import Noticing, ready
from benchmarks.peers.peer import Check, Noticing, ready, said
from benchmarks.peers.stage import MUTANTS, SEEDED, Kernel, right
from dataclasses import replace


def mirrored(call):
    return right(MUTANTS).answers["sigmoid"](replace(call, logits=-call.logits))


peer, rights = peer_of(sys.argv[1]), [right(of) for of in (MUTANTS, SEEDED)]
readiness = ready(peer, rights, light=True)
noticing = Noticing(peer, readiness, rights)
noticed = noticing.by(Kernel("gross", {"sigmoid": mirrored}))
print(sorted(readiness.unused), bool(readiness.asked), bool(noticed))
print([noticing.by(right(of)) for of in (MUTANTS, SEEDED)])
"""
"""In a process of its own: their tests bring plug-ins and settings along."""


@pytest.mark.long
@pytest.mark.parametrize("name", ["PyTorch", "ONNX", "SciPy"])
def test_a_gross_mutant_is_noticed_and_a_right_kernel_is_not(name: str) -> None:
    needed = {"PyTorch": ("torch", "expecttest"), "ONNX": ("onnx",), "SciPy": ("scipy",)}[name]
    for module in needed:
        pytest.importorskip(module)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LIGHT, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-2:] == ["[] True True", "['', '']"]


def _doubled(call: Call) -> Mapping[str, Any]:
    return {name: 2 * a for name, a in right(MUTANTS).answers[call.implementation.operator](call).items()}


def test_a_stage_asks_the_kernel_that_stands_there() -> None:
    stage, x = Stage(), np.array([[0.0, 1.0], [2.0, 2.0]])
    with stage.holding(right(SEEDED)):
        plain = stage.value("softmax", x)
    with stage.holding(Kernel("doubled", {"softmax": _doubled})):
        assert stage.has("softmax") and not stage.has("sigmoid")
        np.testing.assert_allclose(stage.value("softmax", x), 2 * plain, rtol=1e-15)
    assert not stage.has("softmax")
    assert stage.reached == {"softmax"}


def test_a_stage_gives_the_attributes_and_the_shapes_that_are_asked() -> None:
    stage, x, y = Stage(), np.zeros((2, 3, 4)), np.array([[0, 1, 2, 2], [0, 0, 0, -100]])
    for of in (MUTANTS, SEEDED):
        with stage.holding(right(of)):
            each = stage.value("sparse_softmax_cross_entropy", x, y, axis=1, ignore_index=-100)
            mean = stage.value(
                "sparse_softmax_cross_entropy", x, y, axis=1, reduction="mean", ignore_index=-100
            )
        assert each.shape == (2, 4) and mean.shape == ()
        np.testing.assert_allclose(each, np.where(y < 0, 0.0, np.log(3)))
        np.testing.assert_allclose(mean, np.log(3))


class _Beside:
    """A project whose one test compares the value of a kernel with its own, to the last bit."""

    name, distributions, how = "beside", ("beside",), "So."
    doors: Mapping[str, frozenset[str]] = {"softmax": frozenset(), "log_softmax": frozenset()}
    formats = layouts = frozenset[str]()
    gradients = False
    through: Mapping[str, Through] = {}

    def __init__(self) -> None:
        self.stage = Stage()

    def checks(self, light: bool) -> list[Check]:
        return [Check("they agree", self.agree), Check("it is one", self.sums)]

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        return self.stage.holding(kernel)

    def _asked(self, operator: str, own: float) -> Any:
        x = np.zeros((1, 3))
        return self.stage.value(operator, x)[0, 0] if self.stage.has(operator) else own

    def agree(self) -> None:
        """Its own logarithm is another than the kernel's."""
        assert np.isclose(np.log(self._asked("softmax", 0.5)), self._asked("log_softmax", np.log(0.5)))

    def sums(self) -> None:
        assert self._asked("softmax", 1 / 3) < 0.4


def test_a_check_that_accuses_a_right_kernel_in_the_same_place_does_not_count() -> None:
    peer, rights = _Beside(), [right(of) for of in (MUTANTS, SEEDED)]
    noticing = Noticing(peer, ready(peer, rights), rights)
    assert not ready(peer, rights).unused
    assert noticing.by(Kernel("doubled", {"softmax": _doubled})) == "it is one"
    assert list(noticing.alone) == ["they agree behind softmax"]
    assert noticing.by(Kernel("right", {"log_softmax": right(SEEDED).answers["log_softmax"]})) == ""
    both = {"softmax": right(SEEDED).answers["softmax"], "log_softmax": _doubled}
    assert noticing.by(Kernel("doubled", both)) == "they agree"


def test_what_a_check_draws_is_the_same_each_time() -> None:
    drawn: list[tuple[float, float]] = []
    check = Check("it draws", lambda: drawn.append((random.random(), float(np.random.random()))))
    assert said(check) == said(check) == ""
    assert drawn[0] == drawn[1]


class _Named:
    """Names that take an axis and nothing else, in binary32, without gradients."""

    name, distributions, how = "named", ("named",), "So."
    formats, layouts, gradients = frozenset({"float32"}), frozenset[str](), False
    through: Mapping[str, Through] = dict.fromkeys(("kl_divergence", "kl_divergence_log_target"), by_element)

    def __init__(self) -> None:
        self.stage = Stage()
        self.doors = dict.fromkeys(ONLY_THEIRS, frozenset({"axis"}))

    def checks(self, light: bool) -> list[Check]:
        return []

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        return self.stage.holding(kernel)


def _mutant(name: str) -> Kernel:
    return next(k for k in kernels(MUTANTS) if k.name == name)


ONLY_THEIRS = {
    "softmax": ["softmax:10 constant 0"],
    "sparse_categorical_cross_entropy": [
        "likelihood:7 no minus",
        "likelihood:8 compare LtE",
        "likelihood:21 constant 1",
        "likelihood:23 no minus",
        "likelihood:35 no minus",
    ],
    "kl_divergence": ["divergence:7 no minus"],
    "kl_divergence_log_target": ["log_target_divergence:13 no minus"],
}
"""Mutants that tests of others noticed behind such names, and ``quick`` did not."""


def test_quick_notices_what_only_others_did() -> None:
    peer = _Named()
    ours = Ours(peer)
    others = right(MUTANTS).of(set(ONLY_THEIRS) - {"softmax"})  # which takes long, and is asked elsewhere
    assert not ours.by(others)
    every = {name: operator for operator, names in ONLY_THEIRS.items() for name in names}
    assert [name for name, operator in every.items() if not ours.by(_mutant(name).of({operator}))] == []


def test_what_a_caller_sums_is_not_the_kernels() -> None:
    """As a whole it is the textbook's; a mean of the one class that the kernel sees is the sum of it."""
    draw = np.random.default_rng(0)
    x, p = np.log(draw.uniform(0.1, 1.0, (2, 3, 4))), draw.uniform(0.1, 1.0, (2, 3, 4))
    door = Implementation("named", "kl_divergence", "composed", by_element)
    outputs, c = ("value", "grad_logits", "grad_labels"), np.ones((2, 4))
    call = Call(door, "eager", "cpu", x, p, c, outputs, keywords={"axis": 1})

    def through(kernel: Kernel) -> Mapping[str, Any]:
        return by_element(kernel.answers["kl_divergence"], call)

    expected = right(MUTANTS).answers["kl_divergence"](call)
    for kernel in (right(MUTANTS), _mutant("divergence:3 function mean")):
        for name, found in through(kernel).items():
            np.testing.assert_allclose(found, expected[name], rtol=1e-14)
    assert through(_mutant("divergence:7 no minus"))["value"].shape != expected["value"].shape


def test_all_mutants_are_put_there_and_all_faults_but_those_of_another_mode() -> None:
    assert len(kernels(MUTANTS)) == 480
    assert all(len(k.answers) == 1 for k in kernels(SEEDED))
    assert len(kernels(SEEDED)) > 280


def test_who_notices_is_counted() -> None:
    c = count({"a": ["theirs", ""], "b": ["theirs", "ours"], "c": ["", "ours"], "d": ["", ""]})
    assert (c.kernels, c.shown, c.theirs, c.ours) == (4, 3, 2, 2)
    assert (c.only_theirs, c.only_ours) == (["a"], ["c"])


def test_the_page_has_who_notices_what() -> None:
    sets = {of: {"a": ["theirs", ""], "b": ["", "ours"]} for of in (MUTANTS, SEEDED)}
    one = {"versions": {"onnx": "1"}, "how": "So.", "checks": 3, "not_reached": ["logit"], "unused": {}}
    one["alone"] = {"t behind softmax": "AssertionError: 2"}
    told = page({"ONNX": {**one, "sets": sets, "seconds": 4}})
    assert set(PEERS) >= {"ONNX"}
    assert "| ONNX | 2 | 2 | 1 (50 %) | 1 (50 %) | 1 | 1 |" in told
    assert "only its own tests notice `a` (`theirs`)" in told and "only `quick` notices `b` (`ours`)" in told
    assert "These faults are ours" in told and "No test of theirs asks `logit`" in told
    assert (
        "1 fail with one that stands there alone" in told and "`t behind softmax` (AssertionError: 2)" in told
    )


def test_the_page_is_what_was_found() -> None:
    found = json.loads(FOUND.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(found), "run: python -m benchmarks.peers --write"
    left = [name for name in PEERS if name not in found]
    assert all(name in page(found).partition("**Not asked yet**")[2] for name in left)
