"""Judge a function of one's own: ``check(my_cross_entropy, operator=…, framework=…)``.

The function becomes the only implementation of its framework, so tensors, devices, gradients and layouts are
those of a run, and so is the engine. It is asked in this process: a kernel that was just written is
importable nowhere else. A crash is therefore the caller's; what it raises is an outcome.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from xent_conformance.asking.inside import InProcess, made
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches, families, find_case
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.cases.profile import Profile
from xent_conformance.frameworks.interface import Implementation, Question
from xent_conformance.kernel.result import Checked
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.registry import plugins
from xent_conformance.registry.devices import wanted_devices
from xent_conformance.registry.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.registry.names import Names, check_name, names
from xent_conformance.registry.problems import KEYWORDS, accepts
from xent_conformance.running import engine

ClassAxis = Literal["last", "second"] | None


@dataclass(frozen=True)
class Kernel:
    """A function, and what it is asked: :class:`xent_conformance.running.engine.Asked`."""

    framework: Framework
    implementation: Implementation
    mode: str
    profile: str
    dtypes: tuple[str, ...]
    families: tuple[str, ...]
    differentiable: bool = True
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
            moving=declared.moving if self.differentiable else (),
            implementations=(self.implementation,),
            modes={self.mode: Profile.QUICK},
            restricted={},
            variants={},
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
        """The batches that name the operator, of the families and formats."""
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
            "implementation": [self.implementation.name],
            "devices": list(self.devices),
            "plugins": [],
        }


def check(
    function: Callable[..., Any],
    *,
    operator: str,
    framework: str,
    device: str = "cpu",
    dtypes: Names = None,
    profile: str = "quick",
    families: Names = None,
    takes: Iterable[str] = (),
    class_axis: ClassAxis = None,
    differentiable: bool = True,
    mode: str = "eager",
    name: str | None = None,
) -> Checked:
    """Judge ``function`` against the certified reference on every case that applies to it.

    ``function(x)`` or ``function(x, labels)`` is given tensors of ``framework`` on ``device``: logits
    ``(rows, N)``, and labels ``(rows, N)`` or, as indices, ``(rows,)``. It returns a value a row, or one an
    element, as ``operator`` says (``conformance list operators``). All that the operator has is offered
    unless these arguments say otherwise, and what is offered is to be answered (SPEC.md 1.7): gradients,
    by the framework's own autodiff, unless ``differentiable=False``; all four formats, unless ``dtypes``
    names some. ``takes`` names the keyword arguments that it has beside those: ``axis``, ``weight``,
    ``ignore_index``, …; what is not taken is not asked. ``class_axis`` says where the classes are in
    tensors of more axes, ``None`` that there are none of those.

    ``families`` and ``profile`` narrow what is asked. Raises ValueError, with near names, for
    an argument that names nothing. What ``function`` raises is an outcome.
    """
    kernel = _kernel(
        function,
        operator,
        framework,
        dtypes,
        profile,
        families,
        takes,
        class_axis,
        differentiable,
        mode,
        name,
    )
    if not any(kernel.questions(kernel.seat, batch, ["cpu"]) for batch in kernel.batches()):
        raise ValueError(
            "no case is asked: the named families, dtypes and mode have nothing in common for "
            f"{operator} (`conformance list families` shows what each family asks)"
        )
    try:
        inside = InProcess(lambda: made(kernel.framework.adapter_class()), [kernel.implementation])
    except ImportError as error:
        raise ValueError(
            f"{framework} is not installed ({error}); add it with: {kernel.framework.install}"
        ) from None
    there = inside.hello["devices"]
    found = wanted_devices(kernel.seat, there, [device])
    if not found:
        raise ValueError(f"no device {device!r}: {framework} has {', '.join(there)} here")
    return Checked(engine.run(replace(kernel, devices=(found[0],)), None, inside=lambda _: inside))


# --- arguments -------------------------------------------------------------------------------------------


def _kernel(
    function: Any,
    operator: str,
    framework: str,
    dtypes: Names,
    profile: str,
    wanted: Names,
    takes: Iterable[str],
    class_axis: ClassAxis,
    differentiable: bool,
    mode: str,
    name: str | None,
) -> Kernel:
    """The arguments of :func:`check`, checked. Raises ValueError."""
    if not callable(function):
        raise ValueError(f"{function!r} cannot be called: give the function itself")  # noqa: TRY004
    plugins.load_installed()
    check_name("operator", operator, OPERATORS)
    check_name("profile", profile, Profile)
    chosen = FRAMEWORKS[check_name("framework", framework, FRAMEWORKS)]
    check_name("mode", mode, chosen.declaration.modes)
    formats = tuple(check_name("dtype", dtype, FORMATS) for dtype in names(dtypes))
    for family in names(wanted):
        check_name("family", family, families())
    if class_axis not in ("last", "second", None):
        raise ValueError(f"unknown class_axis {class_axis!r}: there are 'last', 'second' and None")
    keywords = frozenset(names(takes))
    for keyword in sorted(keywords):
        _check_keyword(function, keyword)
    implementation = Implementation(
        name or _name_of(function),
        operator,
        "fused",
        lambda _, *tensors, **given: function(*tensors, **given),
        takes=keywords,
        class_axis=class_axis,
    )
    return Kernel(chosen, implementation, mode, profile, formats, names(wanted), bool(differentiable))


def _check_keyword(function: Callable[..., Any], keyword: str) -> None:
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(KEYWORDS)}"
        raise ValueError(f"unknown keyword {keyword!r} in takes: {hint}")
    if not accepts(function, keyword):
        raise ValueError(f"takes {keyword!r}, which {_name_of(function)} does not accept")


def _name_of(function: Any) -> str:
    """``my_cross_entropy``, ``MyLoss``, ``<lambda>``."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]
