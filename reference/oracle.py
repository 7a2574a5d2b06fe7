"""The reference for a batch: certified outputs and their bounds, remembered on disk by content.

A cache entry is named by the batch's digest and the version of the reference's own source, carries a
checksum over name and content, and is recomputed when anything about it does not fit: it is never
trusted and never an error.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.table import bound
from xent_conformance.reference.cache import packed, unpacked
from xent_conformance.reference.exact.ball import PRECISIONS, Certified, certify
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import evaluate

_FIELDS = ("hi", "lo", "radius", "exponent")

SOURCES = (
    "attributes.py",
    "ball.py",
    "derivatives.py",
    "enclosure.py",
    "operators.py",
    "reductions.py",
    "row.py",
    "sigmoid_family.py",
    "softmax_family.py",
    "stable_parts.py",
)
"""The files that decide reference values."""


@dataclass(frozen=True)
class Truth:
    """What is right for one batch: an enclosure and a bound for each output, ``(rows, elements)``."""

    inputs: Inputs
    certified: Certified

    def enclosure(self, output: str) -> Enclosure:
        return self.certified.outputs[output]

    def bound(self, output: str) -> Bound:
        return bound(self.inputs, output, self._values, self.certified.sizes)

    @functools.cached_property
    def _values(self) -> dict[str, Floats]:
        return {name: e.approximate() for name, e in self.certified.outputs.items()}


class Oracle:
    """Answers with certified truth; ``computed`` and ``remembered`` count the batches of each kind."""

    def __init__(self, cache: Path | None = None, *, precisions: Sequence[int] = PRECISIONS) -> None:
        self.cache = cache
        self.precisions = precisions
        self.computed = self.remembered = 0

    def truth(self, inputs: Inputs) -> Truth:
        """Certified outputs and bounds of ``inputs``, from the cache if it holds exactly these."""
        path = self._path(inputs)
        certified = _read(path) if path else None
        if certified is not None:
            self.remembered += 1
        else:
            self.computed += 1
            certified = certify(
                lambda i: evaluate(inputs.definition, inputs.row(i)), len(inputs), precisions=self.precisions
            )
            if path:
                _write(path, certified)
        return Truth(inputs, certified)

    def _path(self, inputs: Inputs) -> Path | None:
        if self.cache is None or tuple(self.precisions) != PRECISIONS:
            return None
        return self.cache / version() / f"{inputs.digest}.truth"


def default_cache() -> Path:
    """Where truths are remembered between runs (the platform's cache directory)."""
    return Path(platformdirs.user_cache_dir("xent-conformance")) / "reference"


@functools.cache
def version() -> str:
    """Hash of the source that decides reference values: any change of it empties the cache."""
    here = Path(__file__).parent
    h = hashlib.sha256()
    for name in SOURCES:
        h.update((here / name).read_bytes())
    return h.hexdigest()[:16]


def _write(path: Path, certified: Certified) -> None:
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {"undecided": certified.undecided}
    for name, enclosure in certified.outputs.items():
        arrays |= {f"{name}.{field}": getattr(enclosure, field) for field in _FIELDS}
    arrays |= {f"{name}.size": array for name, array in certified.sizes.items()}
    body = packed(arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as f:
        f.write(hashlib.sha256(path.stem.encode() + body).digest() + body)
    Path(temporary).replace(path)


def _read(path: Path) -> Certified | None:
    """The entry at ``path``, or None if it is absent, torn or not what its checksum says."""
    try:
        blob = path.read_bytes()
    except OSError:
        return None
    checksum, body = blob[:32], blob[32:]
    if hashlib.sha256(path.stem.encode() + body).digest() != checksum:
        return None
    try:
        arrays = unpacked(body)
    except ValueError:
        return None
    outputs = {n.removesuffix(".hi") for n in arrays if n.endswith(".hi")}
    return Certified(
        {o: Enclosure(*(arrays[f"{o}.{field}"] for field in _FIELDS)) for o in sorted(outputs)},
        {n.removesuffix(".size"): a for n, a in arrays.items() if n.endswith(".size")},
        arrays["undecided"].astype(bool),
    )
