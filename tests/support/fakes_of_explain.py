"""Fakes with devices and settings: what is asked of them depends on how it is named."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from tests.support import fakes
from xent_conformance.frameworks.interface import Array, Call, Variant


class Varied(fakes.Exact):
    """Has two devices and a setting, under which every element is the next number above the right one."""

    variants: ClassVar = {"setting=odd": Variant({"FAKE_SETTING": "odd"}, "off by an ulp")}

    def devices(self) -> Sequence[str]:
        return ["cpu", "gpu:0"]

    def change(self, output: str, array: Array) -> Array:
        if os.environ.get("FAKE_SETTING") != "odd":
            return array
        return np.nextafter(array, np.array(np.inf, dtype=array.dtype))


class TwoModes(fakes.Exact):
    """Has a mode that takes long to compile, say."""

    modes: ClassVar = {"eager": "quick", "slow": "full"}


class Widens(fakes.Exact):
    """Mixed precision: a mode whose results are of a wider type than the logits."""

    widening = frozenset({"eager"})

    def run(self, call: Call) -> Mapping[str, Array]:
        return {output: array.astype(np.float64) for output, array in super().run(call).items()}


class MerelyStable(fakes.Exact):
    """The gradient of the probable class is right to five digits, as a difference of large numbers is."""

    def change(self, output: str, array: Array) -> Array:
        wrong = array * np.array([1 + 2.0**-15, 1.0], array.dtype)
        return wrong if output == "grad_logits" else array
