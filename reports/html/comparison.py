"""Two runs side by side as a page of its own: what became of every verdict, and nothing netted.

A pure function of what a comparison tells of the implementations that users call, and of the decision on an
upgrade, if there is one. The page decides nothing; the gate does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from xent_conformance.reports.html import comparison_head as head
from xent_conformance.reports.html import transitions
from xent_conformance.reports.html.marks import LEVEL, STATUS, Mark
from xent_conformance.reports.html.page import LIMIT, MESSAGE_LIMIT, Budget, environment, fitted
from xent_conformance.reports.html.standing import DECIDED
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import cut, dtypes_text, listed, plural, words
from xent_conformance.reports.views import comparison as views
from xent_conformance.reports.views.comparison import Change, Told
from xent_conformance.reports.views.gate import Gate

OPEN = (Change.REGRESSED, Change.MISSING, Change.NOT_COMPARABLE, Change.FIXED)
"""The verdict is another, or cannot be held against the one before: these stand open, the rest is folded."""

ENVIRONMENT = 200
"""Differences of the environments that are listed; of more the page says how many."""

ENVIRONMENT_TEXT = 400
"""Characters shown of one of them: how a framework was built can take pages."""


@dataclass(frozen=True)
class Side:
    """Which run it is."""

    name: str
    tested: str
    date: str
    profile: str
    suite: str
    verdicts: str


@dataclass(frozen=True)
class Changed:
    """A counter; ``link`` leads to its groups, and is empty where there are none."""

    mark: Mark
    number: str
    about: str
    link: str


@dataclass(frozen=True)
class Verdict:
    """One side of the worst case of a group; ``mark`` is None where that run has no verdict.

    ``element``: which of the row the number is. ``ulps`` is the number alone, or, where the error is larger
    than the number, its share of the bound.
    """

    mark: Mark | None
    symptom: str
    element: str
    got: str
    right: str
    ulps: str
    distance: str
    grade: str
    version: str
    message: str


@dataclass(frozen=True)
class Group:
    """Pairs that share implementation, output, clause and symptoms; the verdicts are those of the worst.

    ``unlike``: why its two numbers may not be read side by side; each then stands with its own right result.
    ``unshown``: what else changed, where the number did not.
    """

    implementation: str
    where: str
    operator: str
    output: str
    level: Mark | None
    clause: str
    title: str
    number: str
    dtypes: str
    worst: str
    before: Verdict
    now: Verdict
    unlike: str
    unshown: str
    command: str


@dataclass(frozen=True)
class Section:
    """The groups of one change; ``rank`` counts those of the sections before it; ``stands``: not folded."""

    id: str
    mark: Mark
    about: str
    number: str
    groups: tuple[Group, ...]
    total: int
    rank: int
    stands: bool

    def shown(self, budget: Budget) -> tuple[Group, ...]:
        """The groups for which the page has room."""
        return self.groups[: max(0, budget.opened - self.rank)]

    def left(self, budget: Budget) -> str:
        """How many groups the page leaves out; empty for none."""
        left_out = self.total - len(self.shown(budget))
        return plural(left_out, "group") if left_out else ""


def render_comparison(told: Told, gate: Gate | None = None, command: str = "", *, limit: int = LIMIT) -> str:
    """The page; the same comparison gives the same text. It opens with the decision, where there is one.

    ``command`` makes the page again: it stands beside the decision.

    Of more than ``limit`` bytes it lists fewer groups, the last of the last change first, and says so.
    """
    sections = tuple(_sections(told))
    mark, sentence = head.state(told) if gate is None else (DECIDED[gate.status], gate.sentence)
    more = len(told.environment) - ENVIRONMENT
    whole: dict[str, Any] = {
        "title": head.title(told.old, told.new),
        "answer": head.answer(told, gate),
        "mark": mark,
        "sentence": sentence,
        "command": command or head.DECIDES,
        "elsewhere": gate.elsewhere if gate else "",
        "reasons": [head.reason_text(r) for r in gate.blocking[: head.REASONS]] if gate else [],
        "decides": head.DECIDES if gate is None else "",
        "tiles": head.tiles(told),
        "result": head.result(told),
        "sides": (_side("Before", told.old), _side("Now", told.new)),
        "environment": [_difference(d) for d in told.environment[:ENVIRONMENT]],
        "more": plural(more, "more difference") if more > 0 else "",
        "counters": [_counter(told, change) for change in Change],
        "equation": " + ".join(count(told.counts[c]) for c in Change) + f" = {count(told.pairs)}",
        "transitions": transitions.table(told.transitions),
        "differences": plural(len(told.environment), "difference"),
        "apart": listed([f"{count(told.counts[c])} {c}" for c in views.APART]),
        "sections": sections,
        "same": plural(told.counts[Change.SAME], "verdict"),
        "about_same": Change.SAME.about,
    }
    template = environment().get_template("compare.html")
    groups = sum(len(section.groups) for section in sections)
    return fitted(lambda budget: template.render(**whole, budget=budget), groups, limit)


def _side(name: str, side: views.Side) -> Side:
    return Side(
        name=name,
        tested=listed(side.tested) or "nothing",
        date=", ".join(side.created),
        profile=", ".join(side.profiles),
        suite=", ".join(side.suite),
        verdicts=count(side.verdicts),
    )


def _difference(d: views.Difference) -> tuple[str, str, str, str]:
    return d.who, d.what, cut(d.before, ENVIRONMENT_TEXT), cut(d.now, ENVIRONMENT_TEXT)


def _counter(told: Told, change: Change) -> Changed:
    number = told.counts[change]
    link = head.section_id(change) if number or change is Change.SAME else ""
    return Changed(head.CHANGES[change], count(number), change.about, link)


# --- the groups ---


def _sections(told: Told) -> Iterable[Section]:
    here = {change: told.groups[change] for change in views.LISTED if told.counts[change]}
    ranks = accumulate((len(groups.listed) for groups in here.values()), initial=0)
    for (change, groups), rank in zip(here.items(), ranks, strict=False):
        yield Section(
            id=head.section_id(change),
            mark=head.CHANGES[change],
            about=change.about,
            number=count(groups.pairs),
            groups=tuple(_group(g) for g in groups.listed),
            total=groups.total,
            rank=rank,
            stands=change in OPEN,
        )


def _group(group: views.Group) -> Group:
    before, now = (_verdict(side) for side in (group.before, group.now))
    return Group(
        implementation=group.implementation,
        where="; ".join(group.targets),
        operator=group.operator,
        output=words(group.output),
        level=LEVEL.get(group.level),
        clause=group.clause,
        title=group.title,
        number=count(group.count),
        dtypes=dtypes_text(group.dtypes),
        worst=f"{group.case}, {group.mode} on {group.device}",
        before=before,
        now=now,
        unlike=group.unlike,
        unshown=group.unshown,
        command=group.command,
    )


def _verdict(side: views.Verdict | None) -> Verdict:
    if side is None:
        return Verdict(None, "", "", NOTHING, NOTHING, NOTHING, "", "", "", "")
    answer = side.answer
    return Verdict(
        mark=STATUS[side.status],
        symptom=side.fault,
        element="" if side.element is None else f"element {side.element}",
        got=answer.returned,
        right=answer.right or NOTHING,
        ulps=answer.share or answer.error or NOTHING,
        distance=answer.distance,
        grade=words(answer.grade) if answer.right else "",
        version=f"{side.version} on {side.machine}",
        message=cut(answer.message, MESSAGE_LIMIT),
    )
