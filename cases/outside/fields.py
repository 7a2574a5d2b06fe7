"""The fields of an object in a file of cases, by name: known, of the kind that is wanted, or refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from xent_conformance.cases.outside.numbers import CasesError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,79}")


def check_known(given: Mapping[str, Any], fields: Iterable[str], where: str) -> None:
    """Every field is one of ``fields``. Raises :class:`CasesError`, as all here do."""
    for field in given:
        if field not in fields:
            raise CasesError(f"{where}: {_unknown('field', field, fields)}")


def choice_of(case: Mapping[str, Any], field: str, known: Iterable[str], where: str) -> str:
    """A field that says one of the ``known`` names."""
    if field not in case:
        raise CasesError(f"{where}: it has no {field}; there are {', '.join(known)}")
    if case[field] not in list(known):
        raise CasesError(f"{where}: {_unknown(field, str(case[field]), known)}")
    return str(case[field])


def name_of(name: Any, field: str) -> str:
    """A name that can be part of an id."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CasesError(
            f"{field} is {str(name)[:40]!r}; it is part of every id: letters, digits, _ . + = -, at most 80"
        )
    return name


def text_of(given: Mapping[str, Any], field: str, where: str) -> str:
    """A field that is a string, or absent."""
    text = given.get(field, "")
    if not isinstance(text, str):
        raise CasesError(f"{where}: {field} is no string")
    return text


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    there = list(known)
    near = difflib.get_close_matches(name, there, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(there) or 'none'}"
    return f"unknown {kind} {name[:40]!r}: {hint}"
