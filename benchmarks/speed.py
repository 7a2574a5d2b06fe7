"""Side by side: what this suite costs beside what people use, as ratios measured in one process.

``python -m benchmarks.speed --write`` writes docs/SPEED.md and docs/evidence/speed.json, which README's
figures come from; ``--part quick`` measures that, and keeps what is known of the others. Ratios of seconds of
a processor mean something beside other work too, if not as much as on a machine that does nothing else; the
page says how busy it was.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import dataclasses
import datetime
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import gmpy2
import mpmath
import numpy as np
import torch

from benchmarks import by_hand, certify, others, waiting
from benchmarks.judging import answers, spent
from benchmarks.page_of_speed import FOUND, PAGE, page
from xent_conformance.judging.rows import verdicts
from xent_conformance.worker.machine import processor

ROWS = 100
"""Of a thousand classes each, that truths are made of."""


def rate(library: Any, operator: str) -> float:
    """Million values a second of mpmath or gmpy2."""
    inputs = certify.inputs_of(operator, ROWS // 5)
    given = inputs.logits.tolist(), inputs.labels.tolist()
    start = time.process_time()
    count = others.values(library, operator, *given)
    return count / (time.process_time() - start) / 1e6


def reference() -> dict[str, Any]:
    """Million elements a second: certified here, values and gradients; there values, uncertified.

    One loss a row costs its classes, so of a cross-entropy what is counted is logits, on both sides.
    """
    found = {}
    for operator in others.VALUES:
        ours = max(certify.certified(operator) for _ in range(3))
        theirs = {lib.__name__: max(rate(lib, operator) for _ in range(3)) for lib in (gmpy2, mpmath)}
        if operator == "softmax_cross_entropy":
            theirs = {name: r * certify.N for name, r in theirs.items()}
        found[operator] = {"certified": ours, **theirs}
    return {"core": max(certify.core() for _ in range(3)), "operators": found}


def judging() -> dict[str, float]:
    """Seconds a row and output: judged in columns; compared, a row at a time and an array at once."""
    every = answers()
    verdicts(every[:40])  # what is made once for a batch
    total = sum(len(r) for a in every for r in a.answer.results.values())
    mine = min(spent(lambda: verdicts(every)) for _ in range(5)) / total
    arrays = [(r, r.copy()) for a in every[:: len(every) // 8] for r in a.answer.results.values()]
    rows = sum(len(a) for a, _ in arrays)

    def numpy(a: Any, b: Any) -> None:
        np.testing.assert_allclose(a, b, rtol=1e-6, equal_nan=True)

    def close(a: Any, b: Any) -> None:
        torch.testing.assert_close(torch.from_numpy(np.atleast_1d(a)), torch.from_numpy(np.atleast_1d(b)),
                                   equal_nan=True)  # fmt: skip

    def each(compare: Callable[[Any, Any], None]) -> None:
        for a, b in arrays:
            for one, other in zip(a, b, strict=True):
                compare(one, other)

    def whole(compare: Callable[[Any, Any], None]) -> None:
        for a, b in arrays:
            compare(a, b)

    found = {"judged": mine}
    for name, compare in (("assert_allclose", numpy), ("assert_close", close)):
        found[f"{name} a row"] = min(spent(lambda c=compare: each(c)) for _ in range(3)) / rows  # type: ignore[misc]
        found[f"{name} an array"] = min(spent(lambda c=compare: whole(c)) for _ in range(3)) / rows  # type: ignore[misc]
    return found


def slope(cost: Callable[[int], float], sizes: tuple[int, ...]) -> dict[str, Any]:
    """The exponent with which seconds grow, by least squares over the logarithms: 1 is linear."""
    seconds = [min(cost(n) for _ in range(3)) for n in sizes]
    return {"sizes": sizes, "exponent": float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])}


def slopes() -> dict[str, Any]:
    """Of the reference and of the judge, as rows, classes and implementations grow."""

    def certifying(rows: int, n: int) -> float:
        return rows * n * 2 / certify.certified("softmax", rows, n) / 1e6

    def judged(**more: int) -> float:
        every = answers(**{"batches": 2, "doors": 8, **more})
        verdicts(every)
        return min(spent(lambda: verdicts(every)) for _ in range(3))

    return {
        "reference, rows": slope(lambda n: certifying(n, 100), (50, 200, 800)),
        "reference, classes": slope(lambda n: certifying(20, n), (50, 500, 5000)),
        "judge, rows": slope(lambda n: judged(rows=n), (64, 256, 1024)),
        "judge, classes": slope(lambda n: judged(n=n), (100, 400, 1600)),
        "judge, implementations": slope(lambda n: judged(doors=n), (8, 32, 128)),
    }


def run_of_quick() -> dict[str, Any]:
    """By this suite and as people do it today, each the least of some; and how much of it is the suite's."""
    hands = [by_hand.measured() for _ in range(3)]
    each, sample, told = min(hands)
    ours = min((by_hand.suite() for _ in range(2)), key=lambda run: run.a_verdict)
    return {"by hand": each, "sample": sample, "told": told, **dataclasses.asdict(ours)}


PARTS: Mapping[str, Callable[[], Any]] = {
    "reference": reference,
    "judging": judging,
    "slopes": slopes,
    "quick": run_of_quick,
    "waiting": lambda: dict(waiting.waited()),
}


def measured(part: str) -> dict[str, Any]:
    """A part, with the day, and how busy which machine was."""
    day, load = datetime.datetime.now(datetime.UTC).date().isoformat(), round(os.getloadavg()[1], 1)
    where = {"machine": processor(), "cores": os.cpu_count()}
    return {"day": day, "load": load, **where, "found": PARTS[part]()}


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="may be given again; all if not")
    parser.add_argument("--write", action="store_true", help="write docs/SPEED.md and what it is made from")
    options = parser.parse_args()
    known = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() and options.part else {}
    parts = {**known.get("parts", {}), **{part: measured(part) for part in options.part or PARTS}}
    found: dict[str, Any] = {
        "versions": {"gmpy2": gmpy2.version(), "mpmath": mpmath.__version__, "numpy": np.__version__,
                     "torch": torch.__version__},
        "parts": {part: parts[part] for part in PARTS if part in parts},
    }  # fmt: skip
    if options.write:
        FOUND.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(page(found), encoding="utf-8")
    print(page(found), end="")


if __name__ == "__main__":
    main()
