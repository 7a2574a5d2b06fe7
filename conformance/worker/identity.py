"""What an adapter says of itself when it has started, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xent_conformance.frameworks.interface import Adapter
from xent_conformance.worker.words import plain, words


class Misdeclared(Exception):
    """It says what cannot be; the message names the method, what it returned, and what to return."""


def is_text_to_text(given: Any) -> bool:
    """Whether it is a mapping with text for keys and values."""
    return isinstance(given, Mapping) and all(
        isinstance(key, str) and isinstance(value, str) for key, value in given.items()
    )


def is_text(given: Any) -> bool:
    """Whether it is text, and not empty."""
    return isinstance(given, str) and bool(given)


def are_devices(given: Any) -> bool:
    """Whether it is a list of names, each once."""
    listed = isinstance(given, Sequence) and not isinstance(given, str) and bool(given)
    return listed and all(isinstance(d, str) and d for d in given) and len(set(given)) == len(given)


IDENTITY: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "version": (is_text, 'return text, such as "1.2.3"'),
    "environment": (is_text_to_text, 'return a dict from text to text, such as {"threads": "1"}'),
    "devices": (are_devices, 'return a list of names, each once, such as ["cpu", "cuda:0"]'),
    "missing": (is_text_to_text, "return a dict from a mode to what it lacks"),
}
"""Of each method, whether what it returns can be, and what to do where not."""


def said(adapter: Adapter, method: str) -> Any:
    """What the method returns, as text that can be kept. Raises :class:`Misdeclared`."""
    right, remedy = IDENTITY[method]
    try:
        given: Any = getattr(adapter, method)()
    except Exception as error:
        raise Misdeclared(f"{method}() raises {words(error)}: {remedy}") from error
    if not right(given):
        raise Misdeclared(f"{method}() returns {plain(_shown(given))}: {remedy}")
    if isinstance(given, Mapping):
        return {plain(key): plain(value) for key, value in given.items()}
    return plain(given) if isinstance(given, str) else [plain(each) for each in given]


def older(adapter: Adapter, version: str) -> dict[str, str]:
    """The implementations that came later than this version, each with the one that it came with."""
    here = numbers(version)
    return {i.name: i.came for i in adapter.implementations if i.came and here < numbers(i.came)}


def numbers(version: str) -> tuple[int, ...]:
    """Those that it begins with, (2, 11, 0) of 2.11.0+cpu: what is built on the way to a release is that."""
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, leading[0].split("."))) if leading else ()


def _shown(given: Any) -> str:
    try:
        return f"{given!r:.80}"
    except Exception:  # noqa: BLE001  # it is foreign code
        return f"what cannot be shown, of type {type(given).__name__}"
