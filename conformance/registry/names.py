"""Names that people write: one or several, and what is near to one that nothing answers to."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Sequence

Names = str | Iterable[str] | None
"""One name, several, or none, which means all."""


class UnknownName(ValueError):
    """A name that nothing answers to; the message lists the near ones."""


def names(given: Names) -> tuple[str, ...]:
    """One name or several, as a tuple; none is the empty one."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def named(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns names it; no pattern names all."""
    return not patterns or any(fnmatch.fnmatchcase(name, p) for p in patterns)


def check_name(kind: str, name: str, known: Iterable[str]) -> None:
    """Raise :class:`UnknownName` with the near matches unless ``name`` is known."""
    there = list(known)
    if name not in there:
        raise UnknownName(unknown(kind, name, there))


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """What is said of a name that nothing answers to: the near ones, or all."""
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.4)
    near += [n for n in known if name.strip("*") and name.strip("*") in n and n not in near][:5]
    plural = {"family": "families", "framework": "devices", "variant": "devices"}.get(kind, f"{kind}s")
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(known)}"
    if kind in ("profile", "dtype", "mode", "output"):
        return f"unknown {kind} {name!r}: there are {', '.join(known)}"
    also = "; one of your own is named with --plugin as well" if kind == "framework" else ""
    return f"unknown {kind} {name!r}: {hint} (`conformance list {plural}` shows all{also})"
