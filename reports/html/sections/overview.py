"""The first screen: the verdict in a sentence, what to know before one chooses, and the scorecard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.card import Card, card
from xent_conformance.reports.html.marks import STATUS, Mark, anchor, cause_id
from xent_conformance.reports.html.section import Material
from xent_conformance.reports.html.sections.environment import workers
from xent_conformance.reports.html.standing import DECIDED
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import JUDGED, NAIVE, OWN, Status
from xent_conformance.reports.text.asked import narrowed, not_asked, older
from xent_conformance.reports.text.numbers import NOTHING, count, per_cent
from xent_conformance.reports.text.wording import capital, cut, listed, plural
from xent_conformance.reports.views.gate import FAILED, PASSED, Gate
from xent_conformance.reports.views.know import know
from xent_conformance.reports.views.reasons import Reason
from xent_conformance.reports.views.scorecard import scorecard
from xent_conformance.reports.views.settings import devices_of

FIRST = 5
"""Blocking reasons that the first screen shows."""

DETAIL = 200
"""Characters of why that it shows of each."""


@dataclass(frozen=True)
class Tile:
    """A number for a part of the page, and where that is; ``parts`` are marks with their numbers."""

    parts: tuple[tuple[Mark | None, str], ...]
    about: str
    link: str


@dataclass(frozen=True)
class Know:
    """One thing to know before one chooses."""

    mark: Mark
    what: str
    joint: str
    sentence: str
    link: str


@dataclass(frozen=True)
class Decided:
    """The verdict: the sentence, the pill, what follows, the reasons that block (title, detail, link)."""

    title: str
    mark: Mark | None
    text: str
    reasons: tuple[tuple[str, str, str], ...]
    more: str
    command: str


@dataclass(frozen=True)
class Absent:
    """A framework that was asked for and could not be asked."""

    framework: str
    message: str
    install: str


@dataclass(frozen=True)
class Source:
    """One run file: where it ran and what of the plan it finished."""

    profile: str
    narrowed: str
    machine: str
    frameworks: tuple[str, ...]
    batches: tuple[str, ...]
    absent: tuple[Absent, ...]
    created: str
    suite: str
    corpus: str
    reference: str
    command: str


@dataclass(frozen=True)
class Head:
    """The first screen, and the sum at the foot of the page. ``sources``: one for each run file."""

    name: str
    asked: str
    decided: Decided
    tiles: tuple[Tile, ...]
    know: tuple[Know, ...]
    card: Card
    complete: bool
    completeness: str
    sources: tuple[Source, ...]
    footer: str


def view(material: Material) -> Head:
    """What stands above the causes. Raises ValueError for a status that no counter holds."""
    run = material.run
    complete = run.complete and run.verdicts.height > 0
    return Head(
        name=listed(run.tested) or "nothing was tested",
        asked=_asked(run),
        decided=_decided(material),
        tiles=_tiles(material),
        know=tuple(_know(material)),
        card=card(scorecard(run, material.naming.frameworks)),
        complete=complete,
        completeness=_completeness(run),
        sources=tuple(_source(h) for h in run.headers),
        footer=_footer(run),
    )


def _asked(run: Run) -> str:
    machines = dict.fromkeys(f["environment"]["processor"] for h in run.headers for f in h["frameworks"])
    devices = sorted({d for h in run.headers for f in h["frameworks"] for d in f["devices"]})
    asked = run.verdicts["device"].n_unique()
    labels = f" ({plural(asked, 'device label')})" if asked > len(devices) else ""
    profiles = dict.fromkeys(h["selection"]["profile"] for h in run.headers)
    days = dict.fromkeys(h["created"][:10] for h in run.headers)
    parts = [
        listed([_own(h) for h in run.headers if OWN in h]) or "Softmax, sigmoid and their cross-entropies",
        plural(run.verdicts["framework"].n_unique(), "framework"),
        f"{listed(list(machines)) or 'no worker started'}, {listed(devices) or 'no device'}{labels}",
        f"profile {listed(list(profiles))}",
        listed(list(days)),
        *(f"not asked: {left}" for h in run.headers if (left := not_asked(h))),
        *dict.fromkeys(f"not asked: {lack}" for h in run.headers for lack in older(h)),
    ]
    return " · ".join(parts)


def _own(header: Mapping[str, Any]) -> str:
    """A function of one's own, and as what it was asked: ``my_loss as sparse_softmax_cross_entropy``."""
    return f"{header[OWN]} as {listed(header['selection']['operators'])}"


def _decided(material: Material) -> Decided:
    must, should = _levels(material)
    said = f"{plural(must, 'cause')} of a broken must clause, {should} of a should clause."
    gate = material.gate
    if gate is None:
        return Decided(_ungated(material.run, must, should), None, f"{said} No gate was asked.", (), "", "")
    blocking = gate.blocking
    links = tuple((r.title_counted, cut(r.detail, DETAIL), _link(r)) for r in blocking[:FIRST])
    return Decided(
        title=_title(gate),
        mark=DECIDED[gate.status],
        text=_in_words(gate, said),
        reasons=links,
        more=plural(len(blocking) - FIRST, "more reason") if len(blocking) > FIRST else "",
        command=gate.files.gate(),
    )


def _ungated(run: Run, must: int, should: int) -> str:
    """The result in a sentence, where nothing was decided on it."""
    if run.verdicts.is_empty():
        return "No verdict was reached, so nothing is shown to conform."
    if run.verdicts.filter(pl.col("formulation") != NAIVE).is_empty():
        return "Only naive controls were asked."
    if must:
        return (
            f"{plural(must, 'thing')} {'is' if must == 1 else 'are'} wrong by a rule that leaves no choice."
        )
    return "No must clause is broken." if should else "No implementation that users call breaks a clause."


def _title(gate: Gate) -> str:
    if gate.status == PASSED:
        if gate.against:
            return f"{capital(gate.sentence)}."
        return "Nothing is wrong that was not known." if gate.waived else "No must clause is broken."
    if gate.status == FAILED:
        number = len(gate.blocking)
        return f"{plural(number, 'thing')} {'is' if number == 1 else 'are'} wrong, and not accepted."
    return "Evidence is missing, so nothing is decided."


def _in_words(gate: Gate, said: str) -> str:
    parts = [said, *([gate.accepting] if gate.waived else [])]
    if gate.warnings:
        number = len(gate.warnings)
        parts.append(f"{plural(number, 'warning')}, which {'does' if number == 1 else 'do'} not block.")
    if gate.status == PASSED:
        parts.append("Nothing that was asked is missing.")
    parts += [f"{capital(gate.elsewhere)}."] if gate.elsewhere else []
    return " ".join(parts)


def _link(reason: Reason) -> str:
    return cause_id(reason.cause) if reason.cause else "gate"


def _levels(material: Material) -> tuple[int, int]:
    must = sum(c.level == "must" for c in material.causes)
    return must, len(material.causes) - must


def _tiles(material: Material) -> tuple[Tile, ...]:
    run, (must, should) = material.run, _levels(material)
    called = run.verdicts.filter(pl.col("formulation") != NAIVE)
    by = dict(called["status"].value_counts().iter_rows())
    judged = sum(by.get(s, 0) for s in JUDGED)

    def number(status: Status) -> str:
        return count(by.get(status.value, 0))

    share = f"{100 * by.get(Status.CONFORMS.value, 0) / judged:.1f} %" if judged else NOTHING
    planned, finished = (sum(sum(h[key].values()) for h in run.headers) for key in ("planned", "finished"))
    return (
        Tile(
            ((STATUS[Status.BREAKS_MUST], count(must)), (STATUS[Status.BREAKS_SHOULD], count(should))),
            f"causes: must, should; {plural(material.called.height, 'finding')}, grouped",
            "causes",
        ),
        Tile(
            ((None, share),),
            f"of {plural(judged, 'judged answer')} conform; {number(Status.BREAKS_MUST)} break a must clause",
            "doors",
        ),
        Tile(
            ((None, number(Status.UNDECIDED)),),
            "answers that the reference could not certify; "
            f"{number(Status.OPEN)} open, {number(Status.UNSUPPORTED)} not offered",
            "unjudged",
        ),
        Tile(
            ((None, per_cent(finished, planned) if planned else NOTHING),),
            f"of {plural(planned, 'planned batch', 'es')} were answered, by {plural(workers(run), 'worker')}",
            "environment",
        ),
    )


def _know(material: Material) -> Sequence[Know]:
    marks = {"must": STATUS[Status.BREAKS_MUST], "should": STATUS[Status.BREAKS_SHOULD]}
    return [
        Know(
            marks.get(line.level, STATUS[Status.CONFORMS]),
            line.what,
            line.joint,
            line.sentence,
            cause_id(line.cause) if line.cause else anchor("op", line.operator),
        )
        for line in know(material.run, material.causes)
    ]


def _footer(run: Run) -> str:
    called = run.verdicts.filter(pl.col("formulation") != NAIVE)
    unknown = set(run.verdicts["status"].unique()) - set(STATUS)
    if unknown:
        raise ValueError(
            f"verdicts with unknown status {', '.join(sorted(unknown))}: no counter would hold them"
        )
    by = dict(called["status"].value_counts().iter_rows())
    parts = " + ".join(f"{count(by.get(status, 0))} {mark.word}" for status, mark in STATUS.items())
    naive = run.verdicts.height - called.height
    return (
        f"{parts} = {plural(called.height, 'verdict')} of the implementations that users call. "
        f"Naive controls: {count(naive)} more, counted apart. “Worst” is the worst found, not a bound."
    )


def _completeness(run: Run) -> str:
    planned = sum(sum(h["planned"].values()) for h in run.headers)
    if run.complete and not run.verdicts.is_empty():
        return f"All {plural(planned, 'planned batch', 'es')} were answered and no framework was absent."
    reasons = []
    for header in run.headers:
        absent = [a["framework"] for a in header["absent"]]
        if absent:
            reasons.append(f"{listed(absent)} {'was' if len(absent) == 1 else 'were'} absent")
        for name, number in header["planned"].items():
            done = header["finished"].get(name, 0)
            if done != number and name not in absent:
                reasons.append(f"{name} answered {count(done)} of {count(number)} batches")
    if run.verdicts.is_empty():
        reasons.append("there are no verdicts")
    return (
        f"Part of what was planned is missing: {'; '.join(reasons)}. What is missing is not shown to conform."
    )


def _source(header: Mapping[str, Any]) -> Source:
    selection = header["selection"]
    machines = {f["environment"]["processor"]: None for f in header["frameworks"]}
    return Source(
        profile=selection["profile"],
        narrowed=narrowed(selection),
        machine=listed(list(machines)) or "no worker started",
        frameworks=tuple(
            f"{f['framework']} {f['version']} on {listed(devices_of(f))}" for f in header["frameworks"]
        ),
        batches=tuple(
            f"{name} {count(header['finished'].get(name, 0))} of {count(number)}"
            for name, number in header["planned"].items()
        ),
        absent=tuple(Absent(a["framework"], a["message"], a["install"]) for a in header["absent"]),
        created=header["created"],
        suite=header["suite"],
        corpus=header["corpus"],
        reference=header["reference"],
        command=commands.ask_again(header),
    )
