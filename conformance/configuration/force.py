"""What is in force before any option is typed, and from where: the environment before pyproject.toml."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xent_conformance.configuration.file import File, nearest
from xent_conformance.configuration.settings import PREFIX, SETTINGS, ConfigurationError, Setting, Value


@dataclass(frozen=True)
class InForce:
    """A setting that is set: its value, and where it stands (a file, or ``$VARIABLE``)."""

    setting: Setting
    value: Value
    source: str
    hides: str = ""
    """Where it stands as well, and is not taken from."""

    @property
    def values(self) -> tuple[str, ...]:
        """The value or the values."""
        return (self.value,) if isinstance(self.value, str) else self.value

    def __str__(self) -> str:
        return f"{self.setting.key} {', '.join(self.values) or 'none'}"


@dataclass(frozen=True)
class Configuration:
    """All that is set here. ``file``: the pyproject.toml that was read, if there is one with the table."""

    file: Path | None
    settings: Mapping[str, InForce]


def in_force(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Configuration:
    """What is set for ``folder`` (this one, if unsaid) and ``environment`` (this process's).

    Raises :class:`~xent_conformance.configuration.settings.ConfigurationError` for what is written wrong.
    """
    file = nearest((Path.cwd() if folder is None else folder).absolute())
    there = os.environ if environment is None else environment
    return Configuration(file.path if file else None, dict(_each(file, there)))


def _each(file: File | None, environment: Mapping[str, str]) -> Iterator[tuple[str, InForce]]:
    written = {} if file is None else file.values
    for key, setting in SETTINGS.items():
        stands = str(file.path) if file is not None and key in written else ""
        text = environment.get(setting.variable, "").strip()
        if text:
            yield key, InForce(setting, _split(setting, text), f"${setting.variable}", stands)
        elif stands:
            yield key, InForce(setting, written[key], stands)


def _split(setting: Setting, text: str) -> Value:
    values = [part.strip() for part in text.split(",")]
    if not setting.many and len(values) > 1:
        raise ConfigurationError(f"${setting.variable}={text}: one value is needed, as in {setting.example}")
    return setting.checked(values, f"${setting.variable}={text}")


def not_read(environment: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Variables that begin as ours do, and that are none: told, so that a slip is seen.

    ``others``: variables of ours that are no setting, with what they are.
    """
    known = {setting.variable for setting in SETTINGS.values()} | set(others)
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
