"""What the gate's decision means for a finding: which waivers accept it, and whether it fails the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import Mark, anchor, finding_id, of_called
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import plural

Told = Mapping[str, Any]


DETAIL_LIMIT = 600
"""Characters shown of why."""


_STATES = {
    "worsened": Mark("✕", "worsened", "m"),
    "expired": Mark("✕", "expired", "m"),
    "stale": Mark("✕", "stale", "m"),
    "unmatched": Mark("✕", "unmatched", "m"),
    "accepts": Mark("●", "accepts", "k"),
    "better than known": Mark("●", "better than known", "k"),
    "not evaluated": Mark("–", "not evaluated", "u"),
}
"""What blocks stands first."""


_OF_A_REASON = ("framework", "version", "implementation", "operator", "output", "clause", "symptom")


_OF_A_FINDING = (*_OF_A_REASON, "machine")


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


def standings(gate: Told, findings: pl.DataFrame) -> dict[str, Standing]:
    """By the id of a finding, what the gate makes of it; nothing of a finding that it does not speak of."""
    by_name = {w["name"]: _waived(w) for w in gate["waivers"]}
    accepted: dict[tuple[Any, ...], list[Told]] = {}
    for entry in gate.get("accepted", ()):
        accepted.setdefault(_key(entry, _OF_A_FINDING), []).append(entry)
    blocks: dict[tuple[Any, ...], bool] = {}
    for reason in gate["reasons"]:
        key = _key(reason, _OF_A_REASON)
        blocks[key] = blocks.get(key, False) or reason["blocking"]
    found = {}
    for row in of_called(findings).iter_rows(named=True):
        entries = [
            Accepted(f"{count(e['count'])} of {count(row['count'])}", by_name[e["waiver"]])
            for e in accepted.get(_key(row, _OF_A_FINDING), ())
        ]
        rows = sum(e["count"] for e in accepted.get(_key(row, _OF_A_FINDING), ()))
        standing = _standing(entries, row["count"] - rows, blocks.get(_key(row, _OF_A_REASON)))
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


def _key(row: Row, columns: Iterable[str]) -> tuple[Any, ...]:
    return tuple(row[c] for c in columns)


def _waiver_id(name: str) -> str:
    return anchor("w", name)


def _waived(waiver: Told) -> Waived:
    link = waiver["link"]
    return Waived(
        id=_waiver_id(waiver["name"]),
        name=waiver["name"],
        mark=_STATES[waiver["state"]],
        verdicts=count(waiver["rows"]) if waiver["rows"] else NOTHING,
        message=_cut(waiver["message"]),
        reason=waiver["reason"],
        # foreign text: nothing but an address of the web becomes a link
        url=link if link.startswith(("https://", "http://")) else "",
        link="nobody upstream documents or tracks it" if link == "none" else link,
        command=waiver["next"],
    )


def _cut(text: str) -> str:
    return text if len(text) <= DETAIL_LIMIT else f"{text[:DETAIL_LIMIT]}…"
