"""What 2^24 numbers of float32 cost a sweep, by part, in seconds of a processor; and so all of them.

``.venv/bin/python benchmarks/sweeping.py torch.sigmoid``. Seconds of a processor and not of a clock, because
they mean something beside other work too (which takes the caches, so that they are more). The numbers are of
64 places, evenly over the range, as many of them where a function moves as is its share of all.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from xent_conformance.asking.process import Process, connect
from xent_conformance.sweep.judge import judged
from xent_conformance.sweep.plan import Chunk, Plan, plan

NUMBERS = 2**24

WHOLE = 2**32

PLACES = 64
"""Chunks that are asked, the middle one of so many equal parts of all."""


def _of_worker(pid: int) -> float:
    """Seconds of a processor that a process has had, on Linux."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as told:  # noqa: PTH123  # it is no file to be kept
        fields = told.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _asked(planned: Plan, chunk: Chunk, worker: Process) -> dict[str, float]:
    """Seconds by part of one chunk."""
    begun, there = time.thread_time(), _of_worker(worker._process.pid)
    arrays = chunk.ground.asked(chunk.ground.logits(chunk.start, chunk.stop))
    (reply,) = worker.ask([planned.question], arrays)
    ours, theirs = time.thread_time() - begun, _of_worker(worker._process.pid) - there
    begun = time.thread_time()
    for output in planned.outputs:
        judged(chunk.ground, output, chunk.start, reply.results[output].reshape(-1))
    return {
        "transport, driver": ours,
        "kernel and transport, worker": theirs,
        "judge": time.thread_time() - begun,
    }


def main(arguments: Sequence[str]) -> None:
    """Print a line a part."""
    (name,) = arguments or ("torch.sigmoid",)
    for outputs in (("value",), ("value", "grad_logits")):
        planned = plan(name, None, "float32", outputs=outputs, size=NUMBERS // PLACES)
        apart = len(planned.chunks) // PLACES
        chunks = planned.chunks[apart // 2 :: apart]
        worker = connect(planned.seat)
        try:
            _asked(planned, chunks[0], worker)  # which compiles
            spent: dict[str, float] = {}
            for chunk in chunks:
                for part, seconds in _asked(planned, chunk, worker).items():
                    spent[part] = spent.get(part, 0.0) + seconds
        finally:
            worker.close()
        print(f"{name}, {' and '.join(outputs)}")
        for part, seconds in {**spent, "all": sum(spent.values())}.items():
            each = seconds / NUMBERS
            whole = f"{1e9 * each:8.1f} ns each {WHOLE * each:8.0f} s for 2^32"
            print(f"  {part:30}{seconds:8.2f} s for 2^24 {whole}")


if __name__ == "__main__":
    main(sys.argv[1:])
