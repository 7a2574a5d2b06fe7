"""How fast the judge is: verdicts a second on one core, from answers to the journal and to the run file.

Answers in float32 to rows of ten classes, value and gradient, as a run has them: batches of 64 rows, each
answered in several ways, right and wrong. Seconds are those of the processor, of one thread.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.words import Words
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.formats import BINARY32, Floats, native
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.running.desk import Desk
from xent_conformance.running.journal import Journal

OPERATOR, N, ROWS = "softmax_cross_entropy", 10, 64
BATCHES, DOORS = 8, 40
OUTPUTS = ("value", "grad_logits")

_OFF: tuple[Callable[[Floats], Floats], ...] = (
    lambda right: right,
    lambda right: np.nextafter(right.astype(np.float32), np.float32(2.0)),
    lambda right: right * (1 + 1e-3),
    lambda right: np.where(right > 0.5, np.nan, right),
)
"""Right, one ulp off, wrong, and NaN in places."""


def answers(batches: int = BATCHES, doors: int = DOORS, rows: int = ROWS, n: int = N) -> list[Answered]:
    """Of each door, its answers to every batch."""
    words, found = Words("benchmark/judging"), []
    for number in range(batches):
        x = BINARY32.nearest(words.bell(BINARY32, 4.0, rows, n))
        hot = np.asarray(np.arange(n) == words.below(n, rows, 1), dtype=np.float64)
        inputs = Inputs(OPERATOR, BINARY32, x, hot, words.cotangent(rows, 1))
        batch = Batch(f"benchmark_{number}", inputs, tuple(Ask("row", row, "1.1") for row in x))
        judge = Judge(Oracle().truth(inputs))
        for door in range(doors):
            question = Question(f"door_{door}", OPERATOR, "eager", "cpu", OUTPUTS)
            results = {}
            for output in OUTPUTS:
                right = judge.truth.enclosure(output).round_to(BINARY32)
                got = native(_OFF[door % len(_OFF)](right), BINARY32.dtype)
                results[output] = got[:, 0] if output == "value" else got
            target = {"framework": "benchmark", "version": "0", "formulation": "fused", "machine": ""}
            found.append(Answered(batch, judge, Answer(question, results), target))
    return found


def spent(what: Callable[[], object]) -> float:
    """Of a processor, that a call takes."""
    start = time.process_time()
    what()
    return time.process_time() - start


def main() -> None:
    """Print the rates."""
    every = answers()
    total = len(every) * ROWS * len(OUTPUTS)
    verdicts(every[:: DOORS // 4])  # what is made once for a batch
    judged = min(spent(lambda: verdicts(every)) for _ in range(5))
    with tempfile.TemporaryDirectory() as folder:

        def written() -> None:
            journal = Journal(Path(folder) / "run.parquet", {}, resume=False, force=True)
            desk = Desk(journal)
            for i, one in enumerate(every):
                desk.add("benchmark", str(i), [one])
                if desk.full:
                    desk.clear()
            desk.clear()
            found.append(journal)

        found: list[Journal] = []
        journalled = min(spent(written) for _ in range(5))
        out = Path(folder) / "run.parquet"
        filed = min(spent(lambda: write_run(out, Run(found[-1].verdicts(), ({},)))) for _ in range(5))
    print(f"{total} verdicts on rows of {N} classes, value and gradient; a second of one core:")
    for what, seconds in (
        ("judged", judged),
        ("judged, and written to the journal", journalled),
        ("… and read again, sorted, digested and written to the run file", journalled + filed),
    ):
        print(f"  {what:64s} {total / seconds:9,.0f}")


if __name__ == "__main__":
    main()
