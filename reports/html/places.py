"""How a place and a cause are called on the page: as short as they can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from xent_conformance.reports.html.marks import cause_id, clause_anchor
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.fair import Place


@dataclass(frozen=True)
class Link:
    """Words that lead somewhere on the page."""

    words: str
    id: str

    @classmethod
    def to_cause(cls, run: Run, cause: str, clause: str = "", symptom: str = "") -> Self:
        """To a cause; what no hypothesis explains is called by its clause and symptom.

        Where the run file names no cause, the clause is what there is to read.
        """
        hypothesis = run.causes.get(cause, {}).get("hypothesis", "")
        words = hypothesis or " ".join(filter(None, [clause, symptom])) or cause
        return cls(words, cause_id(cause) if cause else clause_anchor(clause))


def place_names(places: Sequence[Place], naming: Naming) -> dict[Place, str]:
    """The framework, with version, device and machine where they tell the places apart."""
    devices: dict[str, set[str]] = {}
    for place in places:
        devices.setdefault(place.framework, set()).add(place.device)
    return {
        place: " ".join(
            [
                place.framework,
                *([place.version] if place.framework in naming.many_versions else []),
                *([place.device] if len(devices[place.framework]) > 1 else []),
                *([place.machine] if naming.many_machines else []),
            ]
        )
        for place in places
    }


def place_words(place: Place, naming: Naming) -> str:
    """What stands beside the name of a framework: version, mode, device; the machine if there are more."""
    machine = [place.machine] if naming.many_machines else []
    return " · ".join([place.version, place.mode, place.device, *machine])
