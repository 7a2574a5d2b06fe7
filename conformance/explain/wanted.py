"""Which answers about a case are wanted: the options of ``conformance explain``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xent_conformance.registry.devices import check_devices
from xent_conformance.registry.framework import FRAMEWORKS
from xent_conformance.registry.names import check_name


class Refused(Exception):
    """What is wanted cannot be had; the message says why, and what to do instead."""


@dataclass(frozen=True)
class Wanted:
    """Names of implementations (or patterns), frameworks, modes, devices and an output; none means all.

    Devices are named as for a run; where none is named, every one is asked as it is.
    """

    implementations: Sequence[str] = ()
    frameworks: Sequence[str] = ()
    modes: Sequence[str] = ()
    devices: Sequence[str] = ()
    output: str = ""

    def check(self, outputs: Sequence[str]) -> None:
        """Raise :class:`~xent_conformance.registry.names.UnknownName` for a name that nothing answers to.

        ``outputs`` are those that the case has.
        """
        for name in self.frameworks:
            check_name("framework", name, FRAMEWORKS)
        chosen = [f for f in FRAMEWORKS.values() if not self.frameworks or f.name in self.frameworks]
        for mode in self.modes:
            check_name("mode", mode, dict.fromkeys(m for f in chosen for m in f.declaration.modes))
        check_devices(self.devices, FRAMEWORKS.values())
        if self.output:
            check_name("output", self.output, outputs)

    def alone(self) -> tuple[str, str, str, str]:
        """The implementation, framework, mode and device of a script: one of each.

        Empty for a framework or a mode that is not named: then it is the only one that has the
        implementation, and its first. Raises :class:`Refused` for more, or no implementation.
        """
        if len(self.implementations) != 1 or any(letter in self.implementations[0] for letter in "*?"):
            raise Refused("one implementation is shown: name it with --implementation NAME")
        for option in ("framework", "mode", "device"):
            if len(getattr(self, f"{option}s")) > 1:
                raise Refused(f"one {option} is shown: name --{option} once")
        framework, mode, device = map("".join, (self.frameworks, self.modes, self.devices))
        return self.implementations[0], framework, mode, device or "cpu"

    def told(self) -> str:
        """In words, as an error says what nothing matches: ``'torch*' in mode jit on cpu``."""
        words = [" or ".join(map(repr, self.implementations or ["*"]))]
        for preposition, names in (
            ("of", self.frameworks),
            ("in mode", self.modes),
            ("on", self.devices),
        ):
            words += [f"{preposition} {' or '.join(names)}"] if names else []
        return " ".join(words)
