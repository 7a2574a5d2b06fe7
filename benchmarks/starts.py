"""How often a process would be lost on a GPU whose kernels assert what PyTorch's on CUDA do, without one.

An index that is no class, and a probability that is none, fail an assertion of PyTorch's kernels on CUDA,
and every later call of the process with them; on the CPU they raise, by the same kinds of call. Here
PyTorch's CPU is asked under the name of a GPU, in this process, and is broken by what it raises for them
until it is started anew.

``--write`` keeps in conformance/running/costs.json, for the shards of a run, which part of the suspect rows
that are asked costs a start, by operator.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xent_conformance.asking import asker
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.selection import Selection
from xent_conformance.asking.suspects import suspect
from xent_conformance.frameworks.interface import Array, Call
from xent_conformance.frameworks.torch import Torch
from xent_conformance.running.costs import TABLE

DEVICE = "cuda:0"

ASSERTED = ("out of bounds", "out of range", "between 0 and 1")
"""What PyTorch's CPU says of what its kernels on CUDA assert."""


class Asserting:
    """An adapter's CPU, as if it were a GPU; to be put before the adapter's class."""

    broken = False

    def devices(self) -> Sequence[str]:
        return ["cpu", DEVICE]

    def _as_it_is(self, call: Call) -> Mapping[str, Array]:
        found: Mapping[str, Array] = super().run(call)  # type: ignore[misc]  # of the class that it is before
        return found

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.device != DEVICE:
            return self._as_it_is(call)
        if self.broken:
            raise RuntimeError("CUDA error: device-side assert triggered")
        try:
            return self._as_it_is(replace(call, device="cpu"))
        except (IndexError, RuntimeError) as error:
            self.broken = any(words in str(error) for words in ASSERTED)
            raise


class AssertingTorch(Asserting, Torch):
    """PyTorch's CPU, as if it were a GPU."""


class Counted(InProcess):
    """What counts its starts, and mends the adapter with each."""

    def __init__(self, make: Callable[[], Any] = AssertingTorch) -> None:
        self.adapter = make()
        super().__init__(lambda: self.adapter)

    def restart(self) -> None:
        self.starts += 1
        self.adapter.broken = False


def counted(selection: Selection, connection: Counted) -> tuple[Counter[str], Counter[str]]:
    """By operator, how many processes were lost, and how many suspect rows were asked.

    Of the framework that is selected, as it is: under no setting of its device.
    """
    seat = next(seat for seat in selection.seats() if not seat.variant)
    lost: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for batch in selection.batches():
        questions = [q for q in selection.questions(seat, batch, [DEVICE]) if q.outputs]
        if not questions or not (suspects := int(suspect(batch).sum())):
            continue
        before = connection.starts
        asker.ask(connection, batch, questions)
        lost[batch.operator] += connection.starts - before
        rows[batch.operator] += suspects * len(questions)
    return lost, rows


def shares(lost: Mapping[str, int], rows: Mapping[str, int]) -> dict[str, float]:
    """Which part of the suspect rows lost a process, by operator, where any did."""
    return {name: round(n / rows[name], 2) for name, n in sorted(lost.items()) if n}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lost, rows = counted(Selection(asked.profile, frameworks=("torch",), devices=("cuda",)), Counted())
    for operator, starts in sorted(lost.items()):
        print(f"{operator:32} {rows[operator]:6} suspect rows asked, {starts:5} processes lost")
    print(f"{asked.profile}: {lost.total()} processes lost")
    if asked.write:
        table = json.loads(TABLE.read_text(encoding="utf-8"))
        table["losing"] = {**table["losing"], "torch": shares(lost, rows)}
        TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
