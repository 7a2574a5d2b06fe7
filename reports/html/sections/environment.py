"""Where it was asked: environments, time spent, families, notes of implementations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xent_conformance.reports.html.naming import devices_of
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.text.numbers import seconds
from xent_conformance.reports.text.outside import told
from xent_conformance.reports.text.wording import listed, words


@dataclass(frozen=True)
class Worker:
    """One framework's process: versions, devices and what may change its arithmetic."""

    name: str
    variant: str
    """The setting of its devices that it was started under; empty for the devices as they are."""
    about: str
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NotInstalled:
    """A framework that nobody named and that is not here: the run is complete without it."""

    framework: str
    message: str
    install: str


@dataclass(frozen=True)
class About:
    """What was asked, where, and how long it took."""

    workers: tuple[Worker, ...]
    not_installed: tuple[NotInstalled, ...]
    times: tuple[tuple[tuple[str, str], ...], ...]
    families: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]


def view(material: Material) -> About:
    """All that a header says of the workers, the families and the implementations."""
    run = material.run
    families = {name: text for h in run.headers for name, text in h["families"].items()}
    for file in (f for h in run.headers for f in h.get("cases", ())):
        families[file["name"]] = "; ".join([families[file["name"]], *told(file)])
    notes = {(i["name"], i["note"]): None for h in run.headers for i in h["implementations"] if i["note"]}
    return About(
        workers=tuple(_worker(f) for h in run.headers for f in sorted(h["frameworks"], key=_plain_first)),
        not_installed=tuple(
            NotInstalled(n["framework"], n["message"], n["install"])
            for h in run.headers
            for n in h.get("not_installed", [])
        ),
        times=tuple(tuple((what, seconds(s)) for what, s in h["seconds"].items()) for h in run.headers),
        families=tuple((words(name), text) for name, text in families.items()),
        notes=tuple(notes),
    )


def _plain_first(framework: Mapping[str, Any]) -> tuple[str, str]:
    """A framework's variants stand behind its devices as they are."""
    return str(framework["framework"]), str(framework.get("variant", ""))


def _worker(framework: Mapping[str, Any]) -> Worker:
    starts = framework["starts"]
    told = f"on {listed(devices_of(framework))}; import {seconds(framework['import_s'])}"
    variant = framework.get("variant", "")
    return Worker(
        name=f"{framework['framework']} {framework['version']}",
        variant=variant,
        about=told if starts == 1 else f"{told}; started {starts} times",
        environment=tuple((str(k), str(v)) for k, v in framework["environment"].items()),
    )


SECTION = Section("environment", "Environment", "environment.html", view, folded=True)
