"""Devices and their variants: which settings change arithmetic on the machine at hand.

A device is named ``cpu``, ``cuda``, ``cuda:0``; a variant is a device under a setting, ``cpu[isa=avx2]``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from cases.family import PROFILES
from conformance.registry import Framework


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Instruction sets of this machine's processor, as Linux names them; empty where it does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "")
    return frozenset(line.partition(":")[2].split())


def differs(framework: Framework, variant: str) -> bool:
    """Whether the setting is another than what this machine does by itself."""
    needs = framework.variants[variant].needs
    return not needs or needs in cpu_flags()


def split(device: str) -> tuple[str, str]:
    """``cpu[isa=avx2]`` as ``("cpu", "isa=avx2")``."""
    name, _, rest = device.partition("[")
    return name, rest.removesuffix("]")


def seats(framework: Framework, wanted: Sequence[str], profile: str) -> Iterator[Framework]:
    """The framework and the variants of it that are asked, each in a worker of its own.

    Where no device is named: the devices as they are, and the variants that the profile asks and that
    differ on this machine, with the batches of ``quick``.
    """
    if not wanted:
        yield framework
        for name, setting in framework.variants.items():
            behind = PROFILES.index(setting.since)
            if behind <= PROFILES.index(profile) and differs(framework, name):
                yield framework.under(name, behind=behind)
        return
    named = dict.fromkeys(split(device)[1] for device in wanted)
    for variant in named:
        if not variant:
            yield framework
        elif variant in framework.variants:
            yield framework.under(variant)


def wanted_devices(framework: Framework, there: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Of the devices that are there, those that are named; ``cuda`` names all of its kind."""
    names = {split(device)[0] for device in wanted if split(device)[1] == framework.variant}
    return [d for d in there if not wanted or d in names or d.partition(":")[0] in names]
