"""Devices and kernels that a machine without a GPU can ask, and what was found in them.

``python -m docs.devices`` prints docs/DEVICES.md from ``docs/evidence/devices.parquet``; run files as
arguments, such as those of ``make report-devices``, are kept there first: of each their counts, and of what
is broken the row that a person would look at. ``tests/test_devices_page.py`` compares.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from docs import evidence
from making.devices import TARGETS, line
from xent_conformance.devices.names import split
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import Run, called, read_run
from xent_conformance.reports.run.words import FAULTS, Status, Symptom
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import Answer, listed, plural

NAME = "devices"
COUNTS = "counts"
"""Of a header: by device, how many verdicts of each status there were."""

_OF = ["framework", "device", "implementation", "output", "clause", "cause", "dtype"]


@dataclass(frozen=True)
class Finding:
    """What was known of a target before the suite was asked, and where the suite shows it."""

    title: str
    framework: str
    implementation: str
    output: str
    clause: str
    cause: str
    dtype: str = "float32"


_LIGER = "liger_kernel.transformers.functional.liger_cross_entropy"
_TRL = "trl.trainer.utils.selective_log_softmax"
_SKLEARN = "sklearn._loss.HalfMultinomialLoss.loss_gradient"
_LOG = "torch.distributed.tensor.parallel.loss_parallel:log_softmax"

FOUND = (
    Finding(
        "Liger's gradient is the logits themselves where their last axis is not dense",
        "liger", _LIGER, "grad_logits", "7.6", "only-in-another-memory-layout",
    ),
    Finding(
        "Liger writes its gradient over its logits",
        "liger", _LIGER, "value", "7.11", "changes-its-arguments",
    ),
    Finding("A common offset moves Liger's value", "liger", _LIGER, "value", "7.1", "offset-kept"),
    Finding("A common offset moves TRL's log-probability", "trl", _TRL, "value", "7.1", "offset-kept"),
    Finding("Two classes far from zero, in TRL", "trl", _TRL, "value", "2.5", "offset-kept"),
    Finding("Huge logits, in TRL", "trl", _TRL, "value", "2.1", "offset-kept"),
    Finding("A common offset moves scikit-learn's loss", "sklearn", _SKLEARN, "value", "7.1", "offset-kept"),
    Finding(
        "tract's log-softmax is the logarithm of a rounded softmax",
        "tract", "tract:LogSoftmax", "value", "2.1", "log-of-a-rounded-probability",
    ),
    Finding(
        "Log-softmax alone has an identity for its gradient under loss_parallel",
        "loss-parallel", _LOG, "grad_logits", "1.1", "the-cotangent-itself",
    ),
)  # fmt: skip

HEAD = """# Devices and kernels without a GPU

What a machine of two cores can ask beside the frameworks: kernels of a GPU in an interpreter, losses \
whose classes are spread over ranks, runtimes, and losses of other libraries. {day}, {machine}. Printed \
by `.venv/bin/python -m docs.devices` from run files of `make report-devices`, of which \
[`docs/evidence/devices.parquet`](evidence) keeps the counts and a row of whatever is broken; a test \
compares. None of it is asked by `make report`, and none of it is installed by `make`.

```console
$ make report-devices       # into .venv/devices what installs; asks it; writes out/devices.html
$ conformance doctor --python .venv/devices     # what of it is there, and does it answer?
```

## What was asked

| framework | device | verdicts | conform | break must | break should | not offered | how |
|---|---|---|---|---|---|---|---|
"""

FINDINGS = """
A verdict that breaks a clause is not a defect by itself: what each is, and why it is accepted, is an \
entry of [`conformance/known`](../conformance/known).

## What was known of them, found by the suite

Each of these was known, or suspected, before the suite was asked. The command shows it; what it prints \
of the row is beside it.

"""

END = """
## What transfers to a GPU, and what does not

Of a Triton or Pallas kernel that an interpreter runs, its algorithm, its masks, strides and tiles, the \
labels that it reads and the code on the host that calls it are those of a GPU; so is what they get \
wrong: the gradient that is the logits, the offset that is kept. The last bits of `exp` and `log`, the \
order of a sum within a block, flushed subnormal numbers and whatever races are not: an interpreter's \
are NumPy's, one program after the other. Triton's converts to bfloat16 by a routine of its own, which \
rounds otherwise: bfloat16 is not asked of it. [docs/KERNELS.md](KERNELS.md) says how to judge a kernel \
of yours so.

Ranks in one process (`cpu[mesh=tp4]`) hold the shards and run the collectives that several devices \
would, so sums over ranks are those of the mesh; a network, its failures and its order of arrival are \
not there.
"""


def keep(paths: Iterable[Path]) -> None:
    """Keep what the page says of these run files."""
    evidence.write(NAME, [_small(read_run(path)) for path in paths])


def _small(run: Run) -> Run:
    verdicts = called(run).verdicts
    by = verdicts.group_by("framework", "version", "device", "status").len().sort(pl.all())
    worst = (
        verdicts.filter(pl.col("status").is_in(FAULTS))
        .sort("ratio", "ulps", "case", descending=[True, True, False], nulls_last=True)
        .group_by(_OF, maintain_order=True)
        .first()
        .select(verdicts.columns)
    )
    kept = ("created", "frameworks", "selection", "corpus", "reference", "causes")
    header = {k: v for k, v in run.header.items() if k in kept}
    return Run(worst, ({**header, COUNTS: [list(row) for row in by.iter_rows()]},))


def page() -> str:
    """All of docs/DEVICES.md."""
    runs = evidence.read(NAME)
    rows = pl.concat([run.verdicts for run in runs])
    told = HEAD.format(day=_days(runs), machine=_machine(runs))
    return "".join([told, *_asked(runs), FINDINGS, *(_finding(f, rows) for f in FOUND), END])


def row_of(finding: Finding, rows: pl.DataFrame) -> dict[str, Any]:
    """The row that shows a finding. Raises LookupError where none does."""
    said = pl.all_horizontal(
        pl.col(column) == getattr(finding, column)
        for column in ("framework", "implementation", "output", "clause", "cause", "dtype")
    )
    found = rows.filter(said & pl.col("status").is_in(FAULTS))
    if found.is_empty():
        raise LookupError(f"nothing kept shows it: {finding.title}")
    return found.row(0, named=True)


def command(row: dict[str, Any]) -> str:
    """What shows the row."""
    words = ["conformance", "explain", row["case"], "--implementation", row["implementation"]]
    words += ["--device", row["device"]] if split(row["device"])[1] else []
    return shlex.join([*words, "--output", row["output"], "--python", ".venv/devices"])


def _finding(finding: Finding, rows: pl.DataFrame) -> str:
    row = row_of(finding, rows)
    status = Status(row["status"]).word
    told = Answer.of(row).with_message(row["message"])
    if row["symptom"] == Symptom.CHANGED_INPUTS:
        told = f"{row['symptom']}: {row['message']}"
    return (
        f"**{finding.title}.** {row['framework']} {row['version']}, "
        f"{row['dtype']}, {status} {row['clause']}.\n\n"
        f"```console\n$ {command(row)}\n{told}\n```\n\n"
    )


def _asked(runs: Sequence[Run]) -> Iterable[str]:
    for run in runs:
        by: dict[tuple[str, str, str], dict[str, int]] = {}
        for framework, version, device, status, number in run.header[COUNTS]:
            by.setdefault((framework, version, device), {})[status] = number
        for (framework, version, device), of in by.items():
            cells = (
                f"{framework} {version}", f"`{device}`", count(sum(of.values())),
                *(count(of.get(s, 0)) for s in ("conforms", "breaks_must", "breaks_should", "unsupported")),
                f"`{line(framework, run.header['selection']['profile'])}`",
            )  # fmt: skip
            yield f"| {' | '.join(cells)} |\n"


def _days(runs: Sequence[Run]) -> str:
    days = sorted({run.header["created"][:10] for run in runs})
    return " to ".join(dict.fromkeys((days[0], days[-1])))


def _machine(runs: Sequence[Run]) -> str:
    every = [f["environment"] for run in runs for f in run.header["frameworks"]]
    parts = sorted({f"{e['system']} ({e['processor']})" for e in every})
    pythons = listed(sorted({e["python"] for e in every}))
    missing = [name for name in TARGETS if not any(name in _names(run) for run in runs)]
    without = f"; not asked here: {listed(missing)}" if missing else ""
    devices = {device for run in runs for _, _, device, *_ in run.header[COUNTS]}
    return f"{', '.join(parts)}, Python {pythons}, {plural(len(devices), 'device label')}{without}"


def _names(run: Run) -> set[str]:
    return {framework for framework, *_ in run.header[COUNTS]}


if __name__ == "__main__":
    assert set(TARGETS) <= set(FRAMEWORKS)
    if sys.argv[1:]:
        keep(map(Path, sys.argv[1:]))
    print(page(), end="")
