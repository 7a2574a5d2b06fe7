"""Faults, and the correct implementation they are made from, as an ordinary adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from blocks import CORRECT, Ask, Outputs
from seeded import FAULTS

from conformance.frameworks.interface import Call, Implementation


def _implementations() -> tuple[Implementation, ...]:
    correct = [Implementation("correct", name, "composed", f) for name, f in CORRECT.items()]
    faults = [Implementation(f.name, f.operator, "composed", f.run, note=f.about) for f in FAULTS]
    return (*correct, *faults)


class Faults:
    """Computes in binary64 and rounds once to the dtype that was asked."""

    name = distribution = "faults"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    implementations = _implementations()

    def version(self) -> str:
        return "0"

    def environment(self) -> Mapping[str, str]:
        return {}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Any]:
        scalar, dtype = call.cotangent.ndim == 1, call.logits.dtype
        compute: Callable[[Ask], Outputs] = call.implementation.call
        with np.errstate(all="ignore"):
            labels = None if call.labels is None else call.labels.astype(np.float64)
            c = call.cotangent.astype(np.float64)
            found = compute(Ask(call.logits.astype(np.float64), labels, c[:, None] if scalar else c, dtype))
            rounded = {o: found[o].astype(dtype) for o in call.outputs}
        if scalar:
            rounded["value"] = rounded["value"][:, 0]
        return rounded
