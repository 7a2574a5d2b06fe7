"""Seats: frameworks under the variants of devices that are asked on the machine at hand.

A setting is of one kind of device, and of no other: what CUDA is told changes no bit of a CPU.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import KINDS, MISNAMED, kind_of, split
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.discovery.names import UnknownName, unknown
from xent_conformance.worker.machine import accelerators, flags


def differs(framework: Framework, variant: str) -> bool:
    """Whether the setting is another than what this machine does by itself."""
    needs = framework.declaration.variants[variant].needs
    return not needs or needs in flags()


def accelerated(framework: Framework) -> bool:
    """Whether this machine has an accelerator on which the framework is asked as it is."""
    return bool(framework.declaration.accelerators & accelerators())


def variants_of(frameworks: Iterable[Framework]) -> list[str]:
    """``cpu[isa=avx2]``, ``cuda[tf32]``: every variant of theirs, on the kind of device that it is of."""
    return sorted({f"{v.device}[{name}]" for f in frameworks for name, v in f.declaration.variants.items()})


def is_variant(device: str, known: Sequence[str]) -> bool:
    """Whether a device with a setting is one of :func:`variants_of`: ``cuda:0[tf32]`` is ``cuda[tf32]``."""
    name, variant = split(device)
    return f"{kind_of(name)}[{variant}]" in known


def check_devices(wanted: Iterable[str], frameworks: Iterable[Framework]) -> None:
    """Raise :class:`~.names.UnknownName` for a device, or a variant, that no framework of these can have.

    What a plug-in calls its devices is its own affair, and known when it has started.
    """
    asked = list(frameworks)
    known, ours = variants_of(asked), all(framework.shipped for framework in asked)
    for device in wanted:
        name, variant = split(device)
        if variant and not is_variant(device, known):
            raise UnknownName(unknown("variant", device, known))
        if ours and not re.fullmatch(rf"({'|'.join(KINDS)})(:\d+)?", name):
            raise UnknownName(_no_device(name))


def _no_device(name: str) -> str:
    kind = re.sub(r"[\W\d]+$", "", name.lower())
    near = MISNAMED.get(kind) or ", ".join(difflib.get_close_matches(kind, KINDS, n=1)) or ", ".join(KINDS)
    return f"unknown device {name!r}: did you mean {near}? (`conformance list devices` shows what is here)"


def seats(
    framework: Framework, wanted: Sequence[str], profile: str, *, by_name: bool = False
) -> Iterator[Seat]:
    """The framework and the variants of it that are asked, each in a worker of its own.

    Where no device is named: the devices as they are, and the variants of the CPU that the profile asks and
    that differ on this machine, with the batches of ``quick``. Who is asked under settings alone is asked
    under the first of them where it is named itself (``by_name``), and as it is where the machine has an
    accelerator of its.
    """
    variants, alone = framework.declaration.variants, framework.declaration.settings_only
    if not wanted:
        by_setting = (seat for seat in as_they_are(framework) if seat.variant)
        first = next(by_setting, None) if by_name else None
        if "cpu" not in alone or accelerated(framework):
            yield from _plain(framework, profile)
        if first is not None:
            yield first
        for name, setting in variants.items():
            since = Profile(setting.since)
            if first is not None and name == first.variant:
                continue
            if setting.device == "cpu" and since <= profile and differs(framework, name):
                yield Seat(framework, name, behind=since.rank)
        return
    named = [(variant, kind_of(name)) for name, variant in map(split, wanted)]
    for variant in dict.fromkeys(variant for variant, _ in named):
        if not variant:
            if any(kind not in alone for of, kind in named if not of):
                yield from _plain(framework, profile)
        elif variant in variants and (variant, variants[variant].device) in named:
            yield Seat(framework, variant)


def as_they_are(framework: Framework) -> Iterator[Seat]:
    """The framework on its devices as they are, whatever the profile.

    Where the CPU is asked under settings alone: under the first that differs on this machine.
    """
    declared = framework.declaration
    if "cpu" not in declared.settings_only or accelerated(framework):
        yield Seat(framework)
    if "cpu" not in declared.settings_only:
        return
    for name, setting in declared.variants.items():
        if setting.device == "cpu" and differs(framework, name):
            yield Seat(framework, name)
            return


def _plain(framework: Framework, profile: str) -> Iterator[Seat]:
    """Without a setting; beside it, those for modes of which the profile takes a glance that takes long."""
    yield Seat(framework)
    declared = framework.declaration
    for mode, glance in declared.glances.items():
        if glance.apart and declared.modes[mode] > profile:
            yield Seat(framework, apart=mode)


def wanted_devices(seat: Seat, there: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Of the devices that are there, those that are named; ``cuda`` names all of its kind.

    A variant is asked on devices of its own kind alone.
    """
    names = {split(device)[0] for device in wanted if split(device)[1] == seat.variant}
    named = [d for d in there if not wanted or d in names or kind_of(d) in names]
    if not seat.variant:
        return [d for d in named if kind_of(d) not in seat.declaration.settings_only]
    return [d for d in named if kind_of(d) == seat.declaration.variants[seat.variant].device]
