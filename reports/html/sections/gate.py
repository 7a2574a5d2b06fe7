"""The gate's decision as the page shows it: the verdict and why, what it means for a finding, the waivers.

Nothing is decided here: all comes from what the gate tells (``Gate.as_dict()``). A decision may bear two keys
more, ``command`` and ``waive``: the commands that decide again and that write stubs for what is not waived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import Mark, finding_id, of_called
from xent_conformance.reports.html.standing import (
    _OF_A_REASON,
    _STATES,
    Told,
    Waived,
    _cut,
    _key,
    _waived,
    _waiver_id,
)
from xent_conformance.reports.text.numbers import count, ulps
from xent_conformance.reports.text.wording import listed, plural, words

IN_THE_BANNER = 5
"""Blocking reasons that the first screen shows."""

LISTED = 200
"""Blocking reasons that the page lists; of more it says how many."""


_MARKS = {
    0: Mark("●", "gate passed", "k"),
    1: Mark("✕", "gate failed", "m"),
    3: Mark("◆", "no decision", "x"),
}


@dataclass(frozen=True)
class Why:
    """One reason; ``link`` leads to the finding or the waiver that it is about, if there is one."""

    kind: str
    title: str
    link: str
    verdicts: str
    detail: str
    answer: str
    command: str


@dataclass(frozen=True)
class Warned:
    """All warnings of one kind, with the first of them."""

    number: str
    kind: str
    first: Why


@dataclass(frozen=True)
class State:
    """The waivers of one state; ``together``: those that share a message, which then stands once."""

    mark: Mark
    number: str
    waivers: tuple[Waived, ...]
    together: tuple[tuple[str, tuple[Waived, ...]], ...]


@dataclass(frozen=True)
class Decision:
    """``more`` and ``left`` say how many blocking reasons the banner and the list leave out."""

    mark: Mark
    why: str
    first: tuple[Why, ...]
    more: str
    command: str
    waive: str
    blocking: tuple[Why, ...]
    number: str
    left: str
    warnings: tuple[Warned, ...]
    against: str
    changes: str
    states: tuple[State, ...]
    waivers: str
    accepted: str


def decision(gate: Told, findings: pl.DataFrame) -> Decision:
    """The decision in words, its reasons with links to the findings that they are about."""
    links = _links(gate, findings)
    blocking = _said_once([_why(r, links) for r in gate["reasons"] if r["blocking"]])
    changes = [f"{count(number)} {what}" for what, number in gate["changes"].items() if number]
    states = tuple(_states(gate["waivers"]))
    return Decision(
        mark=_MARKS[gate["status"]],
        why=_in_words(gate, len(blocking)),
        first=tuple(blocking[:IN_THE_BANNER]),
        more=plural(len(blocking) - IN_THE_BANNER, "more reason") if len(blocking) > IN_THE_BANNER else "",
        command=gate.get("command", "conformance gate RUN.parquet"),
        waive=f"{gate.get('waive', 'conformance waive RUN.parquet')} -o new-waivers.toml",
        blocking=tuple(blocking[:LISTED]),
        number=count(len(blocking)),
        left=plural(len(blocking) - LISTED, "more reason") if len(blocking) > LISTED else "",
        warnings=tuple(_warnings(gate, links)),
        against=listed(gate["against"]),
        changes=", ".join(changes) or "no pair of verdicts",
        states=states,
        waivers=count(len(gate["waivers"])),
        accepted=plural(gate["waived"], "verdict"),
    )


def _links(gate: Told, findings: pl.DataFrame) -> dict[tuple[Any, ...], str]:
    """Where a reason leads: by what it is about, or by its title where that is a waiver."""
    found: dict[tuple[Any, ...], str] = {
        (f"waiver {w['name']}: {w['state']}",): _waiver_id(w["name"]) for w in gate["waivers"]
    }
    for row in of_called(findings).iter_rows(named=True):
        found.setdefault(_key(row, _OF_A_REASON), finding_id(row))
    return found


def _why(reason: Told, links: Mapping[tuple[Any, ...], str]) -> Why:
    link = links.get((reason["title"],)) or links.get(_key(reason, _OF_A_REASON), "")
    number = "" if f"{reason['count']} verdicts" in reason["title"] else plural(reason["count"], "verdict")
    return Why(
        kind=reason["kind"],
        title=reason["title"],
        link="unjudged" if reason["kind"] == "undecided" else link,
        verdicts=number if reason["count"] else "",
        detail=_cut(reason["detail"]),
        answer=_answer(reason),
        command=reason["command"],
    )


def _said_once(reasons: Sequence[Why]) -> list[Why]:
    """A detail that stands at the reason before is not said again."""
    before = ["", *(r.detail for r in reasons)]
    return [replace(r, detail="") if r.detail == b else r for r, b in zip(reasons, before, strict=False)]


def _answer(reason: Told) -> str:
    """What was returned and what is right, of the worst case."""
    if not reason["got"]:
        return ""
    if not reason["right"]:
        return words(reason["got"])
    error = "" if reason["ulps"] is None else f", {ulps(reason['ulps'])} ulp"
    return f"returned {reason['got']}, right {reason['right']}{error}"


def _in_words(gate: Told, blocking: int) -> str:
    if gate["status"] == 3:
        return f"Evidence is missing, so nothing is decided: {plural(blocking, 'reason')}."
    waived, warnings = gate["waived"], len(gate["reasons"]) - blocking
    rest = f" Waivers accept {plural(waived, 'verdict')}." if waived else ""
    rest += f" {plural(warnings, 'warning')}." if warnings else ""
    if gate["status"] == 1:
        return f"{plural(blocking, 'reason')} {'blocks' if blocking == 1 else 'block'}.{rest}"
    parts = [f"every must clause holds{' or is waived' if waived else ''}"]
    if gate["against"]:
        than = f"the baseline ({listed(gate['against'])})"
        parts.append(f"no verdict is worse than in {than}{', unless it is waived' if waived else ''}")
    parts.append("nothing that was asked is missing")
    return f"In the implementations users call, {listed(parts)}.{rest}"


def _warnings(gate: Told, links: Mapping[tuple[Any, ...], str]) -> Iterable[Warned]:
    warnings = [r for r in gate["reasons"] if not r["blocking"]]
    for kind, number in Counter(r["kind"] for r in warnings).items():
        first = next(r for r in warnings if r["kind"] == kind)
        yield Warned(count(number), kind, _why(first, links))


def _states(waivers: Sequence[Told]) -> Iterable[State]:
    """Those that accept or block one by one; those that were not evaluated by why not."""
    for state, mark in _STATES.items():
        here = [_waived(w) for w in waivers if w["state"] == state]
        together: dict[str, list[Waived]] = {}
        for w in here:
            together.setdefault(w.message, []).append(w)
        if here:
            yield State(
                mark,
                count(len(here)),
                tuple(here),
                tuple((message, tuple(found)) for message, found in together.items()),
            )
