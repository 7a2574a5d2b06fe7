"""Settings of devices: under which a worker was asked, and what of its answers is another machine's too."""

from __future__ import annotations

from dataclasses import dataclass

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row


@dataclass(frozen=True)
class Setting:
    """Devices of a framework under a setting; what of it ``transfers`` to a GPU, say, and what ``stays``."""

    framework: str
    devices: tuple[str, ...]
    about: str
    transfers: str
    stays: str


def devices_of(worker: Row) -> list[str]:
    """The devices of a worker as verdicts name them: ``cpu[isa=avx2]`` under a setting."""
    variant = worker.get("variant", "")
    return [f"{device}[{variant}]" if variant else device for device in worker["devices"]]


def transferring(run: Run) -> tuple[Setting, ...]:
    """The settings of which something transfers; of one framework, those of the same words together."""
    alike: dict[tuple[str, str, str], list[Row]] = {}
    for worker in (f for h in run.headers for f in h["frameworks"]):
        told = worker.get("setting", {})
        if told.get("transfers"):
            alike.setdefault((worker["framework"], told["transfers"], told["stays"]), []).append(worker)
    return tuple(
        Setting(
            framework,
            devices=tuple(dict.fromkeys(d for worker in workers for d in devices_of(worker))),
            about="; ".join(dict.fromkeys(worker["setting"]["about"] for worker in workers)),
            transfers=transfers,
            stays=stays,
        )
        for (framework, transfers, stays), workers in alike.items()
    )
