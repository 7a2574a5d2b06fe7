"""The settings that there are, and what each may hold. Knows no option's type and reads nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TABLE = "tool.conformance"
"""Where in pyproject.toml they stand."""

PREFIX = "CONFORMANCE_"
"""What an environment variable of one begins with."""

Value = str | tuple[str, ...]
"""What is set: one word, or several."""


class ConfigurationError(ValueError):
    """A setting that cannot be; the message names where it stands and what to write."""


@dataclass(frozen=True)
class Setting:
    """One setting: its key in pyproject.toml, and the option that it stands in for."""

    key: str
    option: str
    about: str
    example: str
    many: bool = True
    """Whether it holds several values; one of them may be written without a list."""
    paths: bool = False
    """Whether they are files: in pyproject.toml relative to its folder."""
    programs: bool = False
    """Whether they are programs, with ``NAME=`` before or not: one without a folder is looked for in PATH."""
    known: Callable[[], Iterable[str]] | None = None
    """The values that there are, where they are few."""
    number: bool = False
    """Whether it is a whole number from one up."""

    @property
    def variable(self) -> str:
        """The environment variable of it; several values are separated by commas."""
        return PREFIX + self.key.upper().replace("-", "_")

    def checked(self, values: Sequence[str], where: str) -> Value:
        """The values as they are kept. Raises :class:`ConfigurationError` for one that there is not."""
        if not all(values):
            raise ConfigurationError(f"{where}: an empty name is none; leave it out")
        there = None if self.known is None else list(self.known())
        for value in values:
            if there is not None and value not in there:
                raise ConfigurationError(f"{where}: there is no {value!r}, there are {', '.join(there)}")
            if self.number and not (value.isascii() and value.isdigit() and int(value)):
                raise ConfigurationError(f"{where}: a whole number from 1 up is needed, not {value!r}")
        return tuple(values) if self.many else values[0]

    def below(self, folder: Path, value: Value) -> Value:
        """The value with its relative paths read from ``folder``, and written as seen from here."""
        seen = _program if self.programs else _path if self.paths else None
        if seen is None:
            return value
        return seen(folder, value) if isinstance(value, str) else tuple(seen(folder, v) for v in value)


def _path(folder: Path, written: str) -> str:
    """Short where it lies below the folder that we are in."""
    there = folder / Path(written).expanduser()
    here = Path.cwd()
    return str(there.relative_to(here) if there.is_relative_to(here) else there)


def _program(folder: Path, written: str) -> str:
    name, equals, path = written.rpartition("=")
    return name + equals + (_path(folder, path) if {"/", os.sep} & set(path) else path)


def _profiles() -> Iterable[str]:
    from xent_conformance.cases.profile import Profile

    return map(str, Profile)


def _policies() -> Iterable[str]:
    from xent_conformance.decision.policy import POLICIES

    return POLICIES


_ALL = (
    Setting("frameworks", "--framework", "what is asked; unset: what is installed", '["torch", "jax"]'),
    Setting("profile", "--profile", "how much is asked", '"quick"', many=False, known=_profiles),
    Setting("devices", "--device", "where it is asked; unset: everywhere that is found", '["cpu"]'),
    Setting(
        "python", "--python", "the interpreter that has the frameworks", '".venv/bin/python"', programs=True
    ),
    Setting("exclude", "--exclude", "implementations that are not asked", '["*sampled*"]'),
    Setting(
        "baseline",
        "--baseline",
        "the run that may not get worse",
        '"conformance/baseline.parquet"',
        paths=True,
    ),
    Setting("waivers", "--waivers", "files of waivers", '["conformance/waivers.toml"]', paths=True),
    Setting(
        "jobs", "--jobs", "workers at a time; unset: the cores that there are", "4", many=False, number=True
    ),
    Setting("fail-on", "--fail-on", "what blocks as well", '["should"]', known=_policies),
)

SETTINGS: Mapping[str, Setting] = {setting.key: setting for setting in _ALL}
"""Every setting, in the order in which they are told."""
