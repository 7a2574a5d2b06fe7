"""Devices and their variants: which settings change arithmetic on the machine at hand.

A device is named ``cpu``, ``cuda``, ``cuda:0``; a variant is a device under a setting, ``cpu[isa=avx2]``. A
setting is of one kind of device, and of no other: what CUDA is told changes no bit of a CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xent_conformance.cases.family import PROFILES
from xent_conformance.registry.framework import Framework
from xent_conformance.worker.machine import flags


def differs(framework: Framework, variant: str) -> bool:
    """Whether the setting is another than what this machine does by itself."""
    needs = framework.variants[variant].needs
    return not needs or needs in flags()


def split(device: str) -> tuple[str, str]:
    """``cpu[isa=avx2]`` as ``("cpu", "isa=avx2")``."""
    name, _, rest = device.partition("[")
    return name, rest.removesuffix("]")


def kind_of(device: str) -> str:
    """``cuda:0`` is a ``cuda``."""
    return device.partition(":")[0]


def variants_of(frameworks: Iterable[Framework]) -> list[str]:
    """``cpu[isa=avx2]``, ``cuda[tf32]``: every variant of theirs, on the kind of device that it is of."""
    return sorted({f"{v.device}[{name}]" for f in frameworks for name, v in f.variants.items()})


def is_variant(device: str, known: Sequence[str]) -> bool:
    """Whether a device with a setting is one of :func:`variants_of`: ``cuda:0[tf32]`` is ``cuda[tf32]``."""
    name, variant = split(device)
    return f"{kind_of(name)}[{variant}]" in known


def seats(framework: Framework, wanted: Sequence[str], profile: str) -> Iterator[Framework]:
    """The framework and the variants of it that are asked, each in a worker of its own.

    Where no device is named: the devices as they are, and the variants of the CPU that the profile asks and
    that differ on this machine, with the batches of ``quick``.
    """
    if not wanted:
        yield framework
        for name, setting in framework.variants.items():
            behind = PROFILES.index(setting.since)
            asked = setting.device == "cpu" and behind <= PROFILES.index(profile)
            if asked and differs(framework, name):
                yield framework.under(name, behind=behind)
        return
    named = [(variant, kind_of(name)) for name, variant in map(split, wanted)]
    for variant in dict.fromkeys(variant for variant, _ in named):
        if not variant:
            yield framework
        elif variant in framework.variants and (variant, framework.variants[variant].device) in named:
            yield framework.under(variant)


def wanted_devices(framework: Framework, there: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Of the devices that are there, those that are named; ``cuda`` names all of its kind.

    A variant is asked on devices of its own kind alone.
    """
    names = {split(device)[0] for device in wanted if split(device)[1] == framework.variant}
    named = [d for d in there if not wanted or d in names or kind_of(d) in names]
    if not framework.variant:
        return named
    return [d for d in named if kind_of(d) == framework.variants[framework.variant].device]
