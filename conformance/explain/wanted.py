"""Which answers about a case are wanted: the options of ``conformance explain``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.names import check_name
from xent_conformance.discovery.seats import check_devices


class Refused(Exception):
    """What is wanted cannot be had; the message says why, and what to do instead."""


@dataclass(frozen=True)
class Wanted:
    """Names of implementations (or patterns), frameworks, modes, devices and an output; none means all.

    Devices are named as for a run; where none is named, every one is asked as it is. ``interpreters``: by
    framework, the Python that has it, where it is not the one that runs us.
    """

    implementations: Sequence[str] = ()
    frameworks: Sequence[str] = ()
    modes: Sequence[str] = ()
    devices: Sequence[str] = ()
    output: str = ""
    interpreters: Mapping[str, str] = field(default_factory=dict)

    def checked(self, outputs: Sequence[str]) -> Wanted:
        """The same by the names that are known: ``tf`` is understood. ``outputs`` are those of the case.

        Raises :class:`~xent_conformance.discovery.names.UnknownName` for a name that nothing answers to.
        """
        frameworks = [check_name("framework", name, FRAMEWORKS) for name in self.frameworks]
        chosen = [f for f in FRAMEWORKS.values() if not frameworks or f.name in frameworks]
        known = dict.fromkeys(m for f in chosen for m in f.declaration.modes)
        modes = [check_name("mode", mode, known) for mode in self.modes]
        check_devices(self.devices, FRAMEWORKS.values())
        output = self.output and check_name("output", self.output, outputs)
        return replace(self, frameworks=frameworks, modes=modes, output=output)

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
