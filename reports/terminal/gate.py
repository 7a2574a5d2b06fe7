"""A decision in a terminal. A pure function of the decision.

The first line says all that a person in a hurry needs; the last line of a failure is the command that shows
its first reason, and the one before says how to accept what can be. Foreign text stays on its own line and
never starts one: a CI service takes some lines for commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from xent_conformance.reports.run import commands
from xent_conformance.reports.terminal.screen import left, prose, say
from xent_conformance.reports.text.wording import flat, joined
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Reason
from xent_conformance.reports.views.waivers import Judged, State

PASSED, STOPPED = "bold green", "bold red"
"""Of a decision; the words say it as well."""

BLOCKING = 5
"""Blocking reasons that are shown; the files that the gate writes hold all."""

NAMES = 3
"""Waivers of one state and message that are named."""


def show(
    gate: Gate,
    console: Console,
    *,
    notes: Sequence[str] = (),
    annotations: Sequence[str] = (),
    whole: bool = False,
    said: bool = False,
) -> None:
    """A decision; ``notes`` are printed before its last line. ``whole``: every reason, warning and waiver.

    ``annotations``: lines that a CI service is to obey. ``said``: its sentence stands above, before what else
    the command shows.
    """
    blocking = gate.blocking
    shown = len(blocking) if whole else BLOCKING
    if gate.elsewhere:
        say(console, flat(gate.elsewhere))
    if not said:
        sentence(gate, console)
    answered = f"; answered of what was offered: {gate.answered_of_offered}" if gate.answered else ""
    say(console, f"tested: {', '.join(gate.tested) or 'nothing'}{answered}")
    if gate.against:
        say(console, f"against: {', '.join(gate.against)}")
    say(console, f"verdicts: {gate.verdicts:,}", f" ({gate.counts})" if gate.counts else "")
    for number, reason in enumerate(blocking[:shown], 1):
        _reason(number, reason, console)
    left(
        console,
        len(blocking) - shown,
        "reason",
        "--verbose, --json FILE, --markdown FILE and --junit FILE hold all",
    )
    _warnings(gate, console, whole=whole)
    _waivers(gate, console, whole=whole)
    if gate.expiry:
        say(console, gate.expiry)
    if gate.changes:
        say(console, f"against the baseline: {gate.changed() or 'no pair'}")
    for note in notes:
        say(console, note)
    for line in annotations:
        console.print(Text(line), soft_wrap=True)
    stubs, then = gate.acceptance
    if stubs:
        say(console, f"to accept what blocks, after reading why: {flat(stubs)}; {then}")
    if blocking:
        say(console, flat(blocking[0].command))


def sentence(gate: Gate, console: Console) -> None:
    """The decision in a sentence: what a person in a hurry reads."""
    prose(console, (flat(gate.headline), STOPPED if gate.blocking else PASSED))


def _reason(number: int, reason: Reason, console: Console) -> None:
    say(console, (f"{number:>3}. {reason.kind}: {flat(reason.title_counted)}", "bold"))
    if reason.detail:
        say(console, f"     why: {flat(reason.detail, 400)}")
    where = joined(" · ", [flat(", ".join(reason.targets)), flat(", ".join(reason.dtypes))])
    told = joined("; ", [flat(reason.answered, 200), where])
    if told:
        say(console, f"     worst: {told}")
    if reason.case:
        say(console, f"     case: {flat(reason.case)}")
    say(console, f"     $ {flat(reason.command)}")


def _warnings(gate: Gate, console: Console, *, whole: bool) -> None:
    """By kind: how many, and the first of each; ``whole``: each."""
    if gate.warnings:
        say(console, f"warnings: {len(gate.warnings):,}")
    for warning in gate.warnings if whole else ():
        say(console, f"  {warning.kind}: {flat(warning.title_counted)}: {flat(warning.detail, 400)}")
    for warned in () if whole else gate.warned:
        first = flat(warned.first.title_counted)
        say(console, f"  {warned.told}; the first: {first}")


def _waivers(gate: Gate, console: Console, *, whole: bool) -> None:
    """How many accept; the others by state, those of one state and one message together; ``whole``: each."""
    if not gate.waivers:
        return
    states = Counter(w.state for w in gate.waivers)
    told = ", ".join(f"{number:,} {state}" for state, number in states.items())
    say(console, f"waivers: {told}; {gate.waived:,} verdicts accepted")
    for w in gate.waivers if whole else ():
        say(console, f"  {w.state}: {flat(w.name)} ({flat(w.framework)}): {flat(w.message, 400)}")
    if whole:
        return
    if gate.of_others:
        say(console, f"  {State.NOT_EVALUATED}: {flat(gate.of_others)}; next: {commands.line('run')}")
    together: dict[tuple[State, str, str], list[Judged]] = {}
    for w in gate.waivers:
        if w.state is not State.ACCEPTS and not w.not_run:
            together.setdefault((w.state, w.message, w.next), []).append(w)
    for (state, message, command), alike in together.items():
        more = f" and {len(alike) - NAMES:,} more" if len(alike) > NAMES else ""
        named = ", ".join(flat(w.name) for w in alike[:NAMES]) + more
        next_ = f"; next: {flat(command)}" if command else ""
        say(console, f"  {state}: {named}: {flat(message, 400)}{next_}")
