"""A function of one's own, and what it is asked: the questions of a run, put to it alone."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches, find_case
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.discovery.seats import wanted_devices
from xent_conformance.frameworks.interface import Implementation, Question


@dataclass(frozen=True)
class Kernel:
    """A function, and what it is asked: :class:`xent_conformance.running.plan.Asked`."""

    framework: Framework
    implementation: Implementation
    mode: str
    profile: str
    dtypes: tuple[str, ...]
    families: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    """Families, or patterns of the paths of batches, that are not asked."""
    differentiable: bool = True
    moving: bool = True
    """Whether there are derivatives along a tangent: of a gradient, or by forward mode."""
    devices: tuple[str, ...] = ()

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The one whose tensors it takes."""
        return (self.framework.name,)

    @property
    def possible(self) -> Sequence[str]:
        """The device that was found."""
        return self.devices

    @property
    def seat(self) -> Seat:
        """Its framework with the function for its only implementation, in one mode, always asked."""
        declared = self.framework.declaration
        offered = replace(
            declared,
            autodiff=declared.autodiff and self.differentiable,
            moving=declared.moving if self.differentiable and self.moving else (),
            implementations=(self.implementation,),
            modes={self.mode: Profile.QUICK},
            restricted={},
            variants={},
            settings_only=frozenset(),
        )
        return Seat(replace(self.framework, given=offered))

    @property
    def files(self) -> Sequence[CaseFile]:
        """None: it is asked the corpus."""
        return ()

    def find(self, case_id: str) -> tuple[Batch, Case]:
        """A case of the corpus."""
        return find_case(case_id)

    def batches(self) -> Iterable[Batch]:
        """The batches that name the operator, of the families and formats, but for what is excluded."""
        return (b for b in self.named_batches() if not any(excludes(p, b) for p in self.exclude))

    def named_batches(self) -> Iterable[Batch]:
        """The same, with what is excluded."""
        return batches(
            self.profile,
            operators=[self.implementation.operator],
            families_=self.families or None,
            dtypes=self.dtypes or None,
        )

    def seats(self, interpreters: Mapping[str, str]) -> Sequence[Seat]:
        """This process alone."""
        return [self.seat]

    def questions(self, seat: Seat, batch: Batch, devices: Sequence[str]) -> Sequence[Question]:
        """What it is asked about a batch on the device."""
        there = wanted_devices(seat, devices, self.devices)
        return questions(seat, batch, there, [self.implementation.name], self.profile)

    def as_dict(self) -> Mapping[str, Any]:
        """As a selection says it."""
        return {
            "profile": self.profile,
            "frameworks": [self.framework.name],
            "operators": [self.implementation.operator],
            "dtypes": list(self.dtypes),
            "families": list(self.families),
            "exclude": list(self.exclude),
            "implementation": [self.implementation.name],
            "devices": list(self.devices),
            "plugins": [],
        }


def excludes(pattern: str, batch: Batch) -> bool:
    """Whether the pattern names the batch: by its family, or as ``softmax/long_sums/float16/n1000`` reads."""
    return batch.family == pattern or fnmatch.fnmatchcase(batch.id, pattern)
