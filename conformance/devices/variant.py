"""A variant of a device: a setting that changes its arithmetic, ``cpu[isa=avx2]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """A device under a setting that changes its arithmetic.

    ``environment`` is set before the framework is imported. ``modes``: those it touches, none for all.
    ``needs``: a flag in ``/proc/cpuinfo`` without which the setting is what the machine does anyway.
    ``since``: the smallest profile that asks it unnamed, and asks it what ``quick`` asks of the device.
    ``device``: the kind of device that it is a setting of; one of another kind than ``cpu`` is asked where
    it is named, ``--device 'cuda[tf32]'``.
    ``transfers``: what of its answers is another machine's too, such as a GPU's; ``stays``: what is not. Both
    are empty where nobody would take the one for the other.
    """

    environment: Mapping[str, str]
    about: str
    modes: tuple[str, ...] = ()
    needs: str = ""
    since: str = "full"
    device: str = "cpu"
    transfers: str = ""
    stays: str = ""

    def told(self) -> dict[str, str]:
        """What a run file says of it to a reader."""
        return {"about": self.about, "transfers": self.transfers, "stays": self.stays}
