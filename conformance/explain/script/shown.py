"""What a script shows: one element of one output of one call, or two answers that should be the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xent_conformance.cases.case import Batch, Case
from xent_conformance.discovery.framework import Seat
from xent_conformance.explain.script.again import Again
from xent_conformance.explain.script.pairs import Pair
from xent_conformance.explain.script.right import Right
from xent_conformance.frameworks.interface import Array, Implementation
from xent_conformance.reference.operators import MOVING
from xent_conformance.reports.run.words import Row

ALONE = ("torch", "keras-torch")
"""Frameworks that have bfloat16 and do without ``ml_dtypes``, which others need and bring with them."""


@dataclass(frozen=True)
class Shown:
    """One element of one output of one call. ``arrays`` and ``keywords`` are what the call is given."""

    batch: Batch
    case: Case
    seat: Seat
    implementation: Implementation
    mode: str
    device: str
    version: str
    row: Row
    right: Right
    arrays: Mapping[str, Array]
    keywords: Mapping[str, Any]
    shape: tuple[int, ...]
    """Of the output."""
    place: tuple[int | slice, ...]
    """Of the element in the output; a slice where it stands for many that should be equal."""
    dtype: np.dtype[Any]
    """Of what was returned."""
    repeated: int = 0
    """To so many rows the arrays are filled up, in turn; 0 for those there are."""
    pair: Pair | Again | None = None
    """Two answers that should have the same bits, where that is what is shown."""
    state: str = ""
    """How the call stands to gradients: one of ``GRADIENT_STATES``, or ``recorded``."""

    @property
    def output(self) -> str:
        return str(self.row["output"])

    @property
    def moving(self) -> bool:
        """Whether a derivative along a tangent is shown."""
        return self.output in MOVING

    @property
    def by_bits(self) -> bool:
        """Whether bfloat16 is given and compared by its bits: its framework does not bring ``ml_dtypes``."""
        return self.seat.name in ALONE

    @property
    def layout(self) -> str:
        return str(self.batch.form.layout)
