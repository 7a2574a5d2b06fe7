"""The first answer, in five lines: may it pass, what is wrong and how badly, the worst, the page, who."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.terminal import gate as terminal_gate
from xent_conformance.reports.terminal.run import not_installed
from xent_conformance.reports.terminal.screen import prose, say
from xent_conformance.reports.text.wording import flat, joined, plural
from xent_conformance.reports.views.causes import Cause
from xent_conformance.reports.views.gate import Gate


def show(
    run: Run, gate: Gate, causes: Sequence[Cause], page: str, file: str, where: str, console: Console
) -> None:
    """The decision; causes, the most harmful first; the worst of them; the files; who was asked."""
    terminal_gate.sentence(gate, console)
    prose(console, by_harm(causes, gate))
    if causes:
        prose(console, worst(causes[0]))
    say(console, ("the page: ", "bold"), f"{page} (the run file: {file})")
    prose(console, (joined("; ", [_asked(run, where), not_installed(run)]), "dim"))


def by_harm(causes: Sequence[Cause], gate: Gate) -> str:
    """``5 causes: 1 wrong for plain inputs, 4 less accurate; 2 break a must clause, 1 of which blocks``."""
    if not causes:
        return "no cause: nothing that has a name is wrong"
    counted = Counter(c.harm.brief for c in sorted(causes, key=lambda c: c.harm))
    told = ", ".join(f"{number:,} {brief}" for brief, number in counted.items())
    return f"{plural(len(causes), 'cause')}: {told}; {_must(causes, gate)}"


def _must(causes: Sequence[Cause], gate: Gate) -> str:
    """How many break a must clause, and what the gate makes of them; then what else blocks."""
    must, blocking = {c.id for c in causes if c.level == "must"}, {r.cause for r in gate.blocking}
    new, more = len(must & blocking), len({c.id for c in causes if c.level != "must"} & blocking)
    rest = f"; {more:,} of a should clause {_do('block', more)}" if more else ""
    said = f"{len(must):,} {_do('break', len(must))} a must clause" if must else "none breaks a must clause"
    if new:
        which = " and" if new == len(must) else f", {new:,} of which"
        return f"{said}{which} {_do('block', new)}{rest}"
    known = must and must <= {a.cause for a in gate.accepted}
    whole = "all known" if len(must) > 1 else "known"
    return f"{said}, {whole} to {gate.waiving}{rest}" if known else f"{said}{rest}"


def _do(verb: str, number: int) -> str:
    """``1 blocks``, ``2 block``."""
    return f"{verb}s" if number == 1 else verb


def worst(cause: Cause) -> str:
    """The first of the causes, with what was returned of its worst case."""
    pair = f"returned {cause.returned}, right {cause.right}" if cause.right else cause.answer.sentence
    return flat(f"the worst: {cause.title}: {cause.answered} {pair}")


def _asked(run: Run, where: str) -> str:
    header = run.header
    profile, seconds = header["selection"]["profile"], header["seconds"]["total"]
    return f"asked: {', '.join(run.tested)}, {profile}, in {seconds:.0f} s, by {where}"
