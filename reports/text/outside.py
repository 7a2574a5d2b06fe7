"""What a header says of files of cases, in sentences: how right their answers are, and what is no case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xent_conformance.reports.run.words import FAULTS
from xent_conformance.reports.text.numbers import ulps
from xent_conformance.reports.text.wording import flat, plural

SHOWN = 5
"""Answers that are wrong, and tests that are no cases, so many of each."""


def told(file: Mapping[str, Any]) -> Iterator[str]:
    """The sentences about one file of a run."""
    claims: Sequence[Mapping[str, Any]] = file["claims"]
    if claims:
        yield _summary(claims)
    wrong = [c for c in claims if c["status"] in FAULTS]
    for claim in wrong[:SHOWN]:
        yield f"the file's own answer is {_off(claim)} in {claim['case']} (clause {claim['clause']})"
    if len(wrong) > SHOWN:
        yield f"and {plural(len(wrong) - SHOWN, 'more answer')} of its own"
    refused = file["refused"]
    if refused:
        yield f"{plural(len(refused), 'test')} of it cannot be asked"
        by_reason: dict[str, list[str]] = {}
        for name, reason in refused:
            by_reason.setdefault(flat(reason), []).append(flat(name))
        for reason, names in by_reason.items():
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield f"{', '.join(names[:SHOWN])}{more}: {reason}"


def _summary(claims: Sequence[Mapping[str, Any]]) -> str:
    right = sum(c["status"] not in FAULTS for c in claims)
    worst = max(claims, key=lambda c: c["ulps"])
    said = f"of the {plural(len(claims), 'row')} that it brings an answer to, {right} obey their clause"
    return f"{said}; the farthest is {_off(worst)}, {worst['case']}" if worst["ulps"] > 0 else said


def _off(claim: Mapping[str, Any]) -> str:
    """``3.2 ulps off``; where a NaN or an infinity is wrong there are no ulps."""
    if math.isfinite(claim["ulps"]):
        return f"{ulps(claim['ulps'])} ulp off"
    return f"{claim['got']}, where {claim['rounded']} is right"
