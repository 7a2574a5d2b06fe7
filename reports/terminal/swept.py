"""A sweep in a terminal: how accurate each output is, where it is worst, and what it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from xent_conformance.reports.run.words import GRADED
from xent_conformance.reports.terminal.screen import say, table
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.swept import histogram, maximum, name, where


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


def _broken(broken: Mapping[str, Any]) -> str:
    at = broken["at"]
    error = "" if at["ulps"] is None else f", up to {numbers.ulps(at['ulps'])} ulp"
    return (
        f"{broken['status'].replace('_', ' ')} {broken['clause']}, {broken['symptom']}: "
        f"{count(broken['count'])}{error}, as {at['got']} for {at['right']} at {where(at)}"
    )
