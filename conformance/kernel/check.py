"""Judge a function of one's own: ``check(my_cross_entropy, operator=…, framework=…)``.

The function becomes the only implementation of its framework, so tensors, devices, gradients and layouts are
those of a run, and so is the engine. It is asked in this process: a kernel that was just written is
importable nowhere else. A crash is therefore the caller's; what it raises is an outcome.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from xent_conformance.asking.inside import InProcess, made
from xent_conformance.asking.questions import needs_of
from xent_conformance.cases.corpus import families
from xent_conformance.cases.profile import Profile
from xent_conformance.decision.waivers import Waiver, read_waivers
from xent_conformance.discovery import plugins
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.names import Names, check_name, names
from xent_conformance.discovery.problems import KEYWORDS, accepts, reduction_of
from xent_conformance.discovery.seats import wanted_devices
from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.layer import OWN, Layered
from xent_conformance.kernel.function import Kernel, excludes
from xent_conformance.kernel.naming import name_of, own
from xent_conformance.kernel.result import Checked
from xent_conformance.kernel.whole import Asked
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.text.wording import listed
from xent_conformance.running import engine

ClassAxis = Literal["last", "second"] | None
Differentiable = bool | Literal["once"]


def check(
    function: Callable[..., Any],
    *,
    operator: str,
    framework: str,
    device: str = "cpu",
    dtypes: Names = None,
    profile: str = "quick",
    families: Names = None,
    exclude: Names = None,
    waivers: str | Path | Iterable[str | Path] | None = None,
    takes: Iterable[str] = (),
    class_axis: ClassAxis = None,
    differentiable: Differentiable = True,
    mode: str = "",
    name: str | None = None,
) -> Checked:
    """Judge ``function`` against the certified reference on every case that applies to it.

    ``function(x)`` or ``function(x, labels)`` is given tensors of ``framework`` on ``device``: logits
    ``(rows, N)``, and labels ``(rows, N)`` or, as indices, ``(rows,)``. It returns a value a row, or one an
    element, as ``operator`` says (``conformance list operators``). Of ``linear_cross_entropy`` it is
    ``function(hidden, weight, labels, bias)``, of ``(M, H)``, ``(N, H)``, ``(M,)`` and ``(N,)`` or None, and
    takes ``reduction`` and ``ignore_index``. All that the operator has is offered
    unless these arguments say otherwise, and what is offered is to be answered (SPEC.md 1.7): gradients,
    by the framework's own autodiff, unless ``differentiable=False``, and derivatives along a tangent (forward
    mode, a derivative of the gradient), unless ``differentiable="once"``; all four formats, unless ``dtypes``
    names some. ``takes`` names the keyword arguments that it has beside those: ``axis``, ``weight``,
    ``ignore_index``, …; what is not taken is not asked. ``class_axis`` says where the classes are in
    tensors of more axes, ``None`` that there are none of those.

    ``mode`` is one of the framework's; without it ``eager``, or its first.

    ``families``, ``profile`` and ``exclude`` narrow what is asked; ``exclude`` names families, or patterns of
    the paths of batches, ``"*/long_sums/*"``, ``"*/float16/*"``. ``waivers`` are files of waivers: those of
    this framework that name this function accept what they say, and fail the check where they do not hold
    any more. Raises ValueError, with near names, for an argument that names nothing, and
    :class:`~xent_conformance.decision.waivers.WaiverError` for a file that cannot be used. What ``function``
    raises is an outcome.
    """
    accepted = _accepted(waivers)
    kernel = _kernel(
        function,
        operator,
        framework,
        dtypes,
        profile,
        families,
        exclude,
        takes,
        class_axis,
        differentiable,
        mode,
        name,
    )
    if not any(kernel.questions(kernel.seat, batch, ["cpu"]) for batch in kernel.batches()):
        if lacks := _lacking(kernel):
            raise ValueError(
                f"no case is asked: every one of {operator} gives {listed(lacks)}, which takes is to name"
            )
        raise ValueError(
            "no case is asked: the named families, dtypes and mode have nothing in common for "
            f"{operator}, or all of it is excluded (`conformance list families` shows what each family asks)"
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
    kernel = replace(kernel, devices=(found[0],))
    run = engine.run(kernel, None, inside=lambda _: inside)
    return Checked(run, Asked(kernel, inside), accepted)


# --- arguments -------------------------------------------------------------------------------------------


def _kernel(
    function: Any,
    operator: str,
    framework: str,
    dtypes: Names,
    profile: str,
    wanted: Names,
    exclude: Names,
    takes: Iterable[str],
    class_axis: ClassAxis,
    differentiable: Differentiable,
    mode: str,
    name: str | None,
) -> Kernel:
    """The arguments of :func:`check`, checked. Raises ValueError."""
    if not callable(function):
        raise ValueError(f"{function!r} cannot be called: give the function itself")  # noqa: TRY004
    plugins.load_installed()
    operator = check_name("operator", operator, OPERATORS)
    profile = check_name("profile", profile, Profile)
    chosen = FRAMEWORKS[check_name("framework", framework, FRAMEWORKS)]
    modes = chosen.declaration.modes
    mode = mode or ("eager" if "eager" in modes else next(iter(modes)))
    mode = check_name("mode", mode, modes)
    formats = tuple(check_name("dtype", dtype, FORMATS) for dtype in names(dtypes))
    of_families = tuple(check_name("family", family, families()) for family in names(wanted))
    if differentiable not in (True, False, "once"):
        raise ValueError(f"unknown differentiable {differentiable!r}: there are True, False, 'once'")
    if class_axis not in ("last", "second", None):
        raise ValueError(f"unknown class_axis {class_axis!r}: there are 'last', 'second' and None")
    keywords = frozenset(names(takes))
    for keyword in sorted(keywords):
        _check_keyword(function, keyword)
    layered = OPERATORS[operator].layered
    if OPERATORS[operator].labels != "none" and not layered:
        _check_reduced(function)
    implementation = Implementation(
        name or name_of(function),
        operator,
        "fused",
        Layered(own(function)) if layered else own(function),
        takes=keywords | OWN if layered else keywords,
        class_axis=class_axis,
    )
    kernel = Kernel(
        chosen,
        implementation,
        mode,
        profile,
        formats,
        of_families,
        names(exclude),
        differentiable is not False,
        moving=differentiable is True,
    )
    _check_excluded(kernel)
    return kernel


def _check_excluded(kernel: Kernel) -> None:
    """What is excluded is there to be left out: a name that matches nothing does not do that.

    A family may be one that another profile asks.
    """
    every = list(kernel.named_batches()) if kernel.exclude else []
    for pattern in kernel.exclude:
        if pattern not in families() and not any(excludes(pattern, batch) for batch in every):
            known = list(dict.fromkeys(batch.family for batch in every))
            near = difflib.get_close_matches(pattern, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"exclude names nothing that would be asked, {pattern!r}: {hint}")


def _lacking(kernel: Kernel) -> list[str]:
    """The keywords that every case gives, and that are not taken."""
    given = [frozenset(needs_of(batch)) for batch in kernel.batches()]
    return sorted(frozenset.intersection(*given) - kernel.implementation.takes) if given else []


def _accepted(waivers: str | Path | Iterable[str | Path] | None) -> list[Waiver]:
    """The waivers of the files."""
    given = [] if waivers is None else [waivers] if isinstance(waivers, str | Path) else list(waivers)
    return read_waivers(map(Path, given))


def _check_reduced(function: Callable[..., Any]) -> None:
    """A loss that makes one number of all unless told otherwise: of each case the shape would be wrong."""
    if default := reduction_of(function):
        raise ValueError(
            f"{name_of(function)} makes one number of all losses unless told otherwise "
            f"(reduction={default!r}), and the losses are judged: give one that is called with "
            "reduction='none'"
        )


def _check_keyword(function: Callable[..., Any], keyword: str) -> None:
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(KEYWORDS)}"
        raise ValueError(f"unknown keyword {keyword!r} in takes: {hint}")
    if not accepts(function, keyword):
        raise ValueError(f"takes {keyword!r}, which {name_of(function)} does not accept")
