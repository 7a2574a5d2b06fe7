"""What the decision means for one finding: which waivers accept it, and whether it fails the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import Mark, anchor, finding_id, of_called
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import cut, plural
from xent_conformance.reports.views.gate import (
    FAILED,
    INVALID,
    PASSED,
    Acceptance,
    Finding,
    Gate,
    Judged,
    State,
)

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
    PASSED: Mark("●", "gate passed", "k"),
    FAILED: Mark("✕", "gate failed", "m"),
    INVALID: Mark("◆", "no decision", "x"),
}
"""What was decided, by its exit status."""

_OF_A_REASON = Finding._fields
_OF_A_FINDING = (*_OF_A_REASON, "machine")

Cause = tuple[Any, ...]
"""What a reason and the findings that it is about share."""


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


@dataclass(frozen=True)
class Accepted:
    """How many rows of a finding one waiver accepts."""

    rows: str
    waiver: Waived


@dataclass(frozen=True)
class Standing:
    """What a finding means for the gate: ``word`` stands in its line, ``text`` where it opens.

    ``whole``: waivers accept all of it.
    """

    word: str
    text: str
    whole: bool
    accepted: tuple[Accepted, ...]


def standings(gate: Gate, findings: pl.DataFrame) -> dict[str, Standing]:
    """By the id of a finding, what the gate makes of it; nothing of a finding that it does not speak of."""
    by_name = {w.name: waived(w) for w in gate.waivers}
    accepted: dict[Cause, list[Acceptance]] = {}
    for entry in gate.accepted:
        accepted.setdefault(_key(vars(entry), _OF_A_FINDING), []).append(entry)
    blocks: dict[Cause, bool] = {}
    for reason in gate.reasons:
        for finding in reason.findings:
            blocks[finding] = blocks.get(finding, False) or reason.blocking
    found = {}
    for row in of_called(findings).iter_rows(named=True):
        here = accepted.get(_key(row, _OF_A_FINDING), [])
        entries = [Accepted(f"{count(e.count)} of {count(row['count'])}", by_name[e.waiver]) for e in here]
        left = row["count"] - sum(e.count for e in here)
        standing = _standing(entries, left, blocks.get(_key(row, _OF_A_REASON)))
        if standing is not None:
            found[finding_id(row)] = standing
    return found


def _standing(entries: Sequence[Accepted], left: int, blocks: bool | None) -> Standing | None:
    """``left`` rows are accepted by no waiver; ``blocks`` is None where no reason speaks of them."""
    if entries and left == 0:
        return Standing("waived", "", True, tuple(entries))
    if not entries and blocks is None:
        return None
    effect = "fails the gate" if blocks else "is a warning"
    what = f"the other {plural(left, 'row')}" if entries else "it"
    word = "fails the gate" if blocks else "waived in part" if entries else ""
    return Standing(word, f"{effect}: no waiver accepts {what}", False, tuple(entries))


def _key(row: Row, columns: Iterable[str]) -> Cause:
    return tuple(row[c] for c in columns)


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
