"""Names that people write: one or several, and what is near to one that nothing answers to."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Mapping, Sequence

Names = str | Iterable[str] | None
"""One name, several, or none, which means all."""


ALSO_CALLED: Mapping[str, Mapping[str, str]] = {
    "dtype": {
        "half": "float16",
        "fp16": "float16",
        "f16": "float16",
        "bf16": "bfloat16",
        "float": "float32",
        "single": "float32",
        "fp32": "float32",
        "f32": "float32",
        "double": "float64",
        "fp64": "float64",
        "f64": "float64",
    },
}
"""Other names that are understood, in small letters or not; a framework is registered with its own."""


class UnknownName(ValueError):
    """A name that nothing answers to; the message lists the near ones."""


def names(given: Names) -> tuple[str, ...]:
    """One name or several, as a tuple; none is the empty one."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)


def named(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns names it; no pattern names all."""
    return not patterns or any(fnmatch.fnmatchcase(name, p) for p in patterns)


def meant(kind: str, name: str, known: Iterable[str]) -> str:
    """The name in ``known`` that is meant by ``name``; itself where there is none."""
    there = list(known)
    if name in there:
        return name
    plain = name.lower()
    other = also_called(kind, known).get(plain, plain)
    return other if other in there else name


def also_called(kind: str, known: Iterable[str]) -> Mapping[str, str]:
    """The known name by each of its other names."""
    registered = known.items() if isinstance(known, Mapping) else ()
    also = {other: name for name, entry in registered for other in getattr(entry, "also", ())}
    return also or ALSO_CALLED.get(kind, {})


def check_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The known name that is meant. Raises :class:`UnknownName` with the near matches where there is none."""
    there = known if isinstance(known, Mapping) else list(known)
    name = spelled(kind, name)
    found = meant(kind, name, there)
    if found not in there:
        raise UnknownName(unknown(kind, name, list(there)))
    return found


def spelled(kind: str, given: object) -> str:
    """A name as it is written: a framework's own type of numbers, as ``torch.float32``, has one.

    Raises :class:`UnknownName` for anything else that is no name.
    """
    if isinstance(given, str):
        return given
    if kind != "dtype" or given is float:  # by whose name others mean 32 bits
        raise UnknownName(f"{kind} is {given!r}, which is no name: write it as text")
    name = getattr(given, "name", None) or getattr(given, "__name__", None)
    found = name if isinstance(name, str) else str(given).rpartition(".")[2]
    if not found.isidentifier():  # a number, or bytes
        raise UnknownName(f"{kind} is {given!r}, which is no name: write it as text")
    return found


def near(name: str, known: Sequence[str]) -> list[str]:
    """The known names that are like it, or have it in them."""
    close = difflib.get_close_matches(name, known, n=5, cutoff=0.4)
    return close + [n for n in known if name.strip("*") and name.strip("*") in n and n not in close][:5]


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """What is said of a name that nothing answers to: the near ones, or all."""
    close = near(name, known)
    plural = {"family": "families", "framework": "devices", "variant": "devices"}.get(kind, f"{kind}s")
    hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(known)}"
    if kind in ("profile", "dtype", "mode", "output"):
        return f"unknown {kind} {name!r}: there are {', '.join(known)}"
    also = "; one of your own is named with --plugin as well" if kind == "framework" else ""
    return f"unknown {kind} {name!r}: {hint} (`conformance list {plural}` shows all{also})"
