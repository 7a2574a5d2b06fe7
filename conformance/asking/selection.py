"""What a run asks for: profile, frameworks, operators, formats, families, implementations, files of cases."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches, families, find_case
from xent_conformance.cases.outside.files import CaseFile, find_in, read_files
from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import split
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.discovery.names import UnknownName, check_name, named, unknown
from xent_conformance.discovery.seats import check_devices, seats, wanted_devices
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reference.operators import OPERATORS

_THIS_PYTHON: Mapping[str, str] = {}


@dataclass(frozen=True)
class Selection:
    """The names that were asked for; an empty tuple means all."""

    profile: str = "standard"
    frameworks: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    implementation: tuple[str, ...] = ()
    """Names, or patterns of names."""
    devices: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """What was named with ``--plugin``: to be asked again, it must be named again."""
    cases: tuple[str, ...] = ()
    """Files of cases, which are asked instead of the corpus."""
    exclude: tuple[str, ...] = ()
    """Names of implementations that are not asked, or patterns of names."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "profile", str(check_name("profile", self.profile, Profile)))
        for kind, field, known in (
            ("framework", "frameworks", FRAMEWORKS),
            ("operator", "operators", OPERATORS),
            ("dtype", "dtypes", JUDGED),
            ("family", "families", families()),
        ):
            found = tuple(check_name(kind, name, known) for name in getattr(self, field))
            object.__setattr__(self, field, found)  # bf16 is bfloat16 from here on
        if self.cases and self.families:
            raise UnknownName(
                "--family names a family of the corpus, and --cases asks a file's cases instead: "
                "leave one of them out (--operator and --dtype narrow a file)"
            )
        self._check_implementations()
        check_devices(self.devices, self.chosen_frameworks())
        if not self.cases and next(self.batches(), None) is not None:
            self._check_named()
        if not self._asks_anything(self.seats()):
            raise UnknownName(
                "no case is selected: no implementation that is named takes a case of the files, of the "
                "named operators and formats"
                if self.cases
                else "no case is selected: the named families, formats, operators and implementations exist, "
                "but have nothing in common (`conformance list families` shows what each family asks)"
            )

        self._check_named()

    def _check_implementations(self) -> None:
        every = [i.name for f in FRAMEWORKS.values() for i in f.declaration.implementations]
        there = [name for f in self.chosen_frameworks() for name in self.implementations(f)]
        for pattern in self.exclude:
            if not fnmatch.filter(every, pattern):
                raise UnknownName(f"--exclude {pattern}: {unknown('implementation', pattern, every)}")
        for pattern in self.implementation:
            if not fnmatch.filter(every, pattern):
                raise UnknownName(unknown("implementation", pattern, every))
            if not fnmatch.filter(there, pattern):
                left_out = [name for f in self.chosen_frameworks() for name in self.excluded(f)]
                if fnmatch.filter(left_out, pattern):
                    raise UnknownName(
                        f"no implementation is selected: {pattern!r} is what --exclude leaves out; "
                        "name it once"
                    )
                raise UnknownName(
                    f"no implementation is selected: {pattern!r} is not of the named frameworks "
                    "and operators (`conformance list implementations` shows all)"
                )

    def _asks_anything(self, seats: Iterable[Seat]) -> bool:
        there = list(seats)
        return any(self.questions(seat, b, self.possible) for b in self.batches() for seat in there)

    def _check_named(self) -> None:
        """What is asked for by name is asked something, or it is said why it cannot be."""
        for name in self.frameworks:
            framework = FRAMEWORKS[name]
            if self._asks_anything(self._seats(framework)):
                continue
            later = [p for p in Profile if p > self.profile and self._begins(framework, p)]
            if later and self.implementations(framework):
                raise UnknownName(
                    f"{name} is asked nothing in {self.profile}: its modes and implementations begin in "
                    f"{later[0]}; add --profile {later[0]}, or leave {name} out"
                )
            if self.excluded(framework) and not self.implementations(framework):
                raise UnknownName(f"{name} is asked nothing: --exclude leaves out all of it; leave one out")
            raise UnknownName(
                f"{name} is asked nothing: the named operators, formats, families, implementations and "
                "devices are not its (`conformance list implementations` shows all); "
                f"leave {name} out"
            )

    def _begins(self, framework: Framework, profile: Profile) -> bool:
        """Whether a door of the framework that is selected is asked from that profile on."""
        declared, chosen = framework.declaration, set(self.implementations(framework))
        doors = (i for i in declared.implementations if i.name in chosen)
        return any(declared.asked_modes(profile, door_since=i.since) for i in doors)

    @property
    def possible(self) -> list[str]:
        """Devices that may be there; which are is known when the worker has started."""
        return ["cpu", *(name for name, _ in map(split, self.devices) if name != "cpu")]

    def seats(self, interpreters: Mapping[str, str] = _THIS_PYTHON) -> list[Seat]:
        """The chosen frameworks and the variants of their devices that are asked, each by its interpreter.

        Raises :class:`UnknownName` for an interpreter of a framework that is not asked.
        """
        by = {check_name("framework", name, FRAMEWORKS): python for name, python in interpreters.items()}
        for name in by:
            if self.frameworks and name not in self.frameworks:
                raise UnknownName(
                    f"there is an interpreter for {name}, which is not asked; name it with --framework too"
                )
        return [
            seat.run_by(by.get(framework.name))
            for framework in self.chosen_frameworks()
            for seat in self._seats(framework)
        ]

    def _seats(self, framework: Framework) -> Iterator[Seat]:
        return seats(framework, self.devices, self.profile, by_name=framework.name in self.frameworks)

    def chosen_frameworks(self) -> list[Framework]:
        return [f for name, f in FRAMEWORKS.items() if not self.frameworks or name in self.frameworks]

    @cached_property
    def files(self) -> tuple[CaseFile, ...]:
        """The files of cases. Raises :class:`~xent_conformance.cases.outside.numbers.CasesError`."""
        return read_files(self.cases)

    def find(self, case_id: str) -> tuple[Batch, Case]:
        """The case of that id that may be asked, with its batch. Raises LookupError for any other."""
        return find_in(self.files, case_id) if self.files else find_case(case_id)

    def batches(self) -> Iterator[Batch]:
        if self.files:
            return (b for file in self.files for b in file.batches if self._of_the_named(b))
        return batches(
            self.profile,
            operators=self.operators or None,
            families_=self.families or None,
            dtypes=self.dtypes or None,
        )

    def _of_the_named(self, batch: Batch) -> bool:
        """Whether a batch of a file is of the operators and formats that were named."""
        return (not self.operators or batch.operator in self.operators) and (
            not self.dtypes or batch.inputs.format.name in self.dtypes
        )

    def implementations(self, framework: Framework) -> list[str]:
        """Names of the framework's implementations that are asked."""
        return [name for name in self._named(framework) if not self._is_excluded(name)]

    def excluded(self, framework: Framework) -> list[str]:
        """Names of the framework's implementations that would be asked, and that ``exclude`` leaves out."""
        return [name for name in dict.fromkeys(self._named(framework)) if self._is_excluded(name)]

    def _named(self, framework: Framework) -> list[str]:
        return [
            i.name
            for i in framework.declaration.implementations
            if named(i.name, self.implementation) and (not self.operators or i.operator in self.operators)
        ]

    def _is_excluded(self, name: str) -> bool:
        return bool(self.exclude) and named(name, self.exclude)

    def questions(self, seat: Seat, batch: Batch, devices: Sequence[str]) -> list[Question]:
        """What ``seat`` is asked about ``batch`` on those of the devices that are chosen."""
        devices = wanted_devices(seat, devices, self.devices)
        if seat.name not in self._asked:
            self._asked[seat.name] = frozenset(self.implementations(seat.framework))
        return questions(seat, batch, devices, self._asked[seat.name], self.profile)

    @cached_property
    def _asked(self) -> dict[str, frozenset[str]]:
        """The names of :meth:`implementations`, by framework: it is asked of every batch."""
        return {}

    def as_dict(self) -> Mapping[str, Any]:
        return asdict(self)
