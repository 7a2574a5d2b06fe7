"""How a decision and its waivers stand on the page: marks, and addresses that may be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xent_conformance.reports.html.marks import Mark, anchor
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import cut
from xent_conformance.reports.views.gate import FAILED, INVALID, PASSED, SAID
from xent_conformance.reports.views.waivers import Judged, State

DETAIL_LIMIT = 600
"""Characters shown of why."""

STATES: Mapping[State, Mark] = {
    State.WORSENED: Mark("✕", State.WORSENED, "m"),
    State.EXPIRED: Mark("✕", State.EXPIRED, "m"),
    State.STALE: Mark("✕", State.STALE, "m"),
    State.UNMATCHED: Mark("✕", State.UNMATCHED, "m"),
    State.ACCEPTS: Mark("●", State.ACCEPTS, "k"),
    State.BETTER: Mark("●", State.BETTER, "k"),
    State.NOT_EVALUATED: Mark("–", State.NOT_EVALUATED, "u"),
}
"""What blocks stands first."""

DECIDED: Mapping[int, Mark] = {
    PASSED: Mark("●", SAID[PASSED], "k"),
    FAILED: Mark("✕", SAID[FAILED], "m"),
    INVALID: Mark("◆", SAID[INVALID], "x"),
}
"""What was decided, by its exit status."""


@dataclass(frozen=True)
class Waived:
    """One waiver; ``url`` is an address that can be opened, or empty."""

    id: str
    name: str
    mark: Mark
    verdicts: str
    message: str
    reason: str
    url: str
    link: str
    command: str


def waiver_id(name: str) -> str:
    """Where the page speaks of a waiver."""
    return anchor("w", name)


def waived(waiver: Judged) -> Waived:
    """A waiver as the page shows it."""
    link = waiver.link
    return Waived(
        id=waiver_id(waiver.name),
        name=waiver.name,
        mark=STATES[waiver.state],
        verdicts=count(waiver.rows) if waiver.rows else NOTHING,
        message=cut(waiver.message, DETAIL_LIMIT),
        reason=waiver.reason,
        # foreign text: nothing but an address of the web becomes a link
        url=link if link.startswith(("https://", "http://")) else "",
        link="nobody upstream documents or tracks it" if link == "none" else link,
        command=waiver.next,
    )
