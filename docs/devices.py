"""Devices and kernels that a machine without a GPU can ask, and what was found in them.

``python -m docs.devices`` prints docs/DEVICES.md from the run files of ``make report-devices`` that are
published. ``tests/test_devices_page.py`` compares.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from docs import ranks
from docs.published import DEVICES, read
from making.devices import TARGETS, environment, line
from xent_conformance.devices.names import split
from xent_conformance.devices.variants import CHROMIUM, NODE_MODULES
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import FAULTS, Status, Symptom
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import Answer, listed, plural
from xent_conformance.reports.views.settings import transferring

PYTHON = ".venv/devices"
"""The environment that ``make report-devices`` makes; what quarrels has its own beside it."""


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
_LAYER = "liger_kernel.transformers.functional.liger_fused_linear_cross_entropy"
_TRL = "trl.trainer.utils.selective_log_softmax"
_VERL = "verl.utils.torch_functional.logprobs_from_logits"
_MEGATRON = "megatron.core.tensor_parallel.vocab_parallel_cross_entropy"
_FUSED = "megatron.core.fusions.fused_cross_entropy.fused_vocab_parallel_cross_entropy"
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
    Finding(
        "A common offset moves the value of Liger's layer",
        "liger", _LAYER, "value", "7.1", "offset-kept",
    ),
    Finding(
        "A label that is no class is accepted in silence by Liger's layer",
        "liger", _LAYER, "value", "6.4", "6-4-softmax-value-a-number-where-nan",
    ),
    Finding("A common offset moves TRL's log-probability", "trl", _TRL, "value", "7.1", "offset-kept"),
    Finding("A common offset moves verl's log-probability", "verl", _VERL, "value", "7.1", "offset-kept"),
    Finding("Two classes far from zero, in TRL", "trl", _TRL, "value", "2.5", "offset-kept"),
    Finding("Huge logits, in TRL", "trl", _TRL, "value", "2.1", "offset-kept"),
    Finding("A common offset moves scikit-learn's loss", "sklearn", _SKLEARN, "value", "7.1", "offset-kept"),
    Finding(
        "tract's log-softmax is the logarithm of a rounded softmax",
        "tract", "tract:LogSoftmax", "value", "2.1", "log-of-a-rounded-probability",
    ),
    Finding(
        "A sum over the classes stops under ncnn's fp16 options",
        "ncnn", "ncnn:Softmax", "value", "2.6", "a-sum-in-16-bits", "float16",
    ),
    Finding(
        "Log-softmax alone has an identity for its gradient under loss_parallel",
        "loss-parallel", _LOG, "grad_logits", "1.1", "the-cotangent-itself",
    ),
    Finding(
        "Megatron smooths over the classes of a rank: a loss of its own on each",
        "megatron", _MEGATRON, "value", "6.7", "6-7-softmax-value-wrong-numbers",
    ),
    Finding(
        "Megatron writes over its logits in binary32",
        "megatron", _MEGATRON, "value", "7.11", "changes-its-arguments",
    ),
    Finding(
        "The gradient of Megatron's fused loss is bfloat16, whatever the logits are",
        "megatron", _FUSED, "grad_logits", "1.1", "in-fewer-bits",
    ),
)  # fmt: skip

HEAD = """# Devices and kernels without a GPU

What a machine of two cores can ask beside the frameworks: kernels of a GPU in an interpreter, losses \
whose classes are spread over ranks, runtimes, shaders on drivers of Vulkan that compute on the CPU, \
libraries of JavaScript on a page of a browser, and losses of other libraries. {day}, {machine}. \
**[They stand side by side on a page](../reports/published/devices.html)**, with the gate's decision, every \
cause, and what of it transfers to a GPU. This one is printed by `.venv/bin/python -m docs.devices` from the \
same run files, which `make report-devices` wrote; a test compares. None of it is asked by `make report`, \
and none of it is installed by `make`.

```console
$ make report-devices       # into .venv/devices what installs; asks it; writes out/devices.html
$ conformance doctor --python .venv/devices     # what of it is there, and does it answer?
```

Drivers of Vulkan that compute on the CPU are no business of pip: on Debian the package `chromium` brings \
SwiftShader, and `mesa-vulkan-drivers` lavapipe. One that is absent is said, with what brings it.

ONNX Runtime Web and TensorFlow.js want three things:

- **Chromium.** The system's is taken (on Debian the package `chromium`), or else the one that \
`python -m playwright install chromium` brings; `{chromium}` names another. It brings SwiftShader, by which \
WebGPU and WebGL compute where there is no GPU.
- **Playwright**, which drives it: pip's `playwright`, which `make report-devices` installs.
- **npm's packages**, in exact versions. `make report-devices` has `npm install` put them into \
`.venv/devices/node_modules`, where they are looked for; `{modules}` names another folder. On Debian the \
package `npm` brings npm, and without it both libraries are left out.

## What was asked

| framework | device | implementation | operator | verdicts | conform | break must | break should \
| not offered |
|---|---|---|---|---|---|---|---|---|
"""

HOW = """
```console
{commands}
```
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

| asked on | what it is | is a GPU's too | is not |
|---|---|---|---|
{settings}
Of the kernel in the interpreter, the gradient that is the logits and the offset that is kept are a GPU's. \
[docs/KERNELS.md](KERNELS.md) says how to judge a kernel of yours so.
"""


def page() -> str:
    """All of docs/DEVICES.md."""
    run = called(read(DEVICES.runs))
    told = HEAD.format(day=_days(run), machine=_machine(run), chromium=CHROMIUM, modules=NODE_MODULES)
    how = HOW.format(
        commands="\n".join(f"$ {line(name)} --python {environment(name, PYTHON)}" for name in TARGETS)
    )
    over = ranks.section(read((ranks.RUN,)), PYTHON)
    found = (_finding(f, run.verdicts) for f in FOUND)
    end = END.format(settings="".join(_settings(run)))
    return "".join([told, *_asked(run), how, FINDINGS, *found, over, end])


def row_of(finding: Finding, rows: pl.DataFrame) -> dict[str, Any]:
    """The row that shows a finding. Raises LookupError where none does."""
    said = pl.all_horizontal(
        pl.col(column) == getattr(finding, column)
        for column in ("framework", "implementation", "output", "clause", "cause", "dtype")
    )
    found = rows.filter(said & pl.col("status").is_in(FAULTS)).sort(
        "ratio", "ulps", "case", descending=[True, True, False], nulls_last=True
    )
    if found.is_empty():
        raise LookupError(f"nothing published shows it: {finding.title}")
    return found.row(0, named=True)


def command(row: dict[str, Any]) -> str:
    """What shows the row."""
    words = ["conformance", "explain", row["case"], "--implementation", row["implementation"]]
    words += ["--device", row["device"]] if split(row["device"])[1] else []
    python = environment(row["framework"], PYTHON)
    return shlex.join([*words, "--output", row["output"], "--python", python])


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


_STATUSES = ("conforms", "breaks_must", "breaks_should", "unsupported")


def _asked(run: Run) -> Iterable[str]:
    of = ("framework", "version", "device", "implementation", "operator")
    counted = run.verdicts.group_by(of).agg(
        pl.len().alias("verdicts"), *((pl.col("status") == s).sum().alias(s) for s in _STATUSES)
    )
    order = {name: i for i, name in enumerate(TARGETS)}
    place = pl.col("framework").replace_strict(order)
    for row in counted.sort(place, *of[2:]).iter_rows(named=True):
        cells = (
            f"{row['framework']} {row['version']}", f"`{row['device']}`", f"`{row['implementation']}`",
            row["operator"], *(count(row[name]) for name in ("verdicts", *_STATUSES)),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |\n"


def _settings(run: Run) -> Iterable[str]:
    for setting in transferring(run):
        devices = listed([f"`{device}`" for device in setting.devices])
        cells = (f"{setting.framework}, {devices}", setting.about, setting.transfers, setting.stays)
        yield f"| {' | '.join(cells)} |\n"


def _days(run: Run) -> str:
    days = sorted({header["created"][:10] for header in run.headers})
    return " to ".join(dict.fromkeys((days[0], days[-1])))


def _machine(run: Run) -> str:
    every = [f["environment"] for header in run.headers for f in header["frameworks"]]
    parts = sorted({f"{e['system']} ({e['processor']})" for e in every})
    pythons = listed(sorted({e["python"] for e in every}))
    devices = plural(run.verdicts["device"].n_unique(), "device label")
    return f"{', '.join(parts)}, Python {pythons}, {devices}"


if __name__ == "__main__":
    assert set(TARGETS) <= set(FRAMEWORKS)
    print(page(), end="")
