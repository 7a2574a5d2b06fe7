"""What an adapter declares, read once from its class: which implementations, modes, outputs, settings.

An adapter is a class of anybody's, with attributes that may be there or not; this is the one place that reads
them. Nothing here imports a framework: an adapter does that when it is made.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xent_conformance.cases.profile import Profile
from xent_conformance.frameworks.interface import Glance, Implementation, Manner, NotOffered, Variant
from xent_conformance.reference.formats import EIGHT_BITS


@dataclass(frozen=True)
class Declaration:
    """The attributes of :class:`xent_conformance.frameworks.interface.Adapter`, the optional ones filled in.

    ``modes`` maps each mode to the smallest profile that asks it. ``moving``: which of ``jvp`` and ``hvp``
    it computes. ``layouts``: memory layouts beside contiguous. ``states``: for a mode, the ways of asking
    once more that it has. ``restricted`` and ``formats``: for a mode, the only implementations and formats
    asked in it. ``glances``: for a mode that begins later, what every profile asks of it. ``widening``:
    modes whose results may be of a wider type. ``variants``: settings of its devices, by name.
    ``settings_only``: kinds of devices that are asked under a setting alone, such as the CPU of a kernel that
    runs there in an interpreter only; ``accelerators``: those on which such an adapter is asked as it is,
    where the machine has one.
    ``environment``: variables set before its start. ``imports``: packages without which it is not started.
    ``not_offered``: what its implementations do not have;
    all else is offered, and is to be answered.
    ``in_eight_bits``: the implementations that take logits of eight bits (SPEC.md 6.17); ``from_eight_bits``:
    those that take them where a wider format is asked for. ``compiling``: modes that compile every shape
    anew, and are asked some of it a profile later.
    ``sparse``: whether it makes sparse tensors of logits, to see who refuses them. ``in_order``: modes whose
    answer may depend on what the process was asked before; one worker is asked all of it, in one order.
    """

    name: str
    distribution: str
    modes: Mapping[str, Profile]
    autodiff: bool
    implementations: tuple[Implementation, ...]
    moving: tuple[str, ...] = ()
    layouts: frozenset[str] = frozenset()
    states: Mapping[str, frozenset[str]] = field(default_factory=dict)
    restricted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    formats: Mapping[str, frozenset[str]] = field(default_factory=dict)
    glances: Mapping[str, Glance] = field(default_factory=dict)
    widening: frozenset[str] = frozenset()
    variants: Mapping[str, Variant] = field(default_factory=dict)
    settings_only: frozenset[str] = frozenset()
    accelerators: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    not_offered: tuple[NotOffered, ...] = ()
    sparse: bool = False
    in_eight_bits: frozenset[str] = frozenset()
    from_eight_bits: frozenset[str] = frozenset()
    in_order: frozenset[str] = frozenset()
    compiling: frozenset[str] = frozenset()

    @classmethod
    def of(cls, kind: Any) -> Declaration:
        """What an adapter's class says; one that is wrong is for :mod:`.problems` to tell."""
        return cls(
            name=kind.name,
            distribution=kind.distribution,
            modes={mode: Profile(profile) for mode, profile in kind.modes.items()},
            autodiff=bool(kind.autodiff),
            implementations=tuple(kind.implementations),
            moving=tuple(getattr(kind, "moving", ())),
            layouts=frozenset(getattr(kind, "layouts", ())),
            states={mode: frozenset(of) for mode, of in getattr(kind, "states", {}).items()},
            restricted=dict(getattr(kind, "restricted", {})),
            formats=dict(getattr(kind, "formats", {})),
            glances=dict(getattr(kind, "glances", {})),
            widening=frozenset(getattr(kind, "widening", ())),
            variants=dict(getattr(kind, "variants", {})),
            settings_only=frozenset(getattr(kind, "settings_only", ())),
            accelerators=frozenset(getattr(kind, "accelerators", ())),
            environment=dict(getattr(kind, "environment_before", {})),
            imports=tuple(getattr(kind, "imports", ())),
            not_offered=tuple(getattr(kind, "not_offered", ())),
            sparse=bool(getattr(kind, "sparse", False)),
            in_eight_bits=frozenset(getattr(kind, "in_eight_bits", ())),
            from_eight_bits=frozenset(getattr(kind, "from_eight_bits", ())),
            in_order=frozenset(getattr(kind, "in_order", ())),
            compiling=frozenset(getattr(kind, "compiling", ())),
        )

    @cached_property
    def of_operator(self) -> Mapping[str, Sequence[Implementation]]:
        """The implementations, in their order, by operator."""
        found: dict[str, list[Implementation]] = {}
        for i in self.implementations:
            found.setdefault(i.operator, []).append(i)
        return found

    def asks(self, implementation: str, mode: str, dtype: str) -> bool:
        """Whether the mode is for that implementation and that format."""
        if dtype in EIGHT_BITS and implementation not in self.in_eight_bits:
            return False
        return (mode not in self.restricted or implementation in self.restricted[mode]) and (
            mode not in self.formats or dtype in self.formats[mode]
        )

    def asked_modes(
        self,
        profile: str,
        *,
        asked_since: str = Profile.QUICK,
        door_since: str = Profile.QUICK,
        behind: int = 0,
        at_once: bool = True,
    ) -> Sequence[str]:
        """The modes in which a profile asks what is asked since the profile ``asked_since``.

        A mode, or a door, that begins in a later profile stays as far behind: what ``quick`` asks of
        ``jit``, ``standard`` asks op by op, where every shape is compiled many times. What is not asked of
        modes that compile every shape ``at_once`` they are asked one later, and in the last at the latest.
        """
        of = profile, asked_since, door_since, behind, at_once
        if of not in self._begun:
            self._begun[of] = self._asked_modes(*of)
        return self._begun[of]

    @cached_property
    def _begun(self) -> dict[tuple[str, str, str, int, bool], Sequence[str]]:
        """What :meth:`asked_modes` has said: it is asked of every batch, and has few answers."""
        return {}

    def _asked_modes(
        self, profile: str, asked_since: str, door_since: str, behind: int, at_once: bool
    ) -> Sequence[str]:
        late = Profile(asked_since).rank + Profile(door_since).rank + behind

        def begin(mode: str, smallest: Profile) -> Profile | None:
            first = smallest.later(late)
            if first is None or at_once or mode not in self.compiling:
                return first
            return first.later(1) or first

        begins = {mode: begin(mode, smallest) for mode, smallest in self.modes.items()}
        return tuple(
            mode for mode, first in begins.items() if first is not None and first <= Profile(profile)
        )

    def glanced(self, implementation: str, family: str, dtype: str, n: int) -> Sequence[str]:
        """The modes in which every profile asks the implementation those rows."""
        return tuple(
            mode for mode, glance in self.glances.items() if glance.at(implementation, family, dtype, n)
        )

    def withheld(
        self, implementation: str, mode: str, dtype: str, manner: Manner, output: str, variant: str = ""
    ) -> str | None:
        """Who says that the output is not offered in such a call; None where it is offered."""
        for lack in self.not_offered:
            if (
                (not lack.modes or mode in lack.modes)
                and (not lack.outputs or output in lack.outputs)
                and (not lack.dtypes or dtype in lack.dtypes)
                and (not lack.variants or variant in lack.variants)
                and any(fnmatch.fnmatchcase(implementation, glob) for glob in lack.implementations)
                and (not lack.manners or manner.kinds & set(lack.manners))
            ):
                return lack.source
        return None

    @cached_property
    def documented(self) -> Mapping[str, str]:
        """The definition that an implementation documents, where it is another (SPEC.md 5.11)."""
        return {i.name: i.documented for i in self.implementations if i.documented}

    @cached_property
    def formulations(self) -> Mapping[str, str]:
        """``fused``, ``composed`` or ``naive``, by implementation."""
        return {i.name: i.formulation for i in self.implementations}
