"""How a place is called on the page: as short as it can be told from the others."""

from __future__ import annotations

from collections.abc import Sequence

from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.views.fair import Place


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
