"""The same checks as people write them today: parametrised pytest, truths by mpmath, one row a test.

A small sample of rows of ``quick``, of PyTorch's functions, run by pytest in a process of its own. Truths are
textbook definitions at a precision at which whatever cancels is still known, as an author of such a test
would choose it; the comparison is in ulps. What a row costs is then that of all, if it were written so: said
so where it is printed, since nobody writes 40,000 of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xent_conformance.cases.corpus import batches
from xent_conformance.reference.attributes import PLAIN

ROOT = Path(__file__).resolve().parents[1]

SAMPLE = 60
"""Rows, evenly spread over those of ``quick`` that are finite, in binary32, and plain."""

TEST = """
import json
import time
from pathlib import Path

import pytest
import torch
from mpmath import mpf

from tests.support.reference.mpmath_definitions import evaluate

F = torch.nn.functional
CALLS = {
    "softmax": lambda x, y: torch.softmax(x, -1),
    "log_softmax": lambda x, y: torch.log_softmax(x, -1),
    "logsumexp": lambda x, y: torch.logsumexp(x, -1),
    "softmax_cross_entropy": lambda x, y: F.cross_entropy(x, y, reduction="none"),
    "sparse_softmax_cross_entropy": lambda x, y: F.cross_entropy(x, y[:, 0].long(), reduction="none"),
    "sigmoid": lambda x, y: torch.sigmoid(x),
    "log_sigmoid": lambda x, y: F.logsigmoid(x),
    "sigmoid_cross_entropy": lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"),
}
ROWS = json.loads(Path(__file__).with_name("rows.json").read_text())
BEGUN = time.process_time()


@pytest.fixture(scope="session", autouse=True)
def told():
    yield
    Path(__file__).with_name("seconds").write_text(str(time.process_time() - BEGUN))


@pytest.mark.parametrize("row", ROWS, ids=[r["id"] for r in ROWS])
def test_row(row):
    x = torch.tensor([row["x"]], requires_grad=True)
    value = CALLS[row["operator"]](x, torch.tensor([row["p"]]))
    value.backward(torch.tensor([row["c"]]).reshape(value.shape))
    right, _ = evaluate(row["operator"], row["x"], row["p"], row["c"])
    for name, found in (("value", value), ("grad_logits", x.grad)):
        for got, exact in zip(found.flatten().tolist(), right[name], strict=True):
            assert abs(mpf(got) - exact) <= 1e6 * max(abs(exact) * mpf(2) ** -24, mpf(2) ** -126)
"""
"""The bound is of no matter to what it costs: that it passes is."""

OPERATORS = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sigmoid",
    "log_sigmoid",
    "sigmoid_cross_entropy",
)


def rows() -> list[Mapping[str, Any]]:
    """The sample."""
    found = []
    for batch in batches("quick", operators=OPERATORS, dtypes=["float32"]):
        i = batch.inputs
        if i.attributes != PLAIN or i.tangent.size or i.copies > 1 or i.labels_format is not None:
            continue
        for r in range(len(i)):
            row = i.logits[r], i.labels[r], i.cotangent[r]
            fits = i.definition.labels != "index" or 0 <= row[1][0] < i.n
            if fits and all(np.isfinite(a).all() for a in row):
                found.append((f"{batch.id}/r{r}", i.operator, *row))
    some = found[:: max(1, len(found) // SAMPLE)][:SAMPLE]
    return [
        {"id": id_, "operator": o, "x": x.tolist(), "p": p.tolist(), "c": c.tolist()}
        for id_, o, x, p, c in some
    ]


RUN = """
import json, os, sys, time

from xent_conformance.asking.selection import Selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.engine import run


class Timed(Oracle):
    seconds = 0.0

    def truth(self, inputs):
        begun = time.thread_time()
        found = super().truth(inputs)
        self.seconds += time.thread_time() - begun
        return found


oracle = Timed()
done = run(Selection("quick", frameworks=("torch",)), None, oracle=oracle, cache=False)
spent = os.times()
print(json.dumps({
    "verdicts": done.verdicts.height,
    "suite": spent.user + spent.system,
    "reference": oracle.seconds,
    "workers": spent.children_user + spent.children_system,
}))
"""
"""In a process of its own, which is the suite's; what it starts is the framework's. No truth is remembered,
so that none is certified elsewhere."""


@dataclass(frozen=True)
class Suite:
    """``quick`` of PyTorch by this suite: seconds of a processor, of its own process, in which truths are
    certified for ``reference``, and of the workers."""

    verdicts: int
    suite: float
    reference: float
    workers: float

    @property
    def a_verdict(self) -> float:
        """Seconds of everything."""
        return (self.suite + self.workers) / self.verdicts


def measured() -> tuple[float, int, str]:
    """Seconds of a processor a verdict (a row and an output), of how many, and what pytest says of them.

    What is paid once, starting pytest and importing torch, is not counted.
    """
    every = rows()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows.json").write_text(json.dumps(every), encoding="utf-8")
        (Path(folder) / "test_rows.py").write_text(TEST, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, folder],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = float((Path(folder) / "seconds").read_text(encoding="utf-8"))
    told = (
        done.stdout.strip().rpartition("\n")[2].partition(" in ")[0]
    )  # how long it had to wait says nothing
    return seconds / (2 * len(every)), 2 * len(every), told


def suite() -> Suite:
    """Asks PyTorch."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return Suite(**json.loads(done.stdout.strip().rpartition("\n")[2]))
