"""The reference for a batch: certified outputs and their bounds, remembered on disk by content."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.table import Bounds
from xent_conformance.reference.cache import read_entry, write_entry
from xent_conformance.reference.exact.ball import PRECISIONS, Certified, certify
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import evaluate
from xent_conformance.reference.sources import of_truths


@dataclass(frozen=True)
class Truth:
    """What is right for one batch: an enclosure and a bound for each output, ``(rows, elements)``."""

    inputs: Inputs
    certified: Certified

    def enclosure(self, output: str) -> Enclosure:
        return self.certified.outputs[output]

    def bound(self, output: str) -> Bound:
        return self._bounds.of(output)

    @functools.cached_property
    def _bounds(self) -> Bounds:
        return Bounds(self.inputs, self._values, self.certified.sizes)

    @functools.cached_property
    def _values(self) -> dict[str, Floats]:
        return {name: e.approximate() for name, e in self.certified.outputs.items()}


class Oracle:
    """Answers with certified truth; ``computed`` and ``remembered`` count the batches of each kind.

    ``unkept``: why nothing is remembered for the next run, in words; empty where it is.
    """

    def __init__(self, cache: Path | None = None, *, precisions: Sequence[int] = PRECISIONS) -> None:
        self.cache = cache
        self.precisions = precisions
        self.computed = self.remembered = 0
        self.unkept = ""

    def truth(self, inputs: Inputs) -> Truth:
        """Certified outputs and bounds of ``inputs``, from the cache if it holds exactly these."""
        path = self.path(inputs)
        certified = read_entry(path) if path else None
        if certified is not None:
            self.remembered += 1
        else:
            self.computed += 1
            certified = certify(
                lambda i: evaluate(inputs.definition, inputs.row(i)), len(inputs), precisions=self.precisions
            )
            if path:
                self._keep(path, certified)
        return Truth(inputs, certified)

    def _keep(self, path: Path, certified: Certified) -> None:
        """A cache that cannot be written is none: what is certified is as right without it."""
        try:
            if not self.unkept:
                write_entry(path, certified)
        except OSError as error:
            why = error.strerror or error
            self.unkept = f"{self.cache} cannot be written ({why}): what is certified is not kept for later"

    def path(self, inputs: Inputs) -> Path | None:
        """Where their truth is remembered; None where it is not."""
        if self.cache is None or tuple(self.precisions) != PRECISIONS:
            return None
        return self.cache / of_truths() / f"{inputs.digest}.truth"
