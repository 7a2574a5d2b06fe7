"""What the ways to compute an operator cost, in words: a sentence for all, and a few for each magnitude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from xent_conformance.reports.html.marks import STATUS, Mark
from xent_conformance.reports.run.words import NAIVE, Status
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import in_order, listed, words
from xent_conformance.reports.views.formulations import FORMULATIONS, Costs, Fared

_FAULTS = {
    "NaN": "NaN",
    "infinite where finite": "infinite",
    "beyond the stable bound": "beyond the bound",
    "a number where NaN": "number for NaN",
    "finite where infinite": "finite for ∞",
    "flushed to zero": "flushed to 0",
    "lost relative accuracy": "lost accuracy",
}
"""Short words for symptoms, worst first; others are shown as they are."""


def mark(fared: Fared) -> Mark:
    """The worst clause that is broken, with all that breaks it or a weaker one; else the grade."""
    faults = Counter(fared.must) + Counter(fared.should)
    if not faults:
        held = STATUS[Status.CONFORMS]
        return Mark(held.glyph, words(fared.grade), held.css)
    broken = STATUS[Status.BREAKS_MUST if fared.must else Status.BREAKS_SHOULD]
    told = [
        f"{_short(symptom)} {count(faults[symptom])}" for symptom in in_order(list(faults), list(_FAULTS))
    ]
    return Mark(broken.glyph, ", ".join(told), broken.css)


def sentence(costs: Costs) -> str:
    """Which ways stay accurate everywhere, and where the others break down first."""
    total: Counter[str] = Counter()
    fine: Counter[str] = Counter()
    lossy: Counter[str] = Counter()
    broken: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for way in (way for group in costs.groups for way in group.ways):
        number = len(way.implementations)
        total[way.formulation] += number
        first = next((i for i, fared in enumerate(way.fared) if fared and fared.must), None)
        if first is not None and (fared := way.fared[first]):
            found = (costs.magnitudes[first], frozenset(fared.must))
            broken.setdefault(way.formulation, []).extend([found] * number)
        elif any(fared and fared.should for fared in way.fared):
            lossy[way.formulation] += number
        else:
            fine[way.formulation] += number
    parts = [f"{_ways(fine, total, 'stays', 'stay') if fine else 'no way stays'} accurate at every magnitude"]
    if lossy:
        kept = _ways(lossy, total, "breaks", "break")
        parts.append(f"{kept} no must clause, but with relative accuracy lost or results flushed to zero")
    for formulation in in_order(list(broken), FORMULATIONS):
        here = _ways(Counter({formulation: len(broken[formulation])}), total, "breaks", "break")
        parts.append(f"{here} down, {_firsts(broken[formulation], costs.magnitudes)}")
    if NAIVE not in total:
        parts.append("no naive way was asked")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _ways(counter: Mapping[str, int], total: Mapping[str, int], one: str, many: str) -> str:
    """``3 of 5 fused and both composed ways stay``."""
    kinds = in_order(list(counter), FORMULATIONS)
    noun = "way" if total[kinds[-1]] == 1 else "ways"
    return (
        f"{listed([_share(counter[f], total[f], f) for f in kinds])} {noun} "
        f"{one if sum(counter.values()) == 1 else many}"
    )


def _share(number: int, total: int, formulation: str) -> str:
    if number < total:
        return f"{number} of {total} {formulation}"
    every = {1: "the only", 2: "both"}.get(total, f"all {total}")
    return f"{every} {formulation}"


def _firsts(found: Sequence[tuple[str, frozenset[str]]], magnitudes: Sequence[str]) -> str:
    """Where they break down first, and what came back there."""
    texts = []
    for magnitude in magnitudes:
        here = [faults for first, faults in found if first == magnitude]
        if here:
            symptoms = ", ".join(_short(s) for s in in_order(list(frozenset().union(*here)), list(_FAULTS)))
            number = f"{len(here)} " if len(here) < len(found) else ""
            texts.append(f"{number}first at {magnitude} ({symptoms})")
    return listed(texts)


def _short(symptom: str) -> str:
    return _FAULTS.get(symptom, symptom)
