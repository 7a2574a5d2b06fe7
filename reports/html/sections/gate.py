"""The gate's decision as the page shows it: the verdict and why, what blocks, the warnings, the waivers.

Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from xent_conformance.reports.html.marks import Mark, cause_id
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.html.standing import (
    DECIDED,
    DETAIL_LIMIT,
    STATES,
    Waived,
    waived,
    waiver_id,
)
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import cut, listed, plural
from xent_conformance.reports.views.gate import FAILED, INVALID, Gate
from xent_conformance.reports.views.reasons import Kind, Reason
from xent_conformance.reports.views.waivers import Judged

LISTED = 200
"""Blocking reasons that the page lists; of more it says how many."""


@dataclass(frozen=True)
class Why:
    """One reason; ``link`` leads to the cause or the waiver that it is about, if the page has it."""

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

    told: str
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
    """``left`` says how many blocking reasons the list leaves out."""

    mark: Mark
    why: str
    answered: str
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
    elsewhere: str
    expiry: str
    accepts: str
    accepted: str
    shared: str


def decision(gate: Gate, causes: Collection[str]) -> Decision:
    """The decision in words, its reasons with links to the ``causes`` of the page that they are about."""
    blocking = _said_once([_why(r, causes) for r in gate.blocking])
    return Decision(
        mark=DECIDED[gate.status],
        why=_in_words(gate),
        answered=gate.answered_of_offered,
        command=gate.files.gate(),
        waive=gate.files.waive(),
        blocking=tuple(blocking[:LISTED]),
        number=count(len(blocking)),
        left=_more(len(blocking) - LISTED),
        warnings=tuple(Warned(w.told, _why(w.first, causes)) for w in gate.warned),
        against=listed(gate.against),
        changes=gate.changed() or "no pair of verdicts",
        states=tuple(_states([w for w in gate.waivers if not w.not_run])),
        waivers=count(sum(not w.not_run for w in gate.waivers)),
        elsewhere=_elsewhere([w for w in gate.waivers if w.not_run]),
        expiry=gate.expiry,
        accepts=f"{plural(gate.accepts, 'waiver')} {'accepts' if gate.accepts == 1 else 'accept'}",
        accepted=plural(gate.waived, "verdict"),
        shared="One that several accept is counted once here, and at each of them." if gate.shared else "",
    )


def view(material: Material) -> Decision | None:
    """The decision on the run; None where there is none."""
    return None if material.gate is None else decision(material.gate, material.titles)


def _more(reasons: int) -> str:
    return plural(reasons, "more reason") if reasons > 0 else ""


def _why(reason: Reason, causes: Collection[str]) -> Why:
    link = cause_id(reason.cause) if reason.cause in causes else ""
    link = waiver_id(reason.waiver) if reason.waiver else link
    return Why(
        kind=reason.kind,
        title=reason.title,
        link="unjudged" if reason.kind is Kind.UNDECIDED else link,
        verdicts=reason.counted,
        detail=cut(reason.detail, DETAIL_LIMIT),
        answer=reason.answered,
        command=reason.command,
    )


def _said_once(reasons: Sequence[Why]) -> list[Why]:
    """A detail that stands at the reason before is not said again."""
    before = ["", *(r.detail for r in reasons)]
    return [replace(r, detail="") if r.detail == b else r for r, b in zip(reasons, before, strict=False)]


def _in_words(gate: Gate) -> str:
    blocking, warnings = len(gate.blocking), len(gate.warnings)
    if gate.status == INVALID:
        return f"Evidence is missing, so nothing is decided: {plural(blocking, 'reason')}."
    rest = f" {gate.accepting}" if gate.waived else ""
    rest += f" {plural(warnings, 'warning')}." if warnings else ""
    if gate.status == FAILED:
        return f"{plural(blocking, 'reason')} {'blocks' if blocking == 1 else 'block'}.{rest}"
    parts = [f"every answer conforms to the must clauses{' or is waived' if gate.waived else ''}"]
    if gate.against:
        than = f"the baseline ({listed(gate.against)})"
        parts.append(f"no verdict is worse than in {than}{', unless it is waived' if gate.waived else ''}")
    parts.append("nothing that was asked is missing")
    return f"In the implementations users call, {listed(parts)}.{rest}"


def _states(waivers: Sequence[Judged]) -> Iterable[State]:
    """Those that accept or block one by one; those that were not evaluated by why not."""
    for state, mark in STATES.items():
        here = [waived(w) for w in waivers if w.state is state]
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


def _elsewhere(waivers: Sequence[Judged]) -> str:
    """Of frameworks that were not asked nothing can be said: they are counted."""
    if not waivers:
        return ""
    frameworks = listed(sorted({w.framework for w in waivers}))
    return f"{count(len(waivers))} more are of what was not asked ({frameworks})"


def _about(view: Decision) -> str:
    return f"{view.mark.word}; {view.accepts} {view.accepted}"


SECTION = Section("gate", "Gate and waivers", "gate.html", view, folded=True, about=_about)
