"""Run and environment: what was asked, where, how long it took, and the families and notes to it.

What all workers have in common stands once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import SLIM, Run
from xent_conformance.reports.text.asked import narrowed, not_asked, older
from xent_conformance.reports.text.numbers import count, seconds
from xent_conformance.reports.text.outside import told
from xent_conformance.reports.text.wording import joined, listed, plural, words
from xent_conformance.reports.views.settings import devices_of

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Worker:
    """One framework's process: versions, devices and what may change its arithmetic."""

    name: str
    variant: str
    """The setting of its devices that it was started under; empty for the devices as they are."""
    about: str
    environment: Facts


@dataclass(frozen=True)
class File:
    """One run file: what it says of itself, what its workers have in common, and where they differ."""

    facts: Facts
    common: Facts
    workers: tuple[Worker, ...]


@dataclass(frozen=True)
class NotInstalled:
    """A framework that nobody named and that is not here: the run is complete without it."""

    framework: str
    message: str
    install: str


@dataclass(frozen=True)
class About:
    """What was asked, where, and how long it took."""

    files: tuple[File, ...]
    not_installed: tuple[NotInstalled, ...]
    families: Facts
    notes: Facts
    workers: int
    corpus: str


def view(material: Material) -> About:
    """All that a header says of the workers, the families and the implementations."""
    run = material.run
    families = {name: text for h in run.headers for name, text in h["families"].items()}
    for file in (f for h in run.headers for f in h.get("cases", ())):
        families[file["name"]] = "; ".join([families[file["name"]], *told(file)])
    notes: dict[str, dict[str, None]] = {}
    for i in (i for h in run.headers for i in h["implementations"] if i["note"]):
        notes.setdefault(i["note"], {})[i["name"]] = None
    return About(
        files=tuple(_file(h) for h in run.headers),
        not_installed=tuple(
            NotInstalled(n["framework"], n["message"], n["install"])
            for h in run.headers
            for n in h.get("not_installed", [])
        ),
        families=tuple((words(name), text) for name, text in families.items()),
        notes=tuple((", ".join(names), text) for text, names in notes.items()),
        workers=workers(run),
        corpus=", ".join(dict.fromkeys(h["corpus"][:16] for h in run.headers)),
    )


def workers(run: Run) -> int:
    """How many processes answered; one may have answered more than one part of what was planned."""
    return sum(len(h["frameworks"]) for h in run.headers)


def _file(header: Mapping[str, Any]) -> File:
    workers = sorted(header["frameworks"], key=_plain_first)
    common = _common([worker["environment"] for worker in workers])
    return File(
        facts=tuple(_facts(header)),
        common=tuple((name, str(value)) for name, value in common.items()),
        workers=tuple(_worker(worker, common) for worker in workers),
    )


def _facts(header: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    selection, planned = header["selection"], header["planned"]
    answered = [
        f"{name} {count(header['finished'].get(name, 0))} of {count(n)}" for name, n in planned.items()
    ]
    absent = [f"{a['framework']}: {a['message']} Add it: {a['install']}" for a in header["absent"]]
    facts = [
        ("again", commands.ask_again(header)),
        ("date", header["created"]),
        ("profile", joined(", only ", [selection["profile"], narrowed(selection)])),
        ("left out", not_asked(header)),
        ("older than what is asked", "; ".join(older(header))),
        ("batches answered", "; ".join(answered)),
        ("absent", "; ".join(absent)),
        ("suite, reference", f"{header['suite']}, {header['reference']}"),
        ("corpus", header["corpus"]),
        *([("was made small", header[SLIM])] if SLIM in header else []),
        ("time spent", ", ".join(f"{what} {seconds(s)}" for what, s in header["seconds"].items())),
    ]
    return [(name, text) for name, text in facts if text]


def _common(environments: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What every worker says alike."""
    if not environments:
        return {}
    first, *rest = environments
    return {name: v for name, v in first.items() if all(name in e and e[name] == v for e in rest)}


def _plain_first(framework: Mapping[str, Any]) -> tuple[str, str]:
    """A framework's variants stand behind its devices as they are."""
    return str(framework["framework"]), str(framework.get("variant", ""))


def _worker(framework: Mapping[str, Any], common: Mapping[str, Any]) -> Worker:
    starts = framework["starts"]
    told = f"on {listed(devices_of(framework))}; import {seconds(framework['import_s'])}"
    own = ((str(k), str(v)) for k, v in framework["environment"].items() if k not in common)
    return Worker(
        name=f"{framework['framework']} {framework['version']}",
        variant=framework.get("variant", ""),
        about=told if starts == 1 else f"{told}; started {starts} times",
        environment=tuple(own),
    )


def _about(view: About) -> str:
    return f"{plural(view.workers, 'worker')}; corpus {view.corpus}"


SECTION = Section("environment", "Run and environment", "environment.html", view, folded=True, about=_about)
