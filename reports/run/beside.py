"""Run files beside one another: what each machine is called, and which two files contradict one another.

A verdict is of a framework's build on a device under a driver. The table calls a machine by its processor,
and two may have the same: where two files answer for one build so, their machines are called by what else is
not the same in them, the accelerator, its driver, the instruction sets.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from xent_conformance.reports.run.file import Run, merge, read_run
from xent_conformance.reports.run.unusable import RunFileError

Header = Mapping[str, Any]


class Build(NamedTuple):
    """Of which framework, and beside which processor: what a table calls alike."""

    framework: str
    version: str
    processor: str

    @classmethod
    def of(cls, worker: Mapping[str, Any]) -> Build:
        """The build of a worker, as a header has it."""
        return cls(worker["framework"], worker["version"], worker["environment"]["processor"])


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


def _asked_otherwise(one: Header, other: Header) -> str:
    """How the questions of two files, or what they were judged by, are not the same; empty where they are."""
    profiles = [h["selection"]["profile"] for h in (one, other) if not h["selection"].get("cases")]
    if len(profiles) == 2 and len(set(profiles)) == 1 and one["corpus"] != other["corpus"]:
        return f"asked another corpus ({one['corpus'][:8]} and {other['corpus'][:8]}, both {profiles[0]})"
    if one["reference"] != other["reference"]:
        return f"were judged by another reference ({one['reference'][:8]} and {other['reference'][:8]})"
    return ""


def apart(runs: Sequence[Run]) -> list[Run]:
    """The runs, in which machines that answer for one build and are not the same have names of their own."""
    names = machines([header for run in runs for header in run.headers])
    return [_renamed(run, [next(names) for _ in run.headers]) for run in runs]


def machines(headers: Sequence[Header]) -> Iterator[Mapping[Build, str]]:
    """What the machine of each header is called beside the others, by the build that it answers for."""
    found = [dict(_told(header)) for header in headers]
    there: dict[Build, list[Mapping[str, str]]] = {}
    for build, machine in itertools.chain.from_iterable(told.items() for told in found):
        there.setdefault(build, []).append(machine)
    for told in found:
        yield {
            build: ", ".join([build.processor, *_own(machine, there[build])])
            for build, machine in told.items()
        }


def _told(header: Header) -> Iterator[tuple[Build, Mapping[str, str]]]:
    """Of each build that was asked, what tells its machine from another with such a processor."""
    for worker in (f for f in header["frameworks"] if not f.get("variant")):
        environment = worker["environment"]
        accelerators = dict.fromkeys(environment[d] for d in worker["devices"] if d in environment)
        yield (
            Build.of(worker),
            {
                "accelerators": ", ".join(accelerators),
                "driver": environment.get("driver", ""),
                "instructions": environment.get("instructions", ""),
            },
        )


def _renamed(run: Run, names: Sequence[Mapping[Build, str]]) -> Run:
    name = pl.col("machine")
    for build, called in (item for of_header in names for item in of_header.items()):
        here = (pl.col("framework") == build.framework) & (pl.col("version") == build.version)
        it = here & (pl.col("machine") == build.processor)
        name = pl.when(it).then(pl.lit(called)).otherwise(name)
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
