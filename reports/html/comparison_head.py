"""The first screen of a comparison: may I upgrade, what is worse and what is better, in numbers and in words.

It decides nothing: the answer is the gate's, where there is a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xent_conformance.reports.html.marks import Mark
from xent_conformance.reports.html.page import MESSAGE_LIMIT
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.numbers import NOTHING, count, per_cent
from xent_conformance.reports.text.wording import cut, listed, plural, what_moved
from xent_conformance.reports.views import comparison as views
from xent_conformance.reports.views.comparison import Change, Told
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Reason

CHANGES: Mapping[Change, Mark] = {
    Change.REGRESSED: Mark("▼", Change.REGRESSED, "m"),
    Change.MISSING: Mark("∅", Change.MISSING, "m"),
    Change.NOT_COMPARABLE: Mark("≠", Change.NOT_COMPARABLE, "x"),
    Change.DRIFTED: Mark("↗", Change.DRIFTED, "s"),
    Change.FIXED: Mark("●", Change.FIXED, "k"),
    Change.IMPROVED: Mark("↘", Change.IMPROVED, "k"),
    Change.BITS: Mark("~", Change.BITS, "o"),
    Change.ADDED: Mark("+", Change.ADDED, "o"),
    Change.SAME: Mark("=", Change.SAME, "u"),
}

BAD = (Change.REGRESSED, Change.MISSING, Change.NOT_COMPARABLE)

DECIDES = "conformance gate NEW.parquet --baseline OLD.parquet"
"""What decides on two runs: a comparison alone does not."""

REASONS = 5
"""Reasons of the decision that the page opens with."""


def section_id(change: Change) -> str:
    """Where the page has the groups of a change."""
    return change.replace(" ", "-")


def answer(told: Told, gate: Gate | None) -> str:
    """Whether to upgrade, in a sentence; without a decision, whether anything is worse."""
    return gate.answer if gate else _STATED[state(told)[0].word]


_STATED = {
    "worse": "Some verdicts are worse.",
    "not all is there": "Not all of it can be compared.",
    "no worse": "No verdict is worse.",
    "nothing to compare": "There is nothing to compare.",
}
"""By what a comparison comes to."""


@dataclass(frozen=True)
class Tile:
    """One number of the first screen; ``link`` leads to what it counts, or to all of them."""

    number: str
    mark: Mark | None
    about: str
    link: str


def tiles(told: Told) -> tuple[Tile, ...]:
    """What is worse, what is better, what cannot be compared, and how much has the same bits."""

    def tile(change: Change, about: str) -> Tile:
        number = told.counts[change]
        return Tile(count(number), CHANGES[change], about, section_id(change) if number else "changes")

    worst = Status.BREAKS_MUST
    must = sum(t.count for t in told.transitions if t.now is worst and t.before is not worst)
    apart = {change: told.counts[change] for change in (Change.MISSING, Change.NOT_COMPARABLE, Change.ADDED)}
    same, number = told.counts[Change.SAME], sum(apart.values())
    return (
        tile(Change.REGRESSED, f"verdicts are worse; {count(must)} break a must clause that did not"),
        tile(Change.FIXED, "verdicts are better"),
        Tile(
            per_cent(same, told.pairs) if told.pairs else NOTHING,
            None,
            f"of {plural(told.pairs, 'verdict')} have the same bits, or the same refusal",
            "same",
        ),
        Tile(
            count(number),
            None,
            f"stand apart: {', '.join(f'{count(n)} {change}' for change, n in apart.items())}",
            next((section_id(change) for change, n in apart.items() if n), "counts"),
        ),
    )


def reason_text(reason: Reason) -> tuple[str, str, str]:
    """What blocks, why, and what shows it."""
    return f"{reason.kind}: {reason.title_counted}", cut(reason.detail, MESSAGE_LIMIT), reason.command


def title(old: views.Side, new: views.Side) -> str:
    """What against what: only what is not the same, where something is."""
    again = f"{listed(new.tested) or 'nothing'}: the same versions in two runs"
    return what_moved(old.tested, new.tested) or again


def state(told: Told) -> tuple[Mark, str]:
    """Whether anything is worse, or cannot be said to be no worse; in words."""
    if not told.pairs:
        return Mark("✕", "nothing to compare", "m"), "Neither run has a verdict."
    regressed = told.counts[Change.REGRESSED]
    if regressed:
        return Mark("✕", "worse", "m"), f"{plural(regressed, 'verdict')} regressed; they stand first."
    if any(told.counts[c] for c in BAD):
        missing = "What is missing or not comparable is not shown to be as good as before."
        return Mark("✕", "not all is there", "m"), missing
    return Mark("●", "no worse", "k"), "No verdict regressed, is missing or is not comparable."


def result(told: Told) -> str:
    """Every change that there is, each by itself."""
    if told.pairs and told.counts[Change.SAME] == told.pairs:
        return f"The same, to the bit: {plural(told.pairs, 'verdict')}."
    return f"{listed(told.changed)}. None makes up for another." if told.changed else "Nothing was compared."
