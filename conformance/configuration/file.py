"""``[tool.conformance]`` of the nearest pyproject.toml, read and checked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xent_conformance.configuration.settings import (
    SETTINGS,
    TABLE,
    ConfigurationError,
    Setting,
    Value,
)
from xent_conformance.decision.toml import NoToml, Unreadable, parsed, text_of

NAME = "pyproject.toml"


@dataclass(frozen=True)
class File:
    """A pyproject.toml that has the table, and what it sets."""

    path: Path
    values: Mapping[str, Value] = field(default_factory=dict)


def nearest(start: Path) -> File | None:
    """The table of the first pyproject.toml that has one, from ``start`` upwards.

    One without the table is another project's part, and is passed over. Raises
    :class:`ConfigurationError` for a table that is wrong; the message names the file and what to write.
    """
    for folder in (start, *start.parents):
        path = folder / NAME
        if path.is_file() and (table := _table(path)) is not None:
            return File(path, {key: _value(path, key, written) for key, written in table.items()})
    return None


def _table(path: Path) -> Mapping[str, Any] | None:
    """What stands in the table; None where there is none, or nothing that could be one."""
    try:
        text = text_of(path)
    except Unreadable as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    try:
        found: Any = parsed(text)
    except NoToml as error:
        if TABLE not in text:
            return None
        raise ConfigurationError(f"{path} is no TOML: {error}") from None
    for name in TABLE.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if found is None or isinstance(found, Mapping):
        return found
    raise ConfigurationError(f'{path}: {TABLE} is no table; write [{TABLE}], and below it profile = "quick"')


def _value(path: Path, key: str, written: Any) -> Value:
    where = f"{path}, [{TABLE}]"
    if key not in SETTINGS:
        raise ConfigurationError(f"{where}: {_no_such(key)}")
    setting = SETTINGS[key]
    if setting.number and isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    values = [written] if isinstance(written, str) else written
    one = not setting.many and not isinstance(written, str)
    if one or not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise ConfigurationError(f"{where}: {key} = {_shown(written)}: {_kind(setting)}")
    return setting.below(path.parent, setting.checked(values, f"{where}: {key}"))


def _no_such(key: str) -> str:
    """What is said of a key that is none: the nearest, and all."""
    plain = {name.replace("-", "_"): name for name in SETTINGS} | {
        s.option[2:]: k for k, s in SETTINGS.items()
    }
    near = difflib.get_close_matches(key.replace("-", "_"), [*plain, *SETTINGS], n=1, cutoff=0.5)
    hint = f"did you mean {plain.get(near[0], near[0])}? " if near else ""
    return f"unknown key {key!r}: {hint}there are {', '.join(SETTINGS)}"


def _kind(setting: Setting) -> str:
    one = "a whole number" if setting.number else "a string"
    what = "a string or a list of strings" if setting.many else one
    return f"{what} is needed, as in {setting.key} = {setting.example}"


def _shown(written: Any) -> str:
    text = str(written).lower() if isinstance(written, bool) else repr(written)
    return text if len(text) <= 60 else f"{text[:60]}…"
