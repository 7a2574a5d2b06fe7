"""A comparison of two runs in a terminal: environment, transitions, then every change by group, worst first.

A pure function of what the comparison tells. Nothing is netted.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from xent_conformance.reports.terminal.screen import left, say, table
from xent_conformance.reports.text.wording import flat, joined, plural
from xent_conformance.reports.views.comparison import LISTED, Change, Group, Told, Transition, Verdict

GROUPS = 8
"""Groups of one change that are shown."""

ENVIRONMENT = 40
"""Differences of the environments that are shown."""


def sentence(told: Told, console: Console) -> None:
    """How many pairs, and what became of them."""
    changed = ", ".join(told.changed) or "nothing to compare"
    say(console, (f"{plural(told.pairs, 'pair')}: {changed}", "bold"))


def show(told: Told, console: Console, *, notes: Sequence[str] = (), whole: bool = False) -> None:
    """It, a few groups of each change; ``notes`` are printed at the end. ``whole``: every group it has."""
    sentence(told, console)
    for name, side in (("before", told.old), ("now", told.new)):
        made = ", ".join(side.created)
        say(console, f"{name}: {', '.join(side.tested)} ({plural(side.verdicts, 'verdict')}, {made})")
    if told.environment:
        table(
            console,
            ("of", "what", "before", "now"),
            [(d.who, d.what, flat(d.before), flat(d.now)) for d in told.environment],
            title="environment: what is not the same",
            limit=ENVIRONMENT,
            rest="--json FILE holds them",
        )
    else:
        say(console, "environment: the same")
    _transitions(told.transitions, console)
    for change in LISTED:
        _groups(change, told, console, whole=whole)
    for note in notes:
        say(console, note)


def _transitions(transitions: Sequence[Transition], console: Console) -> None:
    """Verdicts before, downwards, by verdicts now, across."""
    if not transitions:
        return
    found = {(t.before, t.now): t.count for t in transitions}
    across = sorted({t.now for t in transitions})
    table(
        console,
        ("before", *(status.word for status in across)),
        [
            (before.word, *(f"{found[before, now]:,}" if (before, now) in found else "·" for now in across))
            for before in dict.fromkeys(t.before for t in transitions)
        ],
        title="verdicts before (down) and now (across)",
        right=[status.word for status in across],
    )


def _groups(change: Change, told: Told, console: Console, *, whole: bool) -> None:
    here = told.groups[change]
    if not here.pairs:
        return
    say(console, (f"{change}: {here.pairs:,} ({change.about})", "bold"))
    shown = len(here.listed) if whole else GROUPS
    for group in here.listed[:shown]:
        say(console, f"  {group.count:,} × {flat(_where(group))} ({group.level} {group.clause})")
        sides = (("before", group.before), ("now", group.now))
        worst = [f"{name} {flat(_said(side, group.unlike), 200)}" for name, side in sides if side]
        say(
            console, f"      worst: {'; '.join([*worst, *filter(None, [group.unshown])])}: {flat(group.case)}"
        )
    left(console, here.total - shown, "group", "--json FILE holds them")


def _where(group: Group) -> str:
    return f"{group.implementation} {group.output} {', '.join(group.targets)} {', '.join(group.dtypes)}"


def _said(verdict: Verdict, unlike: str) -> str:
    """A verdict in words, and what was returned; a symptom that says so itself is not said again.

    A number that may not be read beside the other side's has its element and its own right result with it.
    """
    returned = verdict.answer.returned
    if unlike:
        returned = f"element {verdict.element} {returned} (right {verdict.answer.right})"
    return joined(", ", [verdict.text, "" if returned == verdict.fault else returned])
