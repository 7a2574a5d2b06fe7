"""What a sweep has found, in words: of which output, where it is worst, how far off the rest is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import count


def name(part: Mapping[str, Any]) -> str:
    """``value, label 1``."""
    return part["output"] if part["label"] is None else f"{part['output']}, label {part['label']}"


def maximum(part: Mapping[str, Any], *, exhaustive: bool) -> str:
    """The largest error of a number and where it is."""
    at = part["maximum"]
    if at is None:
        return "no number was due"
    word = "true maximum" if exhaustive else "largest so far"
    return f"{word} {numbers.ulps(at['ulps'])} ulp at {where(at)}: {at['got']}, and {at['right']} is right"


def where(at: Mapping[str, Any]) -> str:
    """``-89 (0xc2b2)``; of two classes which of them."""
    logits = ", ".join(at["logits"])
    return f"{logits} ({at['bits']})" + (f", class {at['element']}" if len(at["logits"]) > 1 else "")


def histogram(powers: Mapping[str, int]) -> str:
    """``1 to 2 ulp 99 · 2 to 4 ulp 52``."""
    said: Sequence[str] = [
        f"{numbers.ulps(2.0 ** int(p))} to {numbers.ulps(2.0 ** (int(p) + 1))} ulp {count(n)}"
        for p, n in powers.items()
    ]
    return " · ".join(said)
