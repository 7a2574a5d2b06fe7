"""A sweep in a terminal: how accurate each output is, where it is worst, and what it breaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from xent_conformance.reports.run.words import GRADED
from xent_conformance.reports.terminal.screen import say, table
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import count


def show_swept(told: Mapping[str, Any], console: Console) -> None:
    """The document of a sweep for a person."""
    asked, answered = told["asked"], told["answered"]
    who = f"{asked['implementation']} in {asked['dtype']}, {answered['framework']} {answered['version']}"
    say(console, (f"{who} ({asked['mode']}, {asked['device']})", "bold"))
    points = f"{count(told['points'])} points of {count(told['of'])}"
    if told["exhaustive"]:
        say(console, ("exhaustive", "bold green"), f": all {count(told['of'])} points were asked and judged")
    else:
        say(console, ("partial", "bold yellow"), f": {points}; a larger error may be among the others")
    names = [name(part) for part in told["parts"]]
    table(
        console,
        ("output", *(grade.replace("_", " ") for grade in GRADED), "not judged"),
        [
            (named, *(count(part["grades"][grade]) for grade in GRADED), count(part["open"]))
            for named, part in zip(names, told["parts"], strict=True)
        ],
        right=(*(grade.replace("_", " ") for grade in GRADED), "not judged"),
        names=("output",),
    )
    for named, part in zip(names, told["parts"], strict=True):
        say(console, f"{named}: {maximum(part, exhaustive=told['exhaustive'])}")
        if part["histogram"]:
            say(console, f"  {histogram(part['histogram'])}")
        for broken in part["broken"]:
            say(console, f"  {_broken(broken)}")
    spent = ", ".join(f"{what} {numbers.seconds(s)}" for what, s in told["seconds"].items())
    say(console, f"time: {spent}")


def name(part: Mapping[str, Any]) -> str:
    """``value, label 1``."""
    return part["output"] if part["label"] is None else f"{part['output']}, label {part['label']}"


def maximum(part: Mapping[str, Any], *, exhaustive: bool) -> str:
    """The largest error of a number and where it is."""
    at = part["maximum"]
    if at is None:
        return "no number was due"
    word = "true maximum" if exhaustive else "largest so far"
    return f"{word} {numbers.ulps(at['ulps'])} ulp at {where(at)}: {at['got']}, and {at['right']} is right"


def where(at: Mapping[str, Any]) -> str:
    """``-89 (0xc2b2)``; of two classes which of them."""
    logits = ", ".join(at["logits"])
    return f"{logits} ({at['bits']})" + (f", class {at['element']}" if len(at["logits"]) > 1 else "")


def histogram(powers: Mapping[str, int]) -> str:
    """``1 to 2 ulp 99 · 2 to 4 ulp 52``."""
    said: Sequence[str] = [
        f"{numbers.ulps(2.0 ** int(p))} to {numbers.ulps(2.0 ** (int(p) + 1))} ulp {count(n)}"
        for p, n in powers.items()
    ]
    return " · ".join(said)


def _broken(broken: Mapping[str, Any]) -> str:
    at = broken["at"]
    error = "" if at["ulps"] is None else f", up to {numbers.ulps(at['ulps'])} ulp"
    return (
        f"{broken['status'].replace('_', ' ')} {broken['clause']}, {broken['symptom']}: "
        f"{count(broken['count'])}{error}, as {at['got']} for {at['right']} at {where(at)}"
    )
