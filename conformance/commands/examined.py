"""What ``conformance doctor`` has found: told as it comes, a line a device, or whole for a program."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from xent_conformance.commands.listing import NOT_HERE, variants
from xent_conformance.commands.records import Records
from xent_conformance.discovery.seats import wanted_devices
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.terminal.screen import block, say
from xent_conformance.reports.text.wording import dtypes_text, flat, joined, plural
from xent_conformance.running.machine import Done, Gone, Heard, There, Told

SOON = 5.0
"""Seconds in which a person is to know what can be asked; an import may take longer."""

MESSAGE = 160
"""Letters of what a framework says of a failure, for a person."""


@dataclass
class Examined:
    """Everything heard so far. ``frameworks`` and ``devices`` are those that were asked for by name.

    ``records``: what was known before, of what is installed.
    """

    frameworks: Sequence[str] = ()
    devices: Sequence[str] = ()
    records: Records = field(default_factory=Records)
    there: dict[str, There] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    soon: set[tuple[str, str]] = field(default_factory=set)
    """Devices that have answered within :data:`SOON`."""
    began: float = field(default_factory=time.perf_counter)

    def hear(self, event: Heard) -> None:
        """Take in what has happened."""
        match event:
            case There(seat):
                self.there[seat.key] = event
            case Gone(seat):
                self.gone[seat.key] = event
            case Told():
                self.told.append(event)
            case Done(seat) if self._seconds() <= SOON:
                self.soon |= {(t.seat.key, t.device) for t in self.told if t.seat.key == seat.key}

    def wrong(self) -> list[str]:
        """Why it is not well, a clause each: what is named, or installed, and does not start or answer."""
        found = [
            f"{name} {'does not start' if gone.broken else 'is not installed'}: {flat(gone.message, MESSAGE)}"
            for name, gone in self._absent().items()
            if gone.broken or name in self.frameworks
        ]
        silent: dict[tuple[str, str], list[Told]] = {}
        for told in self.told:
            if told.failed:
                silent.setdefault((told.seat.name, told.device), []).append(told)
        for (name, device), failed in silent.items():
            formats = dtypes_text([told.dtype for told in failed])
            found.append(
                f"{name} does not answer on {device} in {formats}: {flat(failed[0].failed, MESSAGE)}"
            )
        for device in self.devices:
            if not any(wanted_devices(t.seat, t.hello["devices"], [device]) for t in self.there.values()):
                found.append(f"no framework that is here has the device {device}")
        if not self.there:
            found.append("no framework is here; `pip install torch` is one way to begin")
        return found

    # --- for a person -----------------------------------------------------------------------------------

    def show(self, events: Iterable[Heard], console: Console) -> None:
        """What is installed; each device as soon as it has answered; what else is not asked, or missing."""
        self.records.show(console)
        for event in events:
            self.hear(event)
            if isinstance(event, Done) and event.seat.key in self.there:
                for line in self._of_seat(event.seat.key):
                    block(console, *line)
        for title, lines in (
            ("other settings to name with --device (`list devices` says what they set)", self._to_name()),
            (
                "what this machine lacks",
                [f"{r['framework']} {r['mode']}: {r['message']}" for r in self._lacks("missing")],
            ),
            (
                "what these versions lack",
                [f"{r['framework']} {r['implementation']}: {r['message']}" for r in self._lacks("older")],
            ),
            ("not installed", list(self._not_here())),
            ("does not start", [f"{r['framework']}: {r['message']}" for r in self._away() if r["broken"]]),
        ):
            if lines:
                block(console, title, [("", line) for line in lines])
        number = plural(len({(t.seat.key, t.device) for t in self.told}), "device")
        within = f", {len(self.soon):,} of them within {SOON:g} s" if self._seconds() > SOON else ""
        say(console, (f"{number} answered in {self._seconds():.1f} s{within}", "dim"))

    def _of_seat(self, key: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """``torch 2.13.0 cpu``, with what its devices answered."""
        for r in self._answered(key):
            head = f"{r['framework']} {r['version']} {r['device']}"
            by: dict[str, list[str]] = {}
            for dtype, status in r["formats"].items():
                by.setdefault(status or "not offered", []).append(dtype)
            said = "; ".join(f"{dtypes_text(found)} {status}" for status, found in by.items())
            whose = f" ({r['implementation']}, {r['mode']})" if r["implementation"] else ""
            lines = [("", f"{said or 'asked nothing'}{whose}")]
            lines += [(dtypes_text([d]), flat(words, MESSAGE)) for d, words in r["failed"].items()]
            yield head, lines

    def _to_name(self) -> list[str]:
        """``torch: cuda[tf32]``, ``jax: not on this machine: cuda[tf32=off]``: what was not said before."""
        by: dict[str, dict[bool, list[str]]] = {}
        for r in self._settings():
            if r["device"] in self.records.settings.get(r["framework"], ()):
                continue
            absent = r["setting"].endswith(NOT_HERE)
            by.setdefault(r["framework"], {False: [], True: []})[absent].append(r["device"])
        return [
            f"{name}: "
            + joined(
                "; ",
                [", ".join(of[False]), "not on this machine: " + ", ".join(of[True]) if of[True] else ""],
            )
            for name, of in by.items()
        ]

    def _not_here(self) -> Iterator[str]:
        """What has not started for want of something, but for what was said to be away before."""
        for r in self._away():
            name = r["framework"]
            if r["broken"] or name in self.records.away:
                continue
            # its packages are there: what else it wants, it says itself
            yield f"{name}: {r['message'] if name in self.records.there else r['install']}"

    # --- for a program ----------------------------------------------------------------------------------

    def document(self, events: Iterable[Heard]) -> Mapping[str, Any]:
        """All of it (docs/JSON.md), in the order of the frameworks."""
        for event in events:
            self.hear(event)
        first = next(iter(self.there.values()), None)
        environment = first.hello["environment"] if first else {}
        return {
            "processor": environment.get("processor", ""),
            "instructions": environment.get("instructions", ""),
            "cores": first.hello["cores"] if first else 0,
            "devices": [record for key in self.there for record in self._answered(key)],
            "settings": [dict(r) for r in self._settings()],
            "lacks": list(self._lacks("missing")),
            "older": list(self._lacks("older")),
            "absent": list(self._away()),
            "wrong": self.wrong(),
            "seconds": round(self._seconds(), 1),
        }

    def _answered(self, key: str) -> Iterator[dict[str, Any]]:
        one = self.there[key]
        for device in one.hello["devices"]:
            name = one.seat.device(device)
            mine = [told for told in self.told if told.seat.key == key and told.device == name]
            if wanted_devices(one.seat, [device], self.devices):
                yield {
                    "framework": one.seat.name,
                    "version": one.hello["version"],
                    "device": name,
                    "implementation": mine[0].implementation if mine else "",
                    "mode": mine[0].mode if mine else "",
                    "formats": {told.dtype: _status(told) for told in mine},
                    "failed": {told.dtype: told.failed for told in mine if told.failed},
                    "environment": dict(one.hello["environment"]),
                }

    def _settings(self) -> Iterator[Mapping[str, Any]]:
        """Variants of what is here that were not started, each framework's once."""
        seen: set[str] = set()
        for one in self.there.values():
            if one.seat.name not in seen:
                seen.add(one.seat.name)
                for r in variants(one.seat.framework, one.hello["devices"], self.there):
                    yield {key: r[key] for key in ("framework", "device", "setting")}

    def _lacks(self, what: str) -> Iterator[dict[str, str]]:
        """``missing``: modes; ``older``: implementations."""
        named = {"missing": "mode", "older": "implementation"}[what]
        for one in self.there.values():
            if not one.seat.variant:
                for name, message in one.hello.get(what, {}).items():
                    yield {"framework": one.seat.name, named: name, "message": message}

    def _absent(self) -> Mapping[str, Gone]:
        """Of each framework that is not here in one of its seats, the first of them."""
        found: dict[str, Gone] = {}
        for gone in self.gone.values():
            found.setdefault(gone.seat.name, gone)
        return found

    def _away(self) -> Iterator[dict[str, Any]]:
        for name, gone in self._absent().items():
            told = {"framework": name, "message": gone.message, "install": gone.install}
            yield {**told, "broken": gone.broken}

    def _seconds(self) -> float:
        return time.perf_counter() - self.began


def _status(told: Told) -> str:
    """``conforms``, ``breaks must 2.1``, ``does not answer``; empty where it is not offered."""
    if told.failed:
        return "does not answer"
    if told.status is None:
        return ""
    broken = told.status in (Status.BREAKS_MUST, Status.BREAKS_SHOULD)
    return f"{told.status.word} {told.clause}" if broken else told.status.word
