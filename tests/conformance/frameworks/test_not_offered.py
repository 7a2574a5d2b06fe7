"""What an adapter in the tree declares as not offered is refused by its framework, in the words it quotes.

Else it would be a way not to be asked. A framework that begins to offer it is noticed here; what cannot be
tried is listed, with the reason.
"""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.support import fakes
from tests.support.corpus import of_corpus
from tests.support.workers import Workers
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.connection import Connection, FrameworkAbsent
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.declaration import Declaration
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.frameworks.interface import NotOffered, Question
from xent_conformance.reports.run.words import Outcome

Declared = tuple[str, str]
"""A framework, and how the source of a declaration begins."""

REFUSED: Mapping[Declared, str] = {
    ("tensorflow", "gradients flow into the logits alone"): "no gradient is connected",
    ("torch", "kl_div has no derivative"): "element 0 of tensors does not require grad",
    ("torch", "the gradient of a linear loss"): "element 0 of tensors does not require grad",
    ("torch", "no second derivative of compiled code"): (
        "does not currently support double backward|requires create_graph=False|forward mode gave no tangent"
    ),
    ("onnxruntime", "the CPU provider has no kernel"): "NOT_IMPLEMENTED|INVALID_GRAPH.*Type Error",
}
"""What the framework says to whoever asks all the same."""

ELSEWHERE = "it lives in .venv/devices, which `make report-devices` makes; what it says is in the source"

NOT_TRIED: Mapping[Declared, str] = {
    ("tensorflow", "tf.gradients"): "there is nothing to call: no argument of tf.gradients is a tangent",
    ("torch", "torch.vmap"): "it answers, of one row: an axis is another one there, and there is one example",
    ("jax", "jax.vmap"): "it answers, of one row: an axis is another one there, and there is one example",
    ("torch", "torch.compile is asked of plain rows"): "it would answer, and take minutes: a choice",
    ("numpy", "NumPy has no bfloat16"): "a worker has ml_dtypes, which brings bfloat16 and its arithmetic",
    ("scipy", "SciPy computes in NumPy's formats"): "a worker has ml_dtypes, which brings bfloat16",
    ("sklearn", "its kernels are of binary32"): ELSEWHERE,
    ("sklearn", "predict_proba is a prediction"): "there is nothing to call",
    ("sklearn", "no derivative by the labels"): "there is nothing to call",
    ("xgboost", "margins are binary32"): "it would answer, of numbers that were converted",
    ("megatron", "it trains in binary32"): "it would answer, of numbers that were converted",
    ("megatron", "the smoothed loss takes a mean"): "it would answer, of padding as well",
    ("openvino", "the CPU plugin computes in FP32"): "it would answer, in another format",
    ("tract", "it reads no tensor of bfloat16"): ELSEWHERE,
    ("onnxruntime-webgpu", "WebGPU's shaders have f32"): ELSEWHERE,
    ("onnxruntime-webgpu", "f16 is an optional feature"): ELSEWHERE,
    ("ncnn", "a blob is of binary32"): "it would answer, of bits that are another number's",
    ("ncnn", "without the fp16 options"): "it would answer, in another format",
    ("ncnn", "under the fp16 options"): "it would answer, of numbers that were converted",
    ("executorch", "the kernel of _log_softmax"): ELSEWHERE,
    ("litert", "no kernel has float64"): ELSEWHERE,
    ("litert", "the kernel has no float16"): ELSEWHERE,
    ("onnxruntime-web", "WebAssembly has no kernel"): ELSEWHERE,
    ("onnxruntime-web", "WebGPU's shaders have f32"): ELSEWHERE,
    ("onnxruntime-web", "f16 is an optional feature"): ELSEWHERE,
    ("onnxruntime-web", "its WebGL reads no tensor"): ELSEWHERE,
    ("onnxruntime-web", "WebGPU's provider has no kernel"): ELSEWHERE,
    ("onnxruntime-web", "WebGL has no kernel of it"): ELSEWHERE,
    ("onnxruntime-web", "WebGL has no kernel of Where"): ELSEWHERE,
    ("tfjs", "a tensor is of float32"): "there is nothing to call: no tensor can be made",
    ("liger", "Triton's interpreter converts to bfloat16"): "it would answer, of numbers converted wrongly",
}

FAMILIES = ("ordinary", "derivatives")
"""Their smallest batches have every output."""


def speaks(declared: Declaration, lack: NotOffered) -> bool:
    """Whether an implementation in a mode is meant at all: an adapter may inherit what is not for it."""
    return any(
        fnmatch.fnmatchcase(i.name, glob) and declared.asks(i.name, mode, dtype)
        for i in declared.implementations
        for glob in lack.implementations
        for mode in lack.modes or declared.modes
        if mode in declared.modes
        for dtype in lack.dtypes or ("float32",)
    )


DECLARED = [
    (name, lack)
    for name, framework in FRAMEWORKS.items()
    for lack in framework.declaration.not_offered
    if speaks(framework.declaration, lack)
]


def harmless(batch: Batch) -> dict[str, np.ndarray]:
    """Two rows with nothing in them to object to."""
    fill = {"logits": 0.5, "labels": 0, "cotangent": 1.0, "tangent": 1.0}
    return {name: np.full_like(a[:2], fill[name]) for name, a in arrays_of(batch).items()}


def withheld(seat: Seat, lack: NotOffered) -> Iterator[tuple[Batch, Question]]:
    """What is not asked because of a declaration, a question an output: of each implementation and mode."""
    found = set()
    every = [i.name for i in seat.declaration.implementations]
    for batch in of_corpus("quick", families=FAMILIES, dtypes=lack.dtypes or ("float32",)):
        for q in questions(seat, batch, ["cpu"], every, "full"):
            for output in (o for o, source in q.withheld if source == lack.source):
                one = replace(q, outputs=(output,), withheld=())
                if one not in found:
                    found.add(one)
                    yield batch, one


def said(connection: Connection, batch: Batch, question: Question) -> tuple[str, str]:
    """What becomes of a question, and in whose words."""
    (reply,) = connection.ask([question], harmless(batch))
    failure = reply.failures.get(question.outputs[0], {"outcome": Outcome.RETURNED, "message": ""})
    return failure["outcome"], failure["message"]


def key(name: str, lack: NotOffered) -> Declared:
    """The entry that speaks of a declaration. Raises LookupError unless it is one."""
    found = [d for d in (*REFUSED, *NOT_TRIED) if d[0] == name and lack.source.startswith(d[1])]
    if len(found) != 1:
        raise LookupError(f"{name} declares {lack.source!r}: found {found}")
    return found[0]


def test_every_declaration_is_tried_or_says_why_not() -> None:
    assert sorted(key(name, lack) for name, lack in DECLARED) == sorted((*REFUSED, *NOT_TRIED))


@pytest.mark.parametrize("declared", REFUSED, ids=lambda d: f"{d[0]}-{d[1]}")
def test_what_is_not_offered_is_refused(declared: Declared, lent: Workers) -> None:
    """By every implementation that is meant, in each mode, format and output."""
    (lack,) = (lack for name, lack in DECLARED if key(name, lack) == declared)
    seat = Seat(FRAMEWORKS[declared[0]])
    try:
        process = lent(seat.launch())
    except FrameworkAbsent as absent:
        pytest.skip(f"not installed: {absent}")
    try:
        told = {q: said(process, batch, q) for batch, q in withheld(seat, lack)}
    finally:
        process.close()
    assert told
    for q, (outcome, words) in told.items():
        where = f"{q.implementation} {q.mode} {q.outputs[0]}: {words}"
        assert outcome == Outcome.REFUSED, where
        assert re.search(REFUSED[declared], words), where


@pytest.mark.parametrize("module", ["numpy", "scipy.special"])
def test_no_bfloat16_of_its_own(module: str) -> None:
    """Where nobody has imported ml_dtypes."""
    code = f"import {module}, numpy; numpy.dtype('bfloat16')"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in told.stderr:
        pytest.skip(f"not installed: {module}")
    assert "data type 'bfloat16' not understood" in told.stderr


# --- the test itself --------------------------------------------------------------------------------


class DeclaresWhatItHas(fakes.Exact):
    """Says that it has no gradients, and answers them."""

    not_offered = (NotOffered("it has no gradients", outputs=("grad_logits",)),)


@pytest.mark.parametrize(
    ("fake", "outcome"), [(DeclaresWhatItHas, Outcome.RETURNED), (fakes.DeclaresWhatItLacks, Outcome.REFUSED)]
)
def test_a_framework_that_offers_it_after_all_is_seen(fake: type[fakes.Exact], outcome: Outcome) -> None:
    seat = Seat(Framework("fake", f"{fake.__module__}:{fake.__name__}", "", (fakes.HERE,)))
    (lack,) = seat.declaration.not_offered
    asked = list(withheld(seat, lack))
    assert asked
    assert {said(InProcess(fake), batch, q)[0] for batch, q in asked[:5]} == {outcome}


def test_a_declaration_that_nobody_knows_is_told() -> None:
    with pytest.raises(LookupError, match="torch declares 'it is slow': found"):
        key("torch", NotOffered("it is slow"))


def test_a_declaration_of_a_mode_that_is_not_there_speaks_of_nothing() -> None:
    assert not speaks(FRAMEWORKS["optax"].declaration, NotOffered("", modes=("vmap",)))
    assert not speaks(FRAMEWORKS["jax"].declaration, NotOffered("", implementations=("torch.*",)))
    assert speaks(FRAMEWORKS["jax"].declaration, NotOffered("", modes=("vmap",)))
