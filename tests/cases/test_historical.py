"""Reported defects: every report is in the data, what covers it exists, and it would have caught it.

A reporter's error is a trap: what was complained of is right, and must not be flagged.
"""

from __future__ import annotations

import fnmatch
import functools
import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from docs.historical import page
from tests.support.corpus import of_corpus
from tests.support.paths import ROOT
from xent_conformance.asking.asker import Answer, Failure, ask
from xent_conformance.asking.process import Process
from xent_conformance.asking.questions import manner_of, outputs
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, find_case
from xent_conformance.cases.families.historical import FAMILY, KINDS, Entry, entries, entry_of, path_safe
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import rows_of
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.framework import FRAMEWORKS, Launch
from xent_conformance.reports.run.words import Outcome

BUG, DESIGN, TRAP = KINDS

S, LS, LSE = "softmax", "log_softmax", "logsumexp"
CE, SP = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
SG, LSG, BCE = "sigmoid", "log_sigmoid", "sigmoid_cross_entropy"

WEIGHTED = "tf.nn.weighted_cross_entropy_with_logits"
TARGET = {"framework": "test", "version": "0", "machine": "", "formulation": "composed", "device": "cpu"}
FLAGGED = {"breaks_must", "breaks_should"}

Array = np.ndarray[Any, np.dtype[Any]]


WITHOUT = {
    *("Megatron-LM#7452", "NNlib.jl#489", "ml-cross-entropy#42", "pytorch#71367", "xla#7992"),  # not one call
    *("Paddle#43107", "pytorch#84144", "tensorflow#11723", "tensorflow#17783", "tensorflow#61639"),  # memory
    *("optax#1346", "pytorch#193757", "tensorflow#32869", "tensorflow#41595", "tf-keras#47"),  # other losses
    *("deepmd-kit#5717", "pytorch#102723", "tensorflow#22270", "tensorflow#22793"),  # other arguments
    *("tensorflow#46908", "tensorflow#51967", "tensorflow#59339"),
}


def by_id(issue: str) -> Entry:
    return next(e for e in entries() if e.id == issue)


# --- the data -------------------------------------------------------------------------------------


def test_every_report_is_there_once() -> None:
    assert len({e.id for e in entries()}) == len(entries()) == 138
    assert Counter(e.kind for e in entries()) == {BUG: 109, DESIGN: 21, TRAP: 8}
    for e in entries():
        assert e.link.startswith("https://github.com/")
        assert e.framework
        assert 20 < len(e.summary) < 120, e.id


@pytest.mark.parametrize("said", [{}, {"cases": ["a"], "why_not": "b"}, {"cases": []}])
def test_an_entry_says_exactly_one_thing(said: dict[str, Any]) -> None:
    about = {"id": "x#1", "link": "", "framework": "x", "kind": BUG, "summary": ""}
    with pytest.raises(ValueError, match="x#1 needs exactly one of cases, rows and why_not"):
        entry_of(about | said)


@functools.cache
def ids(operator: str, family: str) -> tuple[str, ...]:
    """The case ids of a family for an operator, in the largest profile."""
    asked = of_corpus("full", operators=[operator], families=[family])
    return tuple(case.id for b in asked for case in b.cases)


@pytest.mark.parametrize("entry", [e for e in entries() if e.patterns], ids=lambda e: e.id)
def test_what_covers_a_report_exists(entry: Entry) -> None:
    for pattern in entry.patterns:
        operator, family, *_ = pattern.split("/")
        assert (family == FAMILY) == bool(entry.rows), "a row is asked by its own family"
        assert fnmatch.filter(ids(operator, family), pattern), pattern


def test_every_row_is_asked_as_often_as_the_data_says() -> None:
    found = Counter(case.variant for b in of_corpus("standard", families=[FAMILY]) for case in b.cases)
    wanted: Counter[str] = Counter()
    for row in (row for e in entries() for row in e.rows):
        wanted[row.variant] += len(row.dtypes) * (1 if row.attributes.grouped else len(row.logits))
    assert found == wanted
    assert {variant.split("+")[0] for variant in found} == {path_safe(e.id) for e in entries() if e.rows}


def test_every_case_is_found_and_none_is_asked_in_quick() -> None:
    for b in of_corpus("standard", families=[FAMILY]):
        for case in b.cases:
            found, again = find_case(case.id)
            assert (found.id, found.inputs.digest, again) == (b.id, b.inputs.digest, case)
    assert of_corpus("quick", families=[FAMILY]) == []


def test_every_length_has_a_row_in_every_format() -> None:
    """A family's formats are those of all its lengths: an empty batch is refused by the corpus."""
    asked: dict[tuple[str, int], set[str]] = {}
    for row in (row for e in entries() for row in e.rows):
        asked.setdefault((row.operator, row.n), set()).update(row.dtypes)
    assert {key for key, names in asked.items() if names != set(FORMATS)} == set()


def test_what_no_case_can_ask_is_known() -> None:
    """So that no report loses its case unseen."""
    without = [e for e in entries() if e.why_not]
    assert {e.id for e in without} == WITHOUT
    assert all(len(e.why_not) > 30 for e in without)
    assert [e.id for e in without if e.kind == TRAP] == [WITHOUT_ARGUMENTS]


def test_the_page_is_what_the_data_says() -> None:
    assert (ROOT / "docs" / "HISTORICAL.md").read_text(encoding="utf-8") == page()


def test_the_command_prints_the_page() -> None:
    command = [sys.executable, "-m", "docs.historical"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert printed.decode() == page()


# --- asking ---------------------------------------------------------------------------------------


@functools.cache
def judge(batch_id: str) -> tuple[Batch, Judge]:
    batch = next(b for b in of_corpus("standard", families=[FAMILY]) if b.id == batch_id)
    return batch, Judge(Oracle().truth(batch.inputs))


@functools.cache
def asked(variant: str, operator: str, dtype: str) -> str:
    """The id of the batch that asks a variant."""
    (found,) = (
        b.id
        for b in of_corpus("standard", operators=[operator], families=[FAMILY], dtypes=[dtype])
        if any(case.variant == variant for case in b.cases)
    )
    return found


def right(batch: Batch, j: Judge, output: str) -> Array:
    """The exact results, rounded once, as an implementation would return them."""
    exact = j.truth.enclosure(output).round_to(batch.inputs.format).astype(batch.inputs.format.dtype)
    single = batch.inputs.attributes.grouped or batch.inputs.definition.value_shape == "scalar"
    return exact[:, 0] if single and output in ("value", "jvp") else exact


def statuses(batch: Batch, j: Judge, output: str, got: Array) -> list[str]:
    question = Question("test", batch.operator, "eager", "cpu", (output,))
    return [row["status"] for row in rows_of(batch, j, Answer(question, {output: got}), TARGET)]


@pytest.mark.parametrize("batch_id", [b.id for b in batches("standard", families_=[FAMILY])])
def test_the_right_answer_is_never_flagged(batch_id: str) -> None:
    batch, j = judge(batch_id)
    for output in batch.inputs.outputs:
        assert set(statuses(batch, j, output, right(batch, j, output))) <= {"conforms", "open"}


# --- what was reported would be caught --------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """The rows of a variant, in their format: logits, labels, cotangents and tangents."""

    x: Array
    p: Array
    c: Array
    v: Array
    positive: Array

    @property
    def d(self) -> Array:
        return self.x - self.x.max(axis=1, keepdims=True)

    @property
    def e(self) -> Array:
        return np.exp(self.d)

    @property
    def s(self) -> Array:
        return self.e / total(self.e)

    @property
    def ell(self) -> Array:
        return self.d - np.log(total(self.e))

    @property
    def y(self) -> Array:
        return self.p.astype(np.int64)

    @property
    def sigma(self) -> Array:
        return np.where(self.x >= 0, 1 / (1 + np.exp(-self.x)), np.exp(self.x) / (1 + np.exp(self.x)))

    @property
    def tail(self) -> Array:
        return np.log1p(np.exp(-np.abs(self.x)))


def total(a: Array) -> Array:
    return a.sum(axis=1, keepdims=True)


def at(a: Array, y: Array) -> Array:
    """The labelled class of each row; an index out of range counts on from the other end."""
    return np.take_along_axis(a, y % a.shape[1], axis=1)


def smoothed(g: Given, epsilon: float, share: float) -> Array:
    """``(1 − ε) of the label's loss and ``share`` of the sum of all."""
    return -(1 - epsilon) * at(g.ell, g.y) - share * total(g.ell)


def over_groups(losses: Array, examples: int) -> Array:
    """One sum for each group of examples."""
    return losses.reshape(-1, examples).sum(axis=1, keepdims=True)


WRONG: dict[tuple[str, str, str], Callable[[Given], Any]] = {
    ("CUDA.jl#599", S, "value"): lambda g: g.e / g.e.sum(axis=0),
    ("Paddle#65859", BCE, "value"): lambda g: (
        (1 - g.p) * g.x + (1 + (g.positive - 1) * g.p) * g.tail + np.maximum(-g.x, 0)
    ),
    ("aprender#2199", SP, "value"): lambda g: smoothed(g, 0.1, 0.9 / 5),
    ("burn#4815", S, "value"): lambda g: given(g.x.T.reshape(g.x.shape)).s,
    ("dynet#1525", SG, "value"): lambda g: np.exp(g.x) / (1 + np.exp(g.x)),
    ("jax#20856", S, "value"): lambda g: np.ones_like(g.x),
    ("jax#40474 float16", LS, "grad_logits"): lambda g: g.c - g.s * total(g.c),
    ("keras#16712+mean", SP, "value"): lambda g: over_groups(np.where(g.y < 0, 0, -at(g.ell, g.y)), 3) / 3,
    ("nn#949 float64", BCE, "value"): lambda g: -np.log(g.sigma + 1e-12),
    ("nn#949 float64", BCE, "grad_logits"): lambda g: -g.c / (g.sigma + 1e-12) * g.sigma * (1 - g.sigma),
    ("numpyro#2240", BCE, "value"): lambda g: np.maximum(g.x, 0) - g.x * g.p + g.tail,
    ("onnx#3244", S, "value"): lambda g: g.e / g.e.sum(),
    ("onnxruntime#22557", SG, "value"): lambda g: np.full_like(g.x, -5.960464e-08),
    ("onnxruntime#25402", LS, "value"): lambda g: g.x - np.log(np.exp(g.x).sum()),
    ("optax#1762", CE, "jvp"): lambda g: -total(g.p * (g.v - total(g.s * g.v)) + 0 * g.ell),
    ("pytorch#104776", CE, "value"): lambda g: -total((0.9 * g.p * [0.01, 0.99] + 0.05) * g.ell),
    ("pytorch#108148", SP, "value"): lambda g: np.where(g.y < 2, -at(g.ell, g.y), 0),
    ("pytorch#108148+ignoring", SP, "value"): lambda g: np.where(g.y >= 0, -at(g.ell, g.y), 0),
    ("pytorch#11752", SP, "value"): lambda g: g.x.max(axis=1) + np.log(total(g.e)) - at(g.x, g.y),
    ("pytorch#12576", SP, "value"): lambda g: -at(g.ell, g.y),
    ("pytorch#12670", SP, "value"): lambda g: np.where(g.y == -1, 0, -at(g.ell, g.y)),
    ("pytorch#13448", SG, "value"): lambda g: np.full_like(g.x, 4.156e-39),
    ("pytorch#135777", SG, "value"): lambda g: np.full_like(g.x, np.nan),
    ("pytorch#13773", BCE, "value"): lambda g: (1 - g.p) * g.x + g.positive * np.log(1 + np.exp(-g.x)),
    ("pytorch#158310 float16", LS, "value"): lambda g: np.full_like(g.x, -np.inf),
    ("pytorch#163932", S, "value"): lambda g: np.full_like(g.x, np.nan),
    ("pytorch#188541", LSG, "value"): lambda g: np.where(g.x > 87.3, 0, -g.tail),
    ("pytorch#195677 float64", BCE, "grad_logits"): lambda g: g.c * (1 / (1 + np.exp(-g.x)) - g.p),
    ("pytorch#2298", BCE, "grad_logits"): lambda g: (
        g.c * ((g.x > 0) - g.p - np.sign(g.x) * np.exp(-np.abs(g.x)) / (1 + np.exp(-np.abs(g.x))))
    ),
    ("pytorch#34585", S, "value"): lambda g: np.exp(g.x) / total(np.exp(g.x)),
    ("pytorch#38839", LS, "value"): lambda g: g.x - (g.x.max(axis=1, keepdims=True) + np.log(total(g.e))),
    ("pytorch#51906+infinite", BCE, "value"): lambda g: np.maximum(g.x, 0) - g.x * g.p + g.tail,
    ("pytorch#73205+sum", SP, "value"): lambda g: over_groups(
        np.where(g.y < 0, 0, -0.8 * at(g.ell, g.y)) - 0.02 * total(g.ell), 4
    ),
    ("pytorch#73205+mean", SP, "value"): lambda g: (
        over_groups(np.where(g.y < 0, 0, -0.8 * at(g.ell, g.y)) - 0.02 * total(g.ell), 4) / 2
    ),
    ("pytorch#73741", LSE, "jvp"): lambda g: total(np.exp(g.x) * g.v) / total(np.exp(g.x)),
    ("pytorch#795", LS, "value"): lambda g: g.x - np.log(total(np.exp(g.x))),
    ("pytorch#94043", LS, "value"): lambda g: np.log(g.s),
    ("tensorflow#10268", SP, "value"): lambda g: -at(g.ell, g.y),
    ("tensorflow#116933+tail", S, "value"): lambda g: np.where(np.arange(9)[:, None] < 8, 1 - 2.0**-24, 1),
    ("tensorflow#126060", SG, "grad_logits"): lambda g: g.c * g.sigma * (1 - g.sigma),
    ("tensorflow#126060+binary64 float64", SG, "grad_logits"): lambda g: g.c * g.sigma * (1 - g.sigma),
    ("tensorflow#33878", SG, "value"): lambda g: np.where(
        np.arange(10) < 8, g.sigma, np.nextafter(g.sigma, np.float32(1))
    ),
    ("tensorflow#57173", SP, "value"): lambda g: -at(g.ell, g.y),
    ("tensorflow#7403", CE, "hvp"): lambda g: np.zeros_like(g.x),
    ("tfjs#5394", S, "value"): lambda g: np.full_like(g.x, 3.4028235e38),
    ("tt-metal#55457 bfloat16", LSG, "value"): lambda g: np.where(g.x < 200, -0.98, -np.inf),
    ("xla#2553", SP, "value"): lambda g: -total((g.y == np.arange(10)) * g.ell),
    ("xla#4311", SG, "value"): lambda g: 0.5 + 0.5 * np.tanh(0.5 * g.x),
    ("xla#4311", BCE, "value"): lambda g: -np.log(0.5 + 0.5 * np.tanh(0.5 * g.x)),
    ("xla#896", SP, "value"): lambda g: -at(g.ell, g.y),
    # what reporters took for right
    ("pytorch#133833", SP, "value"): lambda g: np.zeros((2, 1)),
    ("pytorch#148884", SP, "value"): lambda g: -total(np.array([0.9, 0.1]) * g.ell),
    ("tensorflow#14641", CE, "hvp"): lambda g: g.c * np.array([-0.25, 0.25]),
    ("tensorflow#1513", CE, "value"): lambda g: -np.log(total(g.p * g.s)),
    ("tensorflow#15791", BCE, "value"): lambda g: (
        (1 - g.p) * g.x + (1 + (g.positive - 1) * g.p) * g.tail + np.maximum(-g.x, 0)
    ),
    ("tensorflow#21271", CE, "value"): lambda g: -total(g.p * np.log(g.s + 1e-10)),
}
"""By report (with the variant's ending and another format than binary32), operator and output."""


def given(x: Array) -> Given:
    return Given(x, x, x, x, x)


def rows_given(batch: Batch, rows: Sequence[int]) -> Given:
    inputs, dtype = batch.inputs, batch.inputs.format.dtype
    n = inputs.n
    v = inputs.tangent[rows] if inputs.tangent.size else np.zeros((len(rows), n))
    labels = inputs.labels[rows].reshape(-1, 1 if inputs.definition.labels == "index" else n)
    if inputs.definition.labels != "index":
        labels = labels.astype(dtype)
    positive = np.array(inputs.attributes.pos_weight or (1.0,))
    x, c, v, positive = (a.astype(dtype) for a in (inputs.logits[rows], inputs.cotangent[rows], v, positive))
    return Given(x.reshape(-1, n), labels, c, v, positive)


@pytest.mark.parametrize("wrong", list(WRONG), ids=lambda w: f"{w[0]}-{w[1]}-{w[2]}")
def test_the_reported_formula_is_caught(wrong: tuple[str, str, str]) -> None:
    """The right answers with those rows computed as the report says: at least one row is flagged."""
    name, operator, output = wrong
    issue, _, dtype = name.partition(" ")
    batch, j = judge(asked(path_safe(issue), operator, dtype or "float32"))
    rows = [case.row for case in batch.cases if case.variant == path_safe(issue)]
    got = right(batch, j, output)
    with np.errstate(all="ignore"):
        computed = np.asarray(WRONG[wrong](rows_given(batch, rows))).astype(got.dtype)
    got[rows] = computed.reshape(got[rows].shape)
    found = statuses(batch, j, output, got)
    assert {found[i] for i in rows} & FLAGGED
    assert not {status for i, status in enumerate(found) if i not in rows} & FLAGGED


@pytest.mark.parametrize(
    ("variant", "operator", "dtype"),
    [
        ("pytorch-15508+none", SP, "float32"),
        ("pytorch-72056", SP, "float32"),
        ("tensorflow-6590", S, "float64"),
    ],
)
def test_a_reported_error_is_caught(variant: str, operator: str, dtype: str) -> None:
    """Where an exception was the defect, an exception is flagged."""
    batch, j = judge(asked(variant, operator, dtype))
    raised = {"value": dict.fromkeys(range(len(batch.inputs)), Failure(Outcome.RAISED, "out of bounds"))}
    answer = Answer(Question("test", operator, "eager", "cpu", ("value",)), {}, raised)
    assert {row["status"] for row in rows_of(batch, j, answer, TARGET)} == {"breaks_must"}


def test_a_limit_is_known() -> None:
    """tt-metal#12847: the printed answer is within what bfloat16 arithmetic may give, and is not caught."""
    batch, j = judge(asked("tt-metal-12847", S, "bfloat16"))
    got = right(batch, j, "value")
    (row,) = (case.row for case in batch.cases if case.variant == "tt-metal-12847")
    printed = [0.27734375, 0.041748047, 0.19335938, 0.03466797, 0.107421875]
    printed += [0.06933594, 0.08251953, 0.052734375, 0.048095703, 0.083984375]
    got[row] = printed
    assert statuses(batch, j, "value", got)[row] == "conforms"


def test_every_report_with_a_wrong_formula_has_rows() -> None:
    issues = {name.partition(" ")[0].partition("+")[0] for name, _, _ in WRONG}
    assert {e.kind for e in map(by_id, issues) if e.rows} == set(KINDS)
    assert all(by_id(issue).rows for issue in issues)


def test_the_numbers_of_the_reports() -> None:
    """What the reports print as right is what the reference says."""
    printed = {
        ("Paddle#65859", BCE, "float32"): [44.739],
        ("aprender#2199", SP, "float32"): [0.7244379],
        ("nn#949", BCE, "float64"): [50.0],
        ("pytorch#11752", SP, "float32"): [0.693147],
        ("tensorflow#1513", CE, "float32"): [1.52118264e11, 1.23338506e11, 1.67200866e11],
        ("xla#4311", SG, "float32"): [5.37e-08],
    }
    for (issue, operator, dtype), values in printed.items():
        batch, j = judge(asked(path_safe(issue), operator, dtype))
        exact = j.truth.enclosure("value").approximate()
        rows = [case.row for case in batch.cases if case.variant == path_safe(issue)]
        assert exact[rows, 0].tolist() == pytest.approx(values, rel=2e-3), issue


# --- the traps --------------------------------------------------------------------------------------

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

WITHOUT_ARGUMENTS = "tensorflow#59339"
"""The trap whose thread does not give the invalid arguments."""


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


def test_no_case_gives_a_weighted_loss_invalid_arguments() -> None:
    """tensorflow#59339: weights below zero are refused, or not; they are nobody's question."""
    asked = [b.inputs.attributes for b in of_corpus("full", operators=[BCE])]
    assert any(a.pos_weight for a in asked)
    assert all(w >= 0 for a in asked for w in (*a.pos_weight, *a.weight))
