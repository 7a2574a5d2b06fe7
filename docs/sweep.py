"""``python -m docs.sweep`` prints docs/SWEEP.md, from the whole sweeps in docs/evidence/sweeps.json.

``python -m docs.sweep --ask`` asks every number of 16 bits anew and keeps it there, and
``python -m docs.sweep SWEEP.json …`` what ``conformance sweep`` has written. Only what is exhaustive is kept.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xent_conformance.reports.atomic import write_text
from xent_conformance.reports.text.numbers import count, seconds, ulps
from xent_conformance.reports.text.swept import histogram, name, where
from xent_conformance.sweep.document import read
from xent_conformance.sweep.engine import sweep
from xent_conformance.sweep.plan import plan

KEPT = Path(__file__).resolve().parent / "evidence" / "sweeps.json"
WORDS = Path(__file__).resolve().parent / "sweep_words.txt"
"""What the page says before its tables."""

DOORS = (
    "torch.sigmoid",
    "torch.nn.functional.logsigmoid",
    "torch.nn.functional.binary_cross_entropy_with_logits",
    "jax.nn.sigmoid",
    "jax.nn.log_sigmoid",
    "jax.nn.log_sigmoid+sum",
    "tf.nn.sigmoid",
    "tf.math.log_sigmoid",
    "tf.nn.sigmoid_cross_entropy_with_logits",
)
"""Sigmoid, log-sigmoid and binary cross-entropy of the three frameworks, in the first mode of each."""

NARROW = ("float16", "bfloat16")

FORMATS = ("float32", *NARROW)

Document = Mapping[str, Any]


def kept() -> list[Document]:
    """The sweeps that are kept, in the order of the page."""
    told: list[Document] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    return sorted(told, key=_place)


def _place(document: Document) -> tuple[int, str, int, Sequence[str]]:
    asked = document["asked"]
    door, outputs = DOORS.index(asked["implementation"]), tuple(asked["outputs"])
    return FORMATS.index(asked["dtype"]), asked["device"], door, outputs


def ask(door: str, dtype: str) -> Document:
    """All of one format, swept now."""
    return slim(sweep(plan(door, None, dtype), None).as_dict())


def slim(told: Document) -> Document:
    """A whole sweep without what only merging needs. Raises ValueError for one that is not whole."""
    if not told["exhaustive"]:
        raise ValueError(f"{told['asked']['implementation']}: {told['points']} points of {told['of']}")
    parts = [{k: v for k, v in part.items() if k not in ("charges", "worst")} for part in told["parts"]]
    return {**told, "parts": parts}


def keep(documents: Iterable[Document]) -> None:
    """Put sweeps among those that are kept, in place of the same, or of fewer outputs, asked before."""
    new = list(documents)
    told = [d for d in kept() if not any(_is_of(d, other) for other in new)]
    every = {_place(document): document for document in (*told, *new)}
    told = [every[place] for place in sorted(every)]
    write_text(KEPT, json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _is_of(document: Document, other: Document) -> bool:
    """Whether the other says all that it does."""
    *mine, outputs = _place(document)
    *theirs, more = _place(other)
    return mine == theirs and set(outputs) <= set(more)


def page() -> str:
    """The page: its words, then a table for each format on each device."""
    every = kept()
    lines = [WORDS.read_text(encoding="utf-8").rstrip()]
    for (dtype, device), mine in itertools.groupby(every, key=_format_and_device):
        lines += ["", *_table(dtype, device, list(mine))]
    return "\n".join([*lines, "", *_time(every), ""])


def _format_and_device(document: Document) -> tuple[str, str]:
    return document["asked"]["dtype"], document["asked"]["device"]


def _table(dtype: str, device: str, documents: Sequence[Document]) -> list[str]:
    versions = dict.fromkeys(f"{d['answered']['framework']} {d['answered']['version']}" for d in documents)
    machines = dict.fromkeys(_machine(d) for d in documents)
    of = count(max(part["elements"] for d in documents for part in d["parts"]))
    return [
        f"### All {of} of {dtype}" + (f" on {device}" if device != "cpu" else ""),
        "",
        f"{', '.join(versions)}, on {'; '.join(machines)}.",
        "",
        "| implementation | output | correctly rounded | else below 1 ulp | 1 ulp and more | NaN or ∞ "
        "| true maximum, ulp | at | returned | right | breaks |",
        "|---|---|---:|---:|---:|---:|---:|---|---|---|---|",
        *(_row(d, part) for d in documents for part in d["parts"]),
    ]


def _machine(document: Document) -> str:
    told = document["answered"]["environment"]
    processor = f"{told['processor']} ({told['instructions']})"
    device = told.get(document["asked"]["device"])
    return f"{device}, beside {processor}" if device else processor


def _row(document: Document, part: Mapping[str, Any]) -> str:
    grades, at = part["grades"], part["maximum"]
    more = grades["accurate"] + grades["stable"] + grades["divergent"]
    asked = document["asked"]
    cells = (
        f"`{asked['implementation']}`" + (f" {asked['mode']}" if asked["mode"] != "eager" else ""),
        name(part).replace("_", " "),
        count(grades["exact"]),
        count(grades["faithful"]),
        count(more),
        count(grades["wrong_special"]),
        ulps(at["ulps"]),
        where(at),
        at["got"],
        at["right"],
        "; ".join(f"{b['clause']} ({b['symptom']}) {count(b['count'])}" for b in part["broken"]),
    )
    return f"| {' | '.join(cells)} |"


def _time(documents: Sequence[Document]) -> list[str]:
    """Where the time of the sweeps of 32 bits went."""
    wide = [d for d in documents if d["asked"]["dtype"] == "float32"]
    if not wide:
        return []
    lines = [
        "## Where the time went",
        "",
        "Of those of float32: kernel, and transport of logits and results, by the clock, summed over the "
        "parts of a sweep that was divided; judging, in seconds of a processor. The CPU had two cores and "
        "much else to do; beside the GPU several parts were asked and judged at a time.",
        "",
        "| implementation | device | outputs | kernel | transport | judging | judged a second of one core |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for d in wide:
        spent, outputs = d["seconds"], d["asked"]["outputs"]
        judged = sum(part["elements"] for part in d["parts"]) / spent["judging"]
        cells = (
            f"`{d['asked']['implementation']}`",
            d["asked"]["device"],
            ", ".join(outputs).replace("_", " "),
            seconds(spent["kernel"]),
            seconds(spent["transport"]),
            seconds(spent["judging"]),
            f"{judged / 1e6:.0f} million",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def histograms(document: Document) -> list[str]:
    """Of each output of a sweep, how far off those are that are off by an ulp or more."""
    return [f"{name(part)}: {histogram(part['histogram'])}" for part in document["parts"]]


def main(arguments: Sequence[str]) -> None:
    """Print the page; with arguments, keep what is asked anew or read."""
    if arguments == ["--ask"]:
        for dtype in NARROW:
            for door in DOORS:
                keep([ask(door, dtype)])
        return
    for argument in arguments:
        found = read(Path(argument))
        if found is None:
            raise SystemExit(f"{argument} is no sweep of this version")
        keep([slim(found.as_dict())])
    if not arguments:
        print(page(), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
