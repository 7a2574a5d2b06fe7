"""Judge a function of one's own: ``check(my_cross_entropy, operator=…, framework=…)``.

The function becomes the only implementation of its framework's adapter, so tensors, devices, gradients and
layouts are those of a run. It is asked in this process: a kernel that was just written is importable
nowhere else. A crash is therefore the caller's; what it raises is an outcome.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from xent_conformance.asking.asker import Asker
from xent_conformance.asking.inside import Here, Own, started
from xent_conformance.asking.selection import check_name, questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, families
from xent_conformance.cases.family import PROFILES
from xent_conformance.frameworks.interface import Adapter, Implementation
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import rows_of, target_of
from xent_conformance.kernel.result import Checked
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry import plugins
from xent_conformance.registry.declaration import KEYWORDS, accepts
from xent_conformance.registry.devices import wanted_devices
from xent_conformance.registry.framework import FRAMEWORKS, Framework
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.running.header import header, listed, rounded

Names = str | Iterable[str] | None

ClassAxis = Literal["last", "second"] | None


@dataclass(frozen=True)
class Asked:
    """What a check asks, every name known."""

    framework: Framework
    implementation: Implementation
    mode: str
    profile: str
    dtypes: tuple[str, ...]
    families: tuple[str, ...]

    def batches(self) -> list[Batch]:
        """The batches that name the operator, of the families and formats."""
        found = batches(
            self.profile,
            operators=[self.implementation.operator],
            families_=self.families or None,
            dtypes=self.dtypes or None,
        )
        return [b for b in found if questions(self.own, b, ["cpu"], [self.implementation.name], self.profile)]

    @property
    def own(self) -> Own:
        """The framework with the function for its only implementation, in one mode, always asked."""
        return Own.of(
            self.framework.kind,
            implementations=(self.implementation,),
            modes={self.mode: PROFILES[0]},
            restricted={},
            variants={},
        )


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
    mode: str = "eager",
    name: str | None = None,
) -> Checked:
    """Judge ``function`` against the certified reference on every case that applies to it.

    ``function(x)`` or ``function(x, labels)`` is given tensors of ``framework`` on ``device``: logits
    ``(rows, N)``, and labels ``(rows, N)`` or, as indices, ``(rows,)``. It returns a value a row, or one an
    element, as ``operator`` says (``conformance list operators``). Gradients are asked by the framework's
    own autodiff, where it has one. ``takes`` names the keyword arguments that it has beside those:
    ``axis``, ``weight``, ``ignore_index``, …; what is not taken is not asked. ``class_axis`` says where
    the classes are in tensors of more axes, ``None`` that there are none of those.

    ``dtypes``, ``families`` and ``profile`` narrow what is asked. Raises ValueError, with near names, for
    an argument that names nothing. What ``function`` raises is an outcome.
    """
    asked = _asked(function, operator, framework, dtypes, profile, families, takes, class_axis, mode, name)
    own = asked.own
    found = asked.batches()
    if not found:
        raise ValueError(
            "no case is asked: the named families, dtypes and mode have nothing in common for "
            f"{operator} (`conformance list families` shows what each family asks)"
        )
    try:
        adapter, hello = started(own.kind)
    except ImportError as error:
        raise ValueError(f"{framework} is not installed ({error}); add it with: {own.install}") from None
    where = _device(own, hello["devices"], device)
    return Checked(_run(asked, adapter, hello, where, found))


def _run(asked: Asked, adapter: Adapter, hello: dict[str, Any], device: str, found: Sequence[Batch]) -> Run:
    """Ask every batch, judge it, and write the header that a report needs."""
    began = time.perf_counter()
    own, mode, asker = asked.own, asked.mode, Asker(Here(adapter))
    oracle = Oracle(default_cache())
    spent = {"import": hello["import_s"], "compile": 0.0, "kernels": 0.0, "reference": 0.0}
    rows: list[dict[str, Any]] = []
    for batch in found:
        put = questions(own, batch, [device], [asked.implementation.name], asked.profile)
        answers = asker.ask(batch, put)
        start = time.perf_counter()
        judge = Judge(oracle.truth(batch.inputs))
        spent["reference"] += time.perf_counter() - start
        for answer in answers:
            asker.isolate(answer, batch)
            spent["compile"] += answer.compile_s
            spent["kernels"] += answer.kernel_s
            target = target_of(own, hello, answer.question)
            rows += rows_of(batch, judge, answer, target, widening=mode in own.widening)
    spent["total"] = time.perf_counter() - began
    verdicts = pl.DataFrame(rows, schema=SCHEMA).sort(["case", "output"])
    return Run(verdicts, (_header(asked, hello, device, len(found), verdicts, spent),))


def _header(
    asked: Asked,
    hello: dict[str, Any],
    device: str,
    planned: int,
    verdicts: pl.DataFrame,
    spent: dict[str, float],
) -> dict[str, Any]:
    """The header of a run file; see :mod:`xent_conformance.running.engine`."""
    own, i = asked.own, asked.implementation
    seconds = rounded(spent)
    selection = {
        "profile": asked.profile,
        "frameworks": [own.name],
        "operators": [i.operator],
        "dtypes": list(asked.dtypes),
        "families": list(asked.families),
        "implementation": i.name,
        "devices": [device],
        "plugins": [],
    }
    return {
        **header(selection, verdicts),
        "planned": {own.name: planned},
        "finished": {own.name: planned},
        "absent": [],
        "not_installed": [],
        "frameworks": [{**hello, "variant": "", "starts": 1}],
        "seconds": seconds,
        "seconds_by_mode": {f"{own.name} {asked.mode}": {k: seconds[k] for k in ("compile", "kernels")}},
        "implementations": [listed(own.name, i)],
    }


# --- arguments -------------------------------------------------------------------------------------------


def _asked(
    function: Any,
    operator: str,
    framework: str,
    dtypes: Names,
    profile: str,
    wanted: Names,
    takes: Iterable[str],
    class_axis: ClassAxis,
    mode: str,
    name: str | None,
) -> Asked:
    """The arguments of :func:`check`, checked. Raises ValueError."""
    if not callable(function):
        raise ValueError(f"{function!r} cannot be called: give the function itself")  # noqa: TRY004
    plugins.load_installed()
    check_name("operator", operator, OPERATORS)
    check_name("framework", framework, FRAMEWORKS)
    check_name("profile", profile, PROFILES)
    chosen = FRAMEWORKS[framework]
    check_name("mode", mode, chosen.kind.modes)
    for dtype in names(dtypes):
        check_name("dtype", dtype, FORMATS)
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
    return Asked(chosen, implementation, mode, profile, names(dtypes), names(wanted))


def _check_keyword(function: Callable[..., Any], keyword: str) -> None:
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(KEYWORDS)}"
        raise ValueError(f"unknown keyword {keyword!r} in takes: {hint}")
    if not accepts(function, keyword):
        raise ValueError(f"takes {keyword!r}, which {_name_of(function)} does not accept")


def names(given: Names) -> tuple[str, ...]:
    """One name or several, as a tuple; none is the empty one."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _name_of(function: Any) -> str:
    """``my_cross_entropy``, ``MyLoss``, ``<lambda>``."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _device(own: Own, there: Sequence[str], wanted: str) -> str:
    """The first device of that name, or of that kind."""
    found = wanted_devices(own, there, [wanted])
    if not found:
        raise ValueError(f"no device {wanted!r}: {own.name} has {', '.join(there)} here")
    return found[0]
