"""Every implementation that there is, with its modes and outputs, without importing a framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.frameworks.interface import Implementation
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS


@dataclass(frozen=True)
class Door:
    """An implementation, and its modes with the smallest profile that asks each."""

    framework: str
    door: Implementation
    modes: Mapping[str, str]
    outputs: tuple[str, ...]


def doors() -> list[Door]:
    """Every implementation of every framework."""
    found = []
    for framework in FRAMEWORKS.values():
        declared = framework.declaration
        for i in declared.implementations:
            modes: dict[str, str] = {}
            for profile in Profile:
                for mode in declared.asked_modes(profile, door_since=i.since):
                    if any(declared.asks(i.name, mode, dtype) for dtype in FORMATS):
                        modes.setdefault(mode, profile)
            able = OPERATORS[i.operator].outputs if declared.autodiff else ("value",)
            found.append(Door(framework.name, i, modes, (*able, *declared.moving)))
    return found
