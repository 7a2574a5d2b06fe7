"""A reporter's error is a trap: what was complained of is right, and must not be flagged."""

from __future__ import annotations

import fnmatch
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.historical.asking import FLAGGED, TARGET, WITHOUT_ARGUMENTS, asked, by_id, judge
from tests.support.historical.formulas import BCE, SP
from tests.support.judging import rows_of
from xent_conformance.asking.asker import ask
from xent_conformance.asking.process import Process
from xent_conformance.asking.questions import manner_of, outputs
from xent_conformance.cases.case import Batch
from xent_conformance.cases.families.historical import KINDS, entries
from xent_conformance.discovery.framework import FRAMEWORKS, Launch
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.oracle import Oracle

TRAP = KINDS[-1]

WEIGHTED = "tf.nn.weighted_cross_entropy_with_logits"

COMPLAINED_OF = {
    "mxnet#2050": ("torch", "torch.nn.functional.cross_entropy:indices"),
    "pytorch#133833": ("torch", "torch.nn.functional.cross_entropy:indices"),
    "pytorch#148884": ("torch", "torch.nn.functional.cross_entropy:indices"),
    "tensorflow#14641": ("torch", "torch.nn.functional.cross_entropy:probabilities"),
    "tensorflow#1513": ("tensorflow", "tf.nn.softmax_cross_entropy_with_logits"),
    "tensorflow#15791": ("tensorflow", WEIGHTED),
    "tensorflow#21271": ("tensorflow", "tf.nn.softmax_cross_entropy_with_logits"),
}
"""Who is asked. The second derivative is asked of torch: TensorFlow's is 3e-8 and not 0 today (1.2)."""


@pytest.fixture(scope="module")
def processes() -> Iterator[Callable[[str], Process]]:
    """A running worker for each framework that is asked."""
    running: dict[str, Process] = {}

    def started(name: str) -> Process:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"not installed: {name}")
        if name not in running:
            running[name] = Process(Launch(FRAMEWORKS[name].adapter, search=FRAMEWORKS[name].search))
        return running[name]

    yield started
    for process in running.values():
        process.close()


def verdicts(process: Process, framework: str, implementation: str, batch: Batch) -> list[dict[str, Any]]:
    """What the suite says of a framework's own answer."""
    question = Question(
        implementation,
        batch.operator,
        "eager",
        "cpu",
        outputs(FRAMEWORKS[framework].declaration, batch),
        manner_of(batch),
    )
    (answer,) = ask(process, batch, [question])
    return rows_of(batch, Judge(Oracle().truth(batch.inputs)), answer, TARGET)


def covered(patterns: Sequence[str]) -> list[tuple[Batch, set[str]]]:
    """The batches in binary32 with cases of these patterns, and those cases."""
    found = []
    for b in of_corpus("standard", operators={p.split("/")[0] for p in patterns}, dtypes=["float32"]):
        cases = {case.id for case in b.cases if any(fnmatch.fnmatch(case.id, p) for p in patterns)}
        found += [(b, cases)] if cases else []
    return found


@pytest.mark.parametrize("issue", list(COMPLAINED_OF))
def test_what_was_complained_of_is_not_flagged(processes: Callable[[str], Process], issue: str) -> None:
    framework, implementation = COMPLAINED_OF[issue]
    conforming: set[str] = set()
    for batch, cases in covered(by_id(issue).patterns):
        for row in verdicts(processes(framework), framework, implementation, batch):
            if row["case"] in cases:
                assert row["status"] not in FLAGGED, row
                conforming |= {row["case"]} if row["status"] == "conforms" else set()
    assert conforming, "nothing was answered"


def test_every_trap_is_set() -> None:
    assert {*COMPLAINED_OF, WITHOUT_ARGUMENTS} == {e.id for e in entries() if e.kind == TRAP}


def test_an_error_for_an_index_out_of_range_is_an_answer(processes: Callable[[str], Process]) -> None:
    """pytorch#133833: of two labels for one class, 0 has loss 0 and 1 is refused; both conform."""
    _, implementation = COMPLAINED_OF["pytorch#133833"]
    batch, _ = judge(asked("pytorch-133833", SP, "float32"))
    rows = verdicts(processes("torch"), "torch", implementation, batch)
    assert {
        (r["case"][-2:], r["outcome"], r["status"]) for r in rows if r["variant"] == "pytorch-133833"
    } == {
        ("r0", "returned", "conforms"),
        ("r1", "raised", "conforms"),
    }


def test_a_summed_loss_is_one_number_that_scales_with_the_gradient_from_above() -> None:
    """mxnet#2050: not a loss for each example, and no gradient of its own."""
    ((batch, _), *_) = covered(by_id("mxnet#2050").patterns)
    truth = Oracle().truth(batch.inputs)
    rows, examples = len(batch.inputs), batch.inputs.attributes.examples or 0
    apart = Oracle().truth(batch.inputs.apart)
    losses = apart.enclosure("value").approximate().reshape(rows, examples)
    np.testing.assert_allclose(truth.enclosure("value").approximate()[:, 0], losses.sum(axis=1), rtol=1e-12)
    alone = apart.enclosure("grad_logits").approximate().reshape(rows, -1)
    gradient = truth.enclosure("grad_logits").approximate()
    np.testing.assert_allclose(gradient, batch.inputs.cotangent * alone, rtol=1e-12)


def test_valid_arguments_of_a_weighted_loss_are_answered(processes: Callable[[str], Process]) -> None:
    """tensorflow#59339: weights down to zero and labels in [0, 1] are no error, and break no must clause."""
    for batch, _ in covered([f"{BCE}/element_weights/weight_even+positive_some_zero+none/*"]):
        rows = verdicts(processes("tensorflow"), "tensorflow", WEIGHTED, batch)
        assert {row["outcome"] for row in rows} == {"returned"}
        assert "breaks_must" not in {row["status"] for row in rows}


def test_weights_below_zero_are_asked_where_the_formula_is_meant() -> None:
    """tensorflow#59339: weights below zero are no error; the family of documented forms alone has them."""
    asked = [(b.family, b.inputs.attributes) for b in of_corpus("quick", operators=[BCE])]
    assert any(a.pos_weight for _, a in asked)
    assert {f for f, a in asked if any(w < 0 for w in (*a.pos_weight, *a.weight))} <= {"forms"}
