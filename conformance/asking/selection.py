"""What a run asks for: profile, frameworks, operators, formats, families, implementations."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from xent_conformance.asking.questions import manner_of, outputs, takes
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, case_ids, families, smallest_profile
from xent_conformance.cases.family import PROFILES
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.registry.devices import is_variant, seats, split, variants_of, wanted_devices
from xent_conformance.registry.framework import FRAMEWORKS, Framework

if TYPE_CHECKING:
    from xent_conformance.explain.search import Target


def questions(
    framework: Framework, batch: Batch, devices: Sequence[str], names: Iterable[str], profile: str
) -> list[Question]:
    """What the named implementations are asked about ``batch``, in the modes of a profile."""
    asked, manner, named = outputs(framework, batch), manner_of(batch), set(names)
    since = smallest_profile(batch.operator, batch.family, batch.inputs.format.name, batch.inputs.n)
    return [
        Question(i.name, i.operator, mode, device, asked, manner)
        for i in framework.implementations
        if asked and i.name in named and takes(framework, i, batch)
        for mode in framework.modes(profile, asked_since=since, door_since=i.since)
        if framework.asks(i.name, mode, batch.inputs.format.name)
        for device in devices
    ]


_THIS_PYTHON: Mapping[str, str] = {}


class UnknownName(ValueError):
    """A name that nothing answers to; the message lists the near ones."""


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
        check_name("profile", self.profile, PROFILES)
        for kind, names, known in (
            ("framework", self.frameworks, FRAMEWORKS),
            ("operator", self.operators, OPERATORS),
            ("dtype", self.dtypes, FORMATS),
            ("family", self.families, families()),
        ):
            for name in names:
                check_name(kind, name, known)
        if not any(self.implementations(f) for f in self.chosen_frameworks()):
            every = [i.name for f in FRAMEWORKS.values() for i in f.implementations]
            if fnmatch.filter(every, self.implementation):
                raise UnknownName(
                    f"no implementation is selected: {self.implementation!r} is not of the named frameworks "
                    "and operators (`conformance list implementations` shows all)"
                )
            raise UnknownName(_unknown("implementation", self.implementation, every))
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
                raise UnknownName(_unknown("variant", device, known))

    def seats(self, interpreters: Mapping[str, str] = _THIS_PYTHON) -> list[Framework]:
        """The chosen frameworks and the variants of their devices that are asked, each by its interpreter.

        Raises :class:`UnknownName` for an interpreter of a framework that is not asked.
        """
        for name in interpreters:
            check_name("framework", name, FRAMEWORKS)
            if self.frameworks and name not in self.frameworks:
                raise UnknownName(
                    f"there is an interpreter for {name}, which is not asked; name it with --framework too"
                )
        chosen = [f.run_by(interpreters.get(f.name)) for f in self.chosen_frameworks()]
        return [seat for f in chosen for seat in seats(f, self.devices, self.profile)]

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
            for i in framework.implementations
            if fnmatch.fnmatchcase(i.name, self.implementation)
            and (not self.operators or i.operator in self.operators)
        ]

    def questions(self, framework: Framework, batch: Batch, devices: Sequence[str]) -> list[Question]:
        """What ``framework`` is asked about ``batch`` on those of the devices that are chosen."""
        devices = wanted_devices(framework, devices, self.devices)
        return questions(framework, batch, devices, self.implementations(framework), self.profile)

    def as_dict(self) -> Mapping[str, Any]:
        return asdict(self)


def check_name(kind: str, name: str, known: Iterable[str]) -> None:
    """Raise :class:`UnknownName` with the near matches unless ``name`` is known."""
    names = list(known)
    if name not in names:
        raise UnknownName(_unknown(kind, name, names))


def _unknown(kind: str, name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=5, cutoff=0.4)
    near += [n for n in names if name.strip("*") and name.strip("*") in n and n not in near][:5]
    plural = {"family": "families", "framework": "devices", "variant": "devices"}.get(kind, f"{kind}s")
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(names)}"
    if kind in ("profile", "dtype", "mode", "output"):
        return f"unknown {kind} {name!r}: there are {', '.join(names)}"
    return f"unknown {kind} {name!r}: {hint} (`conformance list {plural}` shows all)"


def near_cases(case_id: str) -> str:
    """What to type instead of an unknown case id."""
    near = difflib.get_close_matches(case_id, case_ids(), n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "a case id reads OPERATOR/FAMILY/VARIANT/DTYPE/nN/rROW, e.g. softmax/ordinary/unit/float32/n10/r0"


def search_target(
    implementation: str, operator: str | None, output: str, dtype: str, mode: str | None, n: int
) -> Target:
    """What ``conformance search`` is asked for, every name checked."""
    from xent_conformance.explain.search import Target

    check_name("dtype", dtype, FORMATS)
    if operator is not None:
        check_name("operator", operator, OPERATORS)
    check_name(
        "implementation", implementation, [i.name for f in FRAMEWORKS.values() for i in f.implementations]
    )
    for framework in FRAMEWORKS.values():
        for i in framework.implementations:
            if i.name == implementation and operator in (None, i.operator):
                modes = framework.modes(PROFILES[-1])
                check_name("mode", mode or modes[0], modes)
                offered = OPERATORS[i.operator].outputs if framework.autodiff else ("value",)
                check_name("output", output, offered)
                return Target(framework, i.name, i.operator, output, dtype, mode or modes[0], n)
    raise UnknownName(f"{implementation} does not compute {operator} (`conformance list implementations`)")
