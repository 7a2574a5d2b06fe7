"""What a framework file provides. Declarative: what exists and how to call it, nothing of tolerances.

An adapter is a class that imports its framework in ``__init__`` (never at the top of its file, so
that listing implementations costs nothing) and has the attributes of :class:`Adapter`. It need not
inherit from anything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from xent_conformance.devices.variant import Variant as Variant  # an adapter declares some

Array = NDArray[Any]


@functools.cache
def dtype_of(name: str) -> np.dtype[Any]:
    """The NumPy dtype of a name, those of ml_dtypes included."""
    return np.dtype(getattr(ml_dtypes, name, name))


SPARSE = "logits_sparse"
"""The manner of being wrong that an adapter makes: ``Call.sparse``."""

Formulation = Literal["fused", "composed", "naive"]


@dataclass(frozen=True)
class Implementation:
    """One door to an operator, by its public name.

    ``call(framework, x)`` or ``call(framework, x, labels)`` takes the framework's module and tensors
    ``x`` of shape ``(rows, N)`` and returns one value a row, or one an element. Labels are
    ``(rows, N)`` dense or ``(rows,)`` int64. ``composed`` is a sum of public pieces on logits,
    ``naive`` one that a numerical analyst would warn of (see SPEC.md 2.1, 1.2). ``note`` is shown on
    the report.

    ``takes`` names the keyword arguments that ``call`` has beside those: ``axis`` (where the classes
    are; tensors of any rank), ``axes`` (as ``axis``, which may then be a tuple of axes or None for all),
    ``keepdims``, ``dtype`` (of the result), ``out``, and the attributes ``weight``, ``pos_weight`` (and
    ``weight_dtype``, by its name, where those may be in another format than the logits), ``label_smoothing``,
    ``ignore_index``, ``eps``, ``reduction`` (the examples of one reduction are the rows;
    "weighted_mean" is asked where ``row_weight`` is taken, which has a number for each of them); then
    what stands around it: ``cast``, ``matrix`` (a tuple of its rows), ``scale``, ``temperature``, ``bias``,
    ``mask`` before, ``times`` after.
    What is not taken is not asked. Without ``axis``, tensors of any rank are asked with the classes
    where ``class_axis`` says, the last axis or the second; ``None``: only ``(rows, N)``. ``since`` is
    the smallest profile that asks it, and asks it what ``quick`` asks of the others. ``documented`` names
    a definition of :mod:`xent_conformance.reference.documented` that its documentation states in place of the
    mathematical one (SPEC.md 5.11). ``came``: the version of the framework that has it first, where an older
    one may be asked: that is not asked it, and says so. From that version on it is there, or it is a finding.
    """

    name: str
    operator: str
    formulation: Formulation
    call: Callable[..., Any]
    note: str = ""
    takes: frozenset[str] = frozenset()
    class_axis: Literal["last", "second"] | None = None
    since: str = "quick"
    documented: str = ""
    came: str = ""


@dataclass(frozen=True)
class Manner:
    """How rows are put to an implementation; the fields are those of a case's form and attributes.

    ``shape``: leading shape that the rows are folded into, the class axis then at ``axis``; None for
    ``(rows, N)``. ``each``: a call for each row. ``again``: ``twice``, ``alone`` or one of
    :data:`STATES`, asked once more for the same bits; of rows that were repeated to fill a batch, and
    are asked ``alone``, only the first ``rows``.
    ``examples``: every row is a group of so many, of ``n`` classes each, with ``attributes``; a ``shape``
    is then that of the group.
    ``copies``: every logit stands for so many classes. ``logits_dtype``: the logits' format, where the result
    is asked for in another. ``class_shape``: the classes are folded into so many axes, the last.
    ``keepdims``: axes that are summed over stay. ``filled``: the rows were
    repeated up to so many. ``wrong``: arguments do not fit, on purpose.
    """

    shape: tuple[int, ...] | None = None
    axis: int = -1
    layout: str = "contiguous"
    each: bool = False
    again: str = ""
    rows: int = 0
    out: bool = False
    label_dtype: str = ""
    wrong: str = ""
    logits_dtype: str = ""
    class_shape: tuple[int, ...] | None = None
    keepdims: bool = False
    filled: int = 0
    examples: int | None = None
    n: int = 0
    copies: int = 1
    attributes: tuple[tuple[str, Any], ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """Which of :data:`MANNERS` it has; none for plain rows."""
        has = {
            "shape": self.shape is not None,
            "layout": self.layout != "contiguous",
            "out": self.out,
            "labels": bool(self.label_dtype),
            "group": self.examples is not None,
            "copies": self.copies > 1,
            "axes": self.class_shape is not None or self.keepdims,
            "dtype": bool(self.logits_dtype),
            "attributes": any(name not in AROUND for name, _ in self.attributes),
            "around": any(name in AROUND for name, _ in self.attributes),
            "misfit": bool(self.wrong),
        }
        return frozenset(name for name, there in has.items() if there)


AROUND = frozenset({"cast", "matrix", "scale", "temperature", "bias", "mask", "times"})
"""Keywords for what stands before an operator and after it."""

MANNERS = (
    "shape",
    "layout",
    "out",
    "labels",
    "group",
    "copies",
    "axes",
    "dtype",
    "attributes",
    "around",
    "misfit",
)
"""What a call may have beside rows: tensors of other ranks, a memory layout, a buffer for the result, labels
of another type, groups of examples that are reduced, logits that stand for many classes, classes on several
axes or axes that stay, a format that is asked for, attributes, what stands around (:data:`AROUND`), arguments
that do not fit."""


STATES = ("other_between", "threads", "inference", "second_backward", "accumulated", "shared")
"""How a call may hang on another, or on where it is made; ``Adapter.states`` says which can be asked.

``other_between``: the call, one of another shape, the call again. ``threads``: the call from two threads
at once. ``inference``: the value without gradients, as it is served. ``second_backward``: a backward through
a graph that has had one and was kept. ``accumulated``: a gradient that is added to one that is there.
``shared``: one array for two arguments.
"""

GRADIENT_STATES = ("inference", "second_backward", "accumulated")
"""Those of them that concern gradients; a call's own ``state`` says them to an adapter."""


def holds_numbers(keyword: str, given: object) -> bool:
    """Whether a keyword has an entry a class, or a row, and is to become a tensor: axes are a tuple too."""
    return isinstance(given, tuple) and keyword != "axis"


def type_of(keyword: str, keywords: Mapping[str, Any], logits: str) -> str:
    """The type of the numbers of a keyword, by its name: that of the logits, if nothing else is said."""
    if keyword in ("weight", "pos_weight"):
        return str(keywords.get("weight_dtype", logits))
    return "bool" if keyword == "mask" else logits


@dataclass(frozen=True)
class NotOffered:
    """Something that implementations do not have, and who says so: it is not asked, and counted apart.

    It speaks of a call where every criterion that is given holds: ``implementations`` (globs), ``modes``,
    ``outputs``, ``dtypes`` of the logits, ``manners``, of which the call has one (see :data:`MANNERS`), and
    ``variants`` of the device, by name; the device as it is has the name "". ``source`` is the framework's
    documentation, or its own message, in a sentence.
    What is offered, which is all that is not listed, is to be answered (SPEC.md 1.7).
    """

    source: str
    implementations: tuple[str, ...] = ("*",)
    modes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    manners: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What to run: an implementation, in a mode, on a device, for some outputs.

    ``withheld``: outputs that are due and not offered, so not asked, each with who says so.
    """

    implementation: str
    operator: str
    mode: str
    device: str
    outputs: tuple[str, ...]
    manner: Manner = Manner()
    withheld: tuple[tuple[str, str], ...] = ()

    @property
    def due(self) -> tuple[str, ...]:
        """The outputs that a verdict is due on: those that are asked, and those that are withheld."""
        return (*self.outputs, *(output for output, _ in self.withheld))

    @property
    def door(self) -> tuple[str, str, str, str]:
        """Who is asked, whatever it is asked."""
        return self.implementation, self.operator, self.mode, self.device


@dataclass(frozen=True)
class Call:
    """One call of an implementation: where, on what, and what is wanted of it.

    ``logits`` is ``(rows, N)``; ``labels`` ``(rows, N)`` in the logits' dtype, ``(rows,)`` int64, or
    None; ``cotangent`` has the shape of the value, ``(rows,)`` or ``(rows, N)``. Other ranks come with
    an ``axis`` among ``keywords``, which are passed to the implementation as they are named; arrays
    among them become tensors. ``tangent`` is there where ``jvp`` or ``hvp`` is wanted.

    The arrays are the call's own, and hold afterwards what it left of its arguments: an adapter whose
    tensors are copies that can be changed writes them back. An array that is given twice is to be one
    tensor's memory. ``state``, one of :data:`GRADIENT_STATES` that is declared: ``inference``, the value
    without anything recorded; ``second_backward``, the gradients of the second of two backwards through one
    graph; ``accumulated``, what two backwards have added up, which is twice the gradients. ``sparse``: the
    logits are to be a sparse tensor, to see who refuses it; only of adapters that say ``sparse = True``.
    """

    implementation: Implementation
    mode: str
    device: str
    logits: Array
    labels: Array | None
    cotangent: Array
    outputs: tuple[str, ...]
    tangent: Array | None = None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""
    sparse: bool = False

    @property
    def arguments(self) -> list[Array]:
        """What the implementation is called with: logits, and labels if it takes any."""
        return [self.logits] if self.labels is None else [self.logits, self.labels]

    @property
    def given(self) -> list[Array]:
        """All arrays: the arguments, the cotangent, and the tangent if there is one."""
        return [*self.arguments, self.cotangent, *([] if self.tangent is None else [self.tangent])]


@dataclass(frozen=True)
class Glance:
    """The few questions that every profile asks of a mode which begins in a later one.

    Of ``quick``: these ``implementations`` on plain rows of one ``family`` in one format. So nothing that is
    named is left unasked, and what takes long, such as a compiler, is seen to work at all. ``lengths``: of
    rows so long alone, where a compiler makes code for another length. ``apart``: by a worker of its own,
    beside the one that is asked the rest, if there are jobs for both; after it if not.
    """

    implementations: tuple[str, ...]
    family: str = "ordinary"
    dtype: str = "float32"
    lengths: tuple[int, ...] = ()
    apart: bool = False

    def at(self, implementation: str, family: str, dtype: str, n: int) -> bool:
        """Whether it is taken of the implementation at rows of length ``n``."""
        return (
            implementation in self.implementations
            and (family, dtype) == (self.family, self.dtype)
            and (not self.lengths or n in self.lengths)
        )


class Unsupported(Exception):
    """Raised by an adapter that cannot answer after all; the message is shown.

    It is a refusal like any other. What is known beforehand is declared: :class:`NotOffered`.
    """


class Adapter(Protocol):
    """A framework as the worker sees it. Without ``autodiff`` only values are asked.

    ``modes`` maps each mode to the smallest profile that asks it (a mode may cost much to compile).

    More attributes are read where there are any: ``moving``, which of ``jvp`` and ``hvp`` it computes;
    ``layouts``, the memory layouts (beside contiguous) that its tensors can have; ``states``, for a mode
    those of :data:`STATES` that can be asked in it; ``restricted``, for a mode the only implementations
    that are asked in it; ``formats``, the same of formats; ``widening``,
    modes in which a result may be of a wider type than the logits; ``variants``, settings of its devices
    by name, such as ``isa=avx2``; ``settings_only``, the kinds of devices that are asked under one of those
    settings and not as they are; ``accelerators``, of such an adapter the kinds on which it is asked as it
    is, where the machine has one; ``environment_before``, variables to set before it is imported;
    ``imports``, the packages that it does not do without, in the order in which it imports them: where one is
    not there, that is seen before another is imported; ``without``, packages that these import where they
    are installed, and that nothing it is asked needs: they are hidden while it is made (not inherited);
    ``glances``, for a mode that begins in a later profile the :class:`Glance` that every profile takes at it;
    ``missing()``, modes that cannot be asked on the machine at hand, each with what they lack there;
    ``in_eight_bits``, the implementations that take logits of eight bits, and ``from_eight_bits``, those that
    take them where a wider format is asked for (``dtype=``); ``in_order``, modes whose
    answer may depend on what the process was asked before: one worker is asked all of them;
    ``compiling``, modes that compile every shape anew, which are asked some of it a profile later;
    ``keep_compiled(folder)``, which is told where it may keep what it compiles for its next process;
    ``begin(mode)``, which is told before the first question that nothing but this mode will be asked;
    ``not_offered``, what its implementations do not have; ``sparse``, whether it can be given logits as a
    sparse tensor (``Call.sparse``). All else that it declares is to be answered.
    """

    name: str
    distribution: str
    modes: Mapping[str, str]
    autodiff: bool
    implementations: Sequence[Implementation]

    def version(self) -> str:
        """The framework's version."""

    def environment(self) -> Mapping[str, str]:
        """What may change its arithmetic: build, libraries, threads, instruction set."""

    def devices(self) -> Sequence[str]:
        """Devices that can be asked here: ``cpu``, ``cuda:0``, …"""

    def run(self, call: Call) -> Mapping[str, Array]:
        """Compute ``call.outputs``: ``value``, and gradients by the framework's own autodiff.

        Arrays come back on the host, in the dtype the framework gave them.
        """
