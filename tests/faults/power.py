"""Who catches whom: every seeded fault against every family of the quick profile.

``python tests/faults/power.py`` prints the table as Markdown (docs/POWER.md is its output).
"""

from __future__ import annotations

import functools
from collections import Counter

import polars as pl
from adapter import Faults
from blocks import CORRECT
from seeded import FAULTS

from cases.corpus import batches, families
from conformance.asking import Answer, arrays_of
from conformance.frameworks.interface import Question
from conformance.rows import rows_of
from conformance.verdict import Judge
from conformance.worker import Worker
from reference.oracle import Oracle, default_cache

COLUMNS = ("implementation", "family", "clause", "level", "status", "case", "output", "symptom")
BROKEN = ("breaks_must", "breaks_should")


@functools.cache
def verdicts() -> pl.DataFrame:
    """What the quick profile says of every fault and of the correct implementation."""
    worker, oracle = Worker(Faults()), Oracle(default_cache())
    rows = []
    for batch in batches("quick"):
        judge, arrays = Judge(oracle.truth(batch.inputs)), arrays_of(batch)
        for implementation in Faults.implementations:
            if implementation.operator != batch.operator:
                continue
            outputs = batch.inputs.definition.outputs
            question = Question(implementation.name, batch.operator, "eager", "cpu", outputs)
            reply, results = worker.answer(question, arrays)
            assert not reply["failures"], (implementation.name, reply["failures"])
            target = {"framework": "faults", "version": "0", "machine": "", "formulation": "composed"}
            for row in rows_of(batch, judge, Answer(question, results), target):
                rows.append({column: row[column] for column in COLUMNS})
    return pl.DataFrame(rows)


def alarms() -> dict[str, Counter[str]]:
    """For each implementation, how many verdicts of each family break a must or should clause."""
    found: dict[str, Counter[str]] = {f.name: Counter() for f in FAULTS}
    broken = verdicts().filter(pl.col("status").is_in(BROKEN))
    for name, family, count in broken.group_by("implementation", "family").len().iter_rows():
        found.setdefault(name, Counter())[family] += count
    return found


def clauses_of(name: str) -> list[str]:
    """The clauses that a fault breaks."""
    broken = verdicts().filter((pl.col("implementation") == name) & pl.col("status").is_in(BROKEN))
    return sorted(f"{c} {level}" for c, level in broken.select("clause", "level").unique().iter_rows())


def table() -> str:
    """The Markdown table, faults by operator, one column a family."""
    asked = [f for f in families() if any(b.family == f for b in batches("quick"))]
    lines = [
        "# Power: which family catches which fault",
        "",
        f"{len(FAULTS)} faults, each a correct implementation with one defect, against the `quick` profile. "
        "A number is how many verdicts break a must or should clause. Printed by "
        "`.venv/bin/python tests/faults/power.py`.",
        "",
        f"| fault | {' | '.join(asked)} | clauses broken |",
        f"|---|{'---:|' * len(asked)}---|",
    ]
    found = alarms()
    about = {"correct": f"all {len(CORRECT)} operators, correct"} | {f.name: f.about for f in FAULTS}
    for name, words in about.items():
        counts = found.get(name, Counter())
        cells = " | ".join(str(counts[f]) if counts[f] else "·" for f in asked)
        lines.append(f"| `{name}`<br>{words} | {cells} | {', '.join(clauses_of(name)) or 'none'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
