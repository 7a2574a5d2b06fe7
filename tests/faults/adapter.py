"""Faults, and the correct implementation they are made from, as an ordinary adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from blocks import CORRECT, Ask, Outputs
from seeded import FAULTS

from conformance.frameworks.interface import Implementation


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

    def run(
        self,
        implementation: Implementation,
        mode: str,
        device: str,
        logits: Any,
        labels: Any,
        cotangent: Any,
        outputs: Sequence[str],
    ) -> Mapping[str, Any]:
        scalar = cotangent.ndim == 1
        call: Callable[[Ask], Outputs] = implementation.call
        with np.errstate(all="ignore"):
            wide = None if labels is None else labels.astype(np.float64)
            c = cotangent.astype(np.float64)
            ask = Ask(logits.astype(np.float64), wide, c[:, None] if scalar else c, logits.dtype)
            found = call(ask)
            rounded = {o: found[o].astype(logits.dtype) for o in outputs}
        if scalar:
            rounded["value"] = rounded["value"][:, 0]
        return rounded
