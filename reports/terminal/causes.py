"""Causes in the terminal: what is wrong, a line each, worst first.

A line is cut to the width that there is: what matters most stands first in it. What was returned and what is
right is never left out: where it has no room beside the title it stands below. Whole, a cause is a few lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from rich.cells import cell_len
from rich.console import Console

from xent_conformance.reports.terminal.screen import Part, left, printed, say
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import cut, flat, listed, plural
from xent_conformance.reports.views.causes import Cause
from xent_conformance.reports.views.harm import Harm

SHOWN = 40

NAMED = 2
"""So many frameworks are named on a line; of more it says how many."""

_LEVEL = len("should")


def show(causes: Sequence[Cause], console: Console, *, limit: int = SHOWN, whole: bool = False) -> None:
    """How many there are and how many are explained, then each, worst first; ``whole``: in a few lines."""
    if not causes:
        say(console, ("no cause: nothing that has a name is wrong", "bold"))
        return
    explained = sum(c.verdicts for c in causes if c.hypothesis)
    total = sum(c.verdicts for c in causes)
    must = sum(c.level == "must" for c in causes)
    say(
        console, (f"{plural(len(causes), 'cause')} of {plural(total, 'broken verdict')}, worst first", "bold")
    )
    say(
        console,
        f"{must:,} must, {len(causes) - must:,} should; hypotheses explain {count(explained)} verdicts",
    )
    for cause in causes[:limit]:
        if whole:
            _whole(cause, console)
        else:
            _line(cause, console)
    left(console, len(causes) - limit, "cause", "`--format json` has all")


def _line(c: Cause, console: Console) -> None:
    """As many of its parts as there is room for; what was returned below, where it has none in the line."""
    room = console.width - _LEVEL - 2
    told = title = cut(printed(console, flat(c.title)), room)
    pair = f"returned {c.returned}, right {c.right}" if c.right else c.answer.sentence
    answers = (c.symptom,) if c.harm in (Harm.OTHER_BITS, Harm.CHANGED) else (c.answer.sentence, pair)
    below = ""
    for ways in (answers, (_where(c),), (plural(c.verdicts, "verdict"),), (c.id,)):
        longer = (printed(console, f"{told} · {flat(way)}") for way in ways)
        told = next((text for text in longer if cell_len(text) <= room), told)
        if ways is answers and told == title:
            below = printed(console, flat(answers[-1]))
    level: Part = (f"{c.level:<{_LEVEL}}", "bold" if c.level == "must" else "")
    say(console, level, f"  {told}")
    for line in wrap(below, max(room, 1)):
        say(console, f"{'':<{_LEVEL}}  {line}")


def _where(c: Cause) -> str:
    return listed(c.frameworks) if len(c.frameworks) <= NAMED else f"{len(c.frameworks)} frameworks"


def _whole(c: Cause, console: Console) -> None:
    say(console)
    say(console, (f"{c.level}  {c.title}", "bold"), f"  ({c.id})")
    if c.sentence:
        say(console, f"  {c.sentence}")
    alone = f"; none of {plural(c.conforming, 'verdict')} that conform contradicts it" if c.hypothesis else ""
    say(console, f"  clauses {', '.join(c.clauses)}: {c.symptom}; {c.harm.about}")
    say(
        console,
        f"  {plural(c.verdicts, 'verdict')} of {plural(len(c.implementations), 'implementation')} "
        f"({listed(c.frameworks)}; {', '.join(c.outputs)}; {', '.join(c.dtypes)}){alone}",
    )
    say(console, f"  worst: {flat(c.answered)}: {flat(c.answer.graded, 400)}")
    say(console, f"  {flat(c.worst)}")
