"""What a run asks for: profile, frameworks, operators, formats, families, implementations."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, families
from xent_conformance.cases.profile import Profile
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.registry.devices import is_variant, seats, split, variants_of, wanted_devices
from xent_conformance.registry.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.registry.names import UnknownName, check_name, unknown

_THIS_PYTHON: Mapping[str, str] = {}


@dataclass(frozen=True)
class Selection:
    """The names that were asked for; an empty tuple means all."""

    profile: str = "standard"
    frameworks: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    implementation: str = "*"
    devices: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """What was named with ``--plugin``: to be asked again, it must be named again."""

    def __post_init__(self) -> None:
        check_name("profile", self.profile, Profile)
        for kind, names, known in (
            ("framework", self.frameworks, FRAMEWORKS),
            ("operator", self.operators, OPERATORS),
            ("dtype", self.dtypes, FORMATS),
            ("family", self.families, families()),
        ):
            for name in names:
                check_name(kind, name, known)
        if not any(self.implementations(f) for f in self.chosen_frameworks()):
            every = [i.name for f in FRAMEWORKS.values() for i in f.declaration.implementations]
            if fnmatch.filter(every, self.implementation):
                raise UnknownName(
                    f"no implementation is selected: {self.implementation!r} is not of the named frameworks "
                    "and operators (`conformance list implementations` shows all)"
                )
            raise UnknownName(unknown("implementation", self.implementation, every))
        self._check_variants()
        asked = (b for b in self.batches() for f in self.seats() if self.questions(f, b, self.possible))
        if next(asked, None) is None:
            raise UnknownName(
                "no case is selected: the named families, formats, operators and implementations exist, "
                "but have nothing in common (`conformance list families` shows what each family asks)"
            )

    @property
    def possible(self) -> list[str]:
        """Devices that may be there; which are is known when the worker has started."""
        return ["cpu", *(name for name, _ in map(split, self.devices) if name != "cpu")]

    def _check_variants(self) -> None:
        known = variants_of(self.chosen_frameworks())
        for device in self.devices:
            if split(device)[1] and not is_variant(device, known):
                raise UnknownName(unknown("variant", device, known))

    def seats(self, interpreters: Mapping[str, str] = _THIS_PYTHON) -> list[Seat]:
        """The chosen frameworks and the variants of their devices that are asked, each by its interpreter.

        Raises :class:`UnknownName` for an interpreter of a framework that is not asked.
        """
        for name in interpreters:
            check_name("framework", name, FRAMEWORKS)
            if self.frameworks and name not in self.frameworks:
                raise UnknownName(
                    f"there is an interpreter for {name}, which is not asked; name it with --framework too"
                )
        return [
            seat.run_by(interpreters.get(framework.name))
            for framework in self.chosen_frameworks()
            for seat in seats(framework, self.devices, self.profile)
        ]

    def chosen_frameworks(self) -> list[Framework]:
        return [f for name, f in FRAMEWORKS.items() if not self.frameworks or name in self.frameworks]

    def batches(self) -> Iterator[Batch]:
        return batches(
            self.profile,
            operators=self.operators or None,
            families_=self.families or None,
            dtypes=self.dtypes or None,
        )

    def implementations(self, framework: Framework) -> list[str]:
        """Names of the framework's implementations that are asked."""
        return [
            i.name
            for i in framework.declaration.implementations
            if fnmatch.fnmatchcase(i.name, self.implementation)
            and (not self.operators or i.operator in self.operators)
        ]

    def questions(self, seat: Seat, batch: Batch, devices: Sequence[str]) -> list[Question]:
        """What ``seat`` is asked about ``batch`` on those of the devices that are chosen."""
        devices = wanted_devices(seat, devices, self.devices)
        return questions(seat, batch, devices, self.implementations(seat.framework), self.profile)

    def as_dict(self) -> Mapping[str, Any]:
        return asdict(self)
