"""Run files beside one another: what each machine is called, and which two files contradict one another.

A verdict is of a framework's build on a device under a driver. The table calls a machine by its processor,
and two may have the same: where two files answer for one build so, their machines are called by what else is
not the same in them, the accelerator, its driver, the instruction sets.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xent_conformance.reports.run.file import Run, RunFileError, merge, read_run

Build = tuple[str, str, str]
"""Framework, version, processor."""


def beside(paths: Sequence[Path]) -> Run:
    """The run of one file or several. Raises :class:`RunFileError`, which names the files that contradict."""
    runs = apart([read_run(path) for path in paths])
    pairs = list(itertools.combinations(zip(paths, runs, strict=True), 2))
    for (here, one), (there, other) in pairs:
        if told := _asked_otherwise(one.header, other.header):
            raise RunFileError(f"{here} and {there} {told}; run again with one version of the suite")
    try:
        return merge(runs)
    except RunFileError:
        for (here, one), (there, other) in pairs:
            try:
                merge([one, other])
            except RunFileError as contradict:
                raise RunFileError(f"{here} and {there}: {contradict}") from None
        raise


def _asked_otherwise(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """How the questions of two files, or what they were judged by, are not the same; empty where they are."""
    profiles = [h["selection"]["profile"] for h in (one, other) if not h["selection"].get("cases")]
    if len(profiles) == 2 and len(set(profiles)) == 1 and one["corpus"] != other["corpus"]:
        return f"asked another corpus ({one['corpus'][:8]} and {other['corpus'][:8]}, both {profiles[0]})"
    if one["reference"] != other["reference"]:
        return f"were judged by another reference ({one['reference'][:8]} and {other['reference'][:8]})"
    return ""


def apart(runs: Sequence[Run]) -> list[Run]:
    """The runs, in which machines that answer for one build and are not the same have names of their own."""
    there: dict[Build, list[Mapping[str, str]]] = {}
    found = [dict(_machines(run)) for run in runs]
    for machines in found:
        for build, machine in machines.items():
            there.setdefault(build, []).append(machine)
    return [_renamed(run, machines, there) for run, machines in zip(runs, found, strict=True)]


def _machines(run: Run) -> Iterator[tuple[Build, Mapping[str, str]]]:
    """Of each build that was asked, what tells its machine from another with such a processor."""
    for worker in (f for h in run.headers for f in h["frameworks"] if not f.get("variant")):
        environment = worker["environment"]
        accelerators = dict.fromkeys(environment[d] for d in worker["devices"] if d in environment)
        yield (
            (worker["framework"], worker["version"], environment["processor"]),
            {
                "accelerators": ", ".join(accelerators),
                "driver": environment.get("driver", ""),
                "instructions": environment.get("instructions", ""),
            },
        )


def _renamed(
    run: Run, machines: Mapping[Build, Mapping[str, str]], there: Mapping[Build, Sequence[Mapping[str, str]]]
) -> Run:
    name = pl.col("machine")
    for (framework, version, processor), machine in machines.items():
        own = _own(machine, there[framework, version, processor])
        here = (pl.col("framework") == framework) & (pl.col("version") == version)
        it = here & (pl.col("machine") == processor)
        name = pl.when(it).then(pl.lit(", ".join([processor, *own]))).otherwise(name)
    return Run(run.verdicts.with_columns(machine=name), run.headers)


def _own(machine: Mapping[str, str], machines: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What of a machine is not the same in all of them; of its instruction sets, those that not all have."""
    for what in ("accelerators", "driver"):
        if machine[what] and any(other[what] != machine[what] for other in machines):
            yield machine[what]
    sets = [other["instructions"].split() for other in machines]
    mine = [s for s in machine["instructions"].split() if not all(s in other for other in sets)]
    lacks = [s for s in dict.fromkeys(itertools.chain(*sets)) if s not in machine["instructions"].split()]
    if mine or lacks:
        yield " ".join(mine) or f"without {' '.join(lacks)}"
