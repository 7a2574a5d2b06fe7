"""The parts of a run put together: the same run as one machine would have written, or the reason why not."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xent_conformance.asking.selection import Selection
from xent_conformance.diagnosis.said import Said
from xent_conformance.discovery.framework import Seat
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import PART, Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.reports.text.wording import listed
from xent_conformance.running.distances import Measured
from xent_conformance.running.ending import ended
from xent_conformance.running.header import OF_SEAT, identity
from xent_conformance.running.ledger import Ledger
from xent_conformance.running.order import ordered
from xent_conformance.running.paged import Paged
from xent_conformance.running.relief import Relief
from xent_conformance.running.shards import groups
from xent_conformance.worker.machine import cores

ALIKE = {
    "suite": "version of the suite",
    "corpus": "corpus",
    "reference": "reference",
    "instrument": "source of the suite",
    "judged_with": "Python or package that judges",
}
"""What all parts have in common, and what it is called."""

_OF_A_START = ("import_s", "starts")
"""What a worker says of itself that is of one start."""

_WHICH = "CUDA_VISIBLE_DEVICES"
"""Which of a machine's accelerators a scheduler gave it. What they are is told beside it, by their names."""

Parts = Mapping[Path, Run]


def read_parts(paths: Sequence[Path]) -> dict[Path, Run]:
    """The parts by their files. Raises RunFileError for a file that is none, and for one named twice."""
    parts = {}
    for path in paths:
        if path in parts:
            raise RunFileError(f"{path} is named twice")
        parts[path] = run = read_run(path, part=True)
        if PART not in run.header:
            raise RunFileError(f"{path} is a whole run, and no part of one: it needs no merging")
    if not parts:
        raise RunFileError("no part is named")
    return parts


def asked_by(parts: Parts) -> Selection:
    """What all parts were asked together. Raises RunFileError for parts of different runs."""
    (first, run), *others = parts.items()
    wanted = _selection(run)
    for path, other in others:
        if (found := _selection(other)) != wanted:
            names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
            raise RunFileError(f"{path} asked something else than {first}: other {listed(names)}")
    narrowed = {name: tuple(value) for name, value in wanted.items() if name != "profile"}
    return Selection(wanted["profile"], **narrowed)


def merged(parts: Parts, asked: Selection, oracle: Oracle, jobs: int | None = None) -> Run:
    """The run; at most ``jobs`` processes look for its causes, as many as there are cores, if unsaid.

    Raises RunFileError for a gap, an overlap, another corpus or another suite, and says which.
    """
    ours = json.loads(json.dumps(identity(asked)))
    (first, run), *others = parts.items()
    for name, what in ALIKE.items():
        for path, other in others:
            if other.header[name] != run.header[name]:
                raise RunFileError(f"{path} has another {what} than {first}")
        if name != "judged_with" and run.header[name] != ours[name]:
            raise RunFileError(f"{first} has another {what} than this suite: merge with the one that asked")
    _check_whole(parts, asked)
    seats = {seat.key: seat for seat in asked.seats()}
    ledger = _ledger(parts, seats)
    told = {
        "judged_with": run.header["judged_with"],
        "created": max(part.header["created"] for part in parts.values()),
        "parts": [_told(part.header) for part in parts.values()],
    }
    again = [words for part in parts.values() for words in part.header.get("asked_again", ())]
    every = pl.concat([part.verdicts for part in parts.values()])
    more = told | ({"asked_again": again} if again else {})
    verdicts, memory, jobs = functools.partial(ordered, every.get_column), Relief(Paged()), jobs or cores()
    return ended(asked, list(asked.batches()), seats, ledger, verdicts, Said(oracle), more, memory, jobs)


def _selection(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.header["selection"].items() if name != "shard"}


def _told(header: Mapping[str, Any]) -> dict[str, Any]:
    """What a merged run keeps of a part."""
    seconds = header["seconds"]["total"]
    return {
        "index": header[PART]["index"],
        "created": header["created"],
        "seconds": seconds,
        "workers": header.get("workers", {}),
    }


def _check_whole(parts: Parts, asked: Selection) -> None:
    """Every part once, every batch in one of them."""
    numbers = {path: (run.header[PART]["index"], run.header[PART]["of"]) for path, run in parts.items()}
    (first, (_, of)), *others = numbers.items()
    for path, (_, other) in others:
        if other != of:
            raise RunFileError(f"{path} is of {other} parts, and {first} of {of}")
    holders: dict[int, Path] = {}
    for path, (index, _) in numbers.items():
        if index in holders:
            raise RunFileError(f"{path} and {holders[index]} are both part {index} of {of}")
        holders[index] = path
    if gaps := [f"{i}/{of}" for i in range(1, of + 1) if i not in holders]:
        raise RunFileError(
            f"{listed(gaps)} {'is' if len(gaps) == 1 else 'are'} missing; ask with --shard {gaps[0]}"
        )
    has = Counter(batch for run in parts.values() for batch in run.header[PART]["batches"])
    due = {batch.id for group in groups(asked) for batch in group.batches}
    for batch, times in has.items():
        if times > 1 or batch not in due:
            where = [str(path) for path, run in parts.items() if batch in run.header[PART]["batches"]]
            what = "more than one part has" if times > 1 else "nobody is to be asked"
            raise RunFileError(f"{what} {batch}: {listed(where)}; they were not divided by one suite")
    if gone := sorted(due - set(has)):
        raise RunFileError(f"no part has {gone[0]}, and {len(gone) - 1} batches more")


def _ledger(parts: Parts, seats: Mapping[str, Seat]) -> Ledger:
    """What the parts' machines have noted, as one would have. Raises RunFileError where two differ."""
    ledger = Ledger({})
    planned: Counter[str] = Counter()
    said: dict[str, Path] = {}
    for path, run in parts.items():
        header = run.header
        planned.update(header["planned"])
        ledger.finished.update(header["finished"])
        ledger.absent += [gap for gap in header["absent"] if gap not in ledger.absent]
        ledger.not_installed += [g for g in header["not_installed"] if g not in ledger.not_installed]
        ledger.distances.restore([Measured(largest=header["distances"])])
        for what, seconds in header["seconds"].items():
            ledger.seconds[what] += seconds
        for mode, spent in header["seconds_by_mode"].items():
            for what, seconds in spent.items():
                ledger.spent.setdefault(mode, type(ledger.seconds)(float))[what] += seconds
        for key, hello in zip(header[PART]["seats"], header["frameworks"], strict=True):
            _meet(ledger, said, key, path, hello)
    ledger.planned = {key: planned[key] for key in seats if key in planned}
    if unknown := sorted(set(planned) - set(seats)):
        raise RunFileError(
            f"{listed(unknown)}: not known on this machine; merge on one like those that asked"
        )
    return ledger


def _meet(ledger: Ledger, said: dict[str, Path], key: str, path: Path, hello: Mapping[str, Any]) -> None:
    """One table of two versions, settings or machines would be the answers of nobody."""
    plain = {name: told for name, told in hello.items() if name not in OF_SEAT}
    if key in ledger.hellos:
        before = ledger.hellos[key]
        for name in {**before, **plain}:
            if name not in _OF_A_START and _alike(before.get(name)) != _alike(plain.get(name)):
                raise RunFileError(
                    f"{path} and {said[key]} asked another {key}: {name} {plain.get(name)}, and "
                    f"{before.get(name)}; ask all parts of one kind of machine"
                )
        ledger.starts[key] += hello["starts"] - 1
        return
    said[key] = path
    ledger.starts[key] = hello["starts"]
    ledger.hellos[key] = {name: told for name, told in plain.items() if name != "starts"}


def _alike(told: Any) -> Any:
    """What parts must have in common of what a worker says."""
    return {k: v for k, v in told.items() if k != _WHICH} if isinstance(told, dict) else told
