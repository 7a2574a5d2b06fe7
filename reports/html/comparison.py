"""Two runs side by side as a page of its own: what became of every verdict, and nothing netted.

A pure function of what a comparison tells (``as_dict``) of the implementations
that users call. The page decides nothing; the gate does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from xent_conformance.reports.html.marks import LEVEL, STATUS, Mark
from xent_conformance.reports.html.page import LIMIT, Budget, environment, fitted
from xent_conformance.reports.html.sections.findings import MESSAGE_LIMIT
from xent_conformance.reports.run.commands import explain_command
from xent_conformance.reports.text.numbers import NOTHING, count, shortest, ulps
from xent_conformance.reports.text.wording import dtypes_text, in_order, listed, plural, words

View = Mapping[str, Any]

CHANGES = {
    "regressed": Mark("▼", "regressed", "m"),
    "missing": Mark("∅", "missing", "m"),
    "not comparable": Mark("≠", "not comparable", "x"),
    "drifted": Mark("↗", "drifted", "s"),
    "fixed": Mark("●", "fixed", "k"),
    "improved": Mark("↘", "improved", "k"),
    "bits changed": Mark("~", "bits changed", "o"),
    "added": Mark("+", "added", "o"),
    "same": Mark("=", "same", "u"),
}
"""Every change, in the order of the page."""

BAD = ("regressed", "missing", "not comparable")
FOLDED = ("bits changed", "added")
"""The verdict is what it was, or there was none: behind a line that opens."""

ENVIRONMENT = 200
"""Differences of the environments that are listed; of more the page says how many."""

ENVIRONMENT_TEXT = 400
"""Characters shown of one of them: how a framework was built can take pages."""

_RANK = {"conforms": 0, "open": 0, "unsupported": 1, "undecided": 1, "breaks_should": 2, "breaks_must": 3}
"""Worse is more: the order of the table of transitions, whose upper right half is then the worse one."""


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
class Cell:
    """Pairs of one status before and one now; ``css`` and ``word`` say on which side it stands."""

    number: str
    word: str
    css: str


@dataclass(frozen=True)
class Transition:
    mark: Mark
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True)
class Transitions:
    """Statuses before downwards, the same statuses now across; ``total`` pairs."""

    columns: tuple[Mark, ...]
    rows: tuple[Transition, ...]
    totals: tuple[str, ...]
    total: str


@dataclass(frozen=True)
class Verdict:
    """One side of the worst case of a group; ``mark`` is None where that run has no verdict."""

    mark: Mark | None
    symptom: str
    got: str
    right: str
    ulps: str
    grade: str
    version: str
    message: str


@dataclass(frozen=True)
class Group:
    """Pairs that share implementation, output, clause and symptoms; ``facts`` are those of the worst."""

    implementation: str
    where: str
    operator: str
    output: str
    level: Mark | None
    clause: str
    number: str
    dtypes: str
    case: str
    worst: str
    before: Verdict
    now: Verdict
    same_right: bool
    command: str


@dataclass(frozen=True)
class Section:
    """The groups of one change; ``rank`` counts the groups of the sections before it."""

    id: str
    mark: Mark
    about: str
    number: str
    groups: tuple[Group, ...]
    total: int
    rank: int
    folded: bool

    def shown(self, budget: Budget) -> tuple[Group, ...]:
        return self.groups[: max(0, budget.opened - self.rank)]

    def left(self, budget: Budget) -> str:
        """How many groups the page leaves out; empty for none."""
        cut = self.total - len(self.shown(budget))
        return plural(cut, "group") if cut else ""


def render_comparison(view: View, *, limit: int = LIMIT) -> str:
    """The page; the same view gives the same text.

    Of more than ``limit`` bytes it lists fewer groups, the last of the last change first, and says so.
    """
    sections = tuple(_sections(view))
    differing = view["environment"]
    whole: dict[str, Any] = {
        "title": _title(view["old"], view["new"]),
        "state": _state(view),
        "result": _result(view),
        "sides": (_side("Before", view["old"]), _side("Now", view["new"])),
        "environment": [_difference(e) for e in differing[:ENVIRONMENT]],
        "more": plural(len(differing) - ENVIRONMENT, "more difference")
        if len(differing) > ENVIRONMENT
        else "",
        "counters": [_counter(view, change) for change in CHANGES],
        "equation": " + ".join(count(view["counts"][c]) for c in CHANGES) + f" = {count(view['pairs'])}",
        "transitions": _transitions(view["transitions"]),
        "apart": listed([f"{count(view['counts'][c])} {c}" for c in ("missing", "added", "not comparable")]),
        "sections": sections,
        "same": plural(view["counts"]["same"], "verdict"),
        "about_same": view["about"]["same"],
    }
    template = environment().get_template("compare.html")
    groups = sum(len(section.groups) for section in sections)
    return fitted(lambda budget: template.render(**whole, budget=budget), groups, limit)


# --- the first screen ---


def _title(old: View, new: View) -> str:
    """What against what: only what is not the same, where something is."""
    gone = [name for name in old["tested"] if name not in new["tested"]]
    came = [name for name in new["tested"] if name not in old["tested"]]
    if gone or came:
        return f"{listed(gone) or 'nothing'} → {listed(came) or 'nothing'}"
    return f"{listed(new['tested']) or 'nothing'}: the same versions in two runs"


def _state(view: View) -> tuple[Mark, str]:
    """Whether anything is worse, or cannot be said to be no worse; in words."""
    counts = view["counts"]
    if not view["pairs"]:
        return Mark("✕", "nothing to compare", "m"), "Neither run has a verdict."
    if counts["regressed"]:
        return Mark(
            "✕", "worse", "m"
        ), f"{plural(counts['regressed'], 'verdict')} regressed; they stand first."
    if any(counts[c] for c in BAD):
        told = "What is missing or not comparable is not shown to be as good as before."
        return Mark("✕", "not all is there", "m"), told
    return Mark("●", "no worse", "k"), "No verdict regressed, is missing or is not comparable."


def _result(view: View) -> str:
    """Every change that there is, each by itself."""
    told = [f"{count(view['counts'][c])} {c}" for c in CHANGES if view["counts"][c]]
    if set(told) == {f"{count(view['pairs'])} same"}:
        return f"The same, to the bit: {plural(view['pairs'], 'verdict')}."
    return f"{listed(told)}. None makes up for another." if told else "Nothing was compared."


def _side(name: str, side: View) -> Side:
    return Side(
        name=name,
        tested=listed(side["tested"]) or "nothing",
        date=", ".join(side["created"]),
        profile=", ".join(side["profiles"]),
        suite=", ".join(side["suite"]),
        verdicts=count(side["verdicts"]),
    )


def _difference(entry: View) -> tuple[str, str, str, str]:
    before, now = (_cut(entry[side], ENVIRONMENT_TEXT) for side in ("before", "now"))
    return entry["who"], entry["what"], before, now


def _counter(view: View, change: str) -> Changed:
    number = view["counts"][change]
    link = "same" if change == "same" else _id(change) if number else ""
    return Changed(CHANGES[change], count(number), view["about"][change], link)


def _transitions(transitions: Sequence[View]) -> Transitions:
    found = {(t["before"], t["now"]): t["count"] for t in transitions}
    names = in_order(list({name for pair in found for name in pair}), list(_RANK))
    rows = tuple(
        Transition(
            _status(before),
            tuple(_cell(before, now, found.get((before, now), 0)) for now in names),
            count(sum(found.get((before, now), 0) for now in names)),
        )
        for before in names
    )
    totals = tuple(count(sum(found.get((before, now), 0) for before in names)) for now in names)
    return Transitions(tuple(_status(now) for now in names), rows, totals, count(sum(found.values())))


def _cell(before: str, now: str, number: int) -> Cell:
    change = _RANK.get(now, 0) - _RANK.get(before, 0)
    if not number:
        return Cell("0", "", "q m" if change > 0 else "q")
    if change > 0:
        return Cell(count(number), "▼ worse", "m")
    return Cell(count(number), "▲ better", "k") if change < 0 else Cell(count(number), "", "")


def _status(name: str) -> Mark:
    return STATUS.get(name, Mark("?", words(name), "u"))


# --- the groups ---


def _sections(view: View) -> Iterable[Section]:
    changes = [c for c in CHANGES if c != "same" and view["counts"][c]]
    here = [view["groups"][c] for c in changes]
    ranks = accumulate((len(groups["listed"]) for groups in here), initial=0)
    for change, groups, rank in zip(changes, here, ranks, strict=False):
        yield Section(
            id=_id(change),
            mark=CHANGES[change],
            about=view["about"][change],
            number=count(groups["pairs"]),
            groups=tuple(_group(g) for g in groups["listed"]),
            total=groups["groups"],
            rank=rank,
            folded=change in FOLDED,
        )


def _group(group: View) -> Group:
    worst = group["worst"]
    before, now = (_verdict(worst[side], worst["dtype"]) for side in ("before", "now"))
    return Group(
        implementation=group["implementation"],
        where="; ".join(group["targets"]),
        operator=group["operator"],
        output=words(group["output"]),
        level=LEVEL.get(group["level"]),
        clause=group["clause"] or "",
        number=plural(group["count"], "verdict"),
        dtypes=dtypes_text(group["dtypes"]),
        case=worst["case"],
        worst=f"{worst['case']}, {worst['mode']} on {worst['device']}",
        before=before,
        now=now,
        same_right=before.right == now.right,
        command=explain_command(worst["case"], group["implementation"]),
    )


def _verdict(side: View | None, dtype: str) -> Verdict:
    if side is None:
        return Verdict(None, "", NOTHING, NOTHING, NOTHING, "", "", "")
    said = side["grade"] not in ("none", "wrong_special")
    returned = side["grade"] != "none"
    return Verdict(
        mark=_status(side["status"]),
        symptom="" if side["symptom"] == "none" else side["symptom"],
        got=_number(side["got"], dtype) if returned else words(side["outcome"]),
        right=_number(side["right"], dtype) if returned else NOTHING,
        ulps=ulps(side["ulps"]) if said and side["ulps"] is not None else NOTHING,
        grade=words(side["grade"]) if returned else "",
        version=f"{side['version']} on {side['machine']}",
        message=_cut(side["message"], MESSAGE_LIMIT),
    )


def _number(text: str, dtype: str) -> str:
    return shortest(float(text), dtype)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"


def _id(change: str) -> str:
    return change.replace(" ", "-")
