"""A cause: one thing that is wrong, wherever it shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong. ``id`` lasts from run to run: it is made of what it is, not of where it shows.

    ``hypothesis``, ``sentence`` and ``source`` are empty where none explains it. ``conforming`` rows of the
    same implementations, outputs and formats were held against the hypothesis, and none contradicts it.
    ``worst`` is the case whose error is the largest share of its bound, ``answered`` who answered it.
    """

    id: str
    hypothesis: str
    sentence: str
    source: str
    symptom: str
    level: str
    clauses: tuple[str, ...]
    operators: tuple[str, ...]
    outputs: tuple[str, ...]
    frameworks: tuple[str, ...]
    implementations: tuple[str, ...]
    dtypes: tuple[str, ...]
    verdicts: int
    conforming: int
    worst: str
    answered: str
    returned: str
    right: str
