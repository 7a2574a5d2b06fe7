"""How a place is called on the page: as short as it can be told from the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile

from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.text.wording import cut_inside, joined
from xent_conformance.reports.views.fair import Place


def place_names(places: Sequence[Place], naming: Naming) -> dict[Place, str]:
    """The framework, with version, device and machine where they tell the places apart."""
    apart = place_apart(places, naming)
    return {place: joined(" ", [place.framework, apart[place]]) for place in places}


def place_apart(places: Sequence[Place], naming: Naming) -> dict[Place, str]:
    """What tells a place from others of its framework: version, device, machine; empty for nothing."""
    devices: dict[str, set[str]] = {}
    for place in places:
        devices.setdefault(place.framework, set()).add(place.device)
    return {
        place: joined(
            " ",
            [
                place.version if place.framework in naming.many_versions else "",
                place.device if len(devices[place.framework]) > 1 else "",
                place.machine if naming.many_machines else "",
            ],
        )
        for place in places
    }


def place_words(place: Place, naming: Naming) -> str:
    """What stands beside the name of a framework: version, mode, device; the machine if there are more."""
    machine = [place.machine] if naming.many_machines else []
    return " · ".join([place.version, place.mode, place.device, *machine])


def short_names(places: Sequence[Place], naming: Naming, most: int) -> dict[Place, str]:
    """The same names in at most so many characters; no two are one that were two.

    What all places of a framework share is left out first, then the names of settings, then what stands
    before the last of them; what is too long even so loses its middle.
    """
    apart = place_apart(places, naming)
    found: dict[Place, str] = {}
    for framework in dict.fromkeys(place.framework for place in places):
        mine = [place for place in places if place.framework == framework]
        for way in _WAYS:
            short = way([apart[place] for place in mine], most - len(framework) - 1)
            names = [joined(" ", [framework, part]) for part in short]
            if len(set(names)) == len(mine) and all(len(name) <= most for name in names):
                break
        else:
            names = [joined(" ", [framework, apart[place]]) for place in mine]
        found |= zip(mine, names, strict=True)
    return _cut(found, most)


def _unshared(between: str) -> Callable[[Sequence[str], int], list[str]]:
    """What differs, word by word, where any of ``between`` ends a word."""
    word = re.compile(f"[^{between}]*[{between}]*")

    def differing(parts: Sequence[str], _: int) -> list[str]:
        words = [word.findall(part.removesuffix("]")) for part in parts]
        columns = (set(column) for column in zip(*words, strict=False))
        shared = sum(1 for _ in takewhile(lambda column: len(column) == 1, columns))
        return ["".join(w[shared:]) or part for w, part in zip(words, parts, strict=True)]

    return differing


def _last(parts: Sequence[str], room: int) -> list[str]:
    """The longest end of each that fits and begins where a word does."""
    return [
        part
        if len(part) <= room
        else max((end for end in _ends(part.removesuffix("]")) if len(end) <= room), key=len, default=part)
        for part in parts
    ]


def _ends(part: str) -> Iterable[str]:
    return (part[m.end() :] for m in re.finditer(r"[\[,= ]", part))


_WAYS: Sequence[Callable[[Sequence[str], int], Sequence[str]]] = (
    lambda parts, _: parts,
    _unshared(r"\[, "),
    _unshared(r"\[, ="),
    _last,
)
"""To shorten what tells the places of one framework apart, the gentlest first."""


def _cut(names: Mapping[Place, str], most: int) -> dict[Place, str]:
    """Without the middle where that is too long; the second of a name is told so."""
    found: dict[Place, str] = {}
    for place, name in names.items():
        short, number = cut_inside(name, most), 1
        while short in found.values():
            number += 1
            short = f"{cut_inside(name, most - len(f' ({number})'))} ({number})"
        found[place] = short
    return found
