"""The first answer, in five lines: may it pass, what is wrong by the harm that it does, where the page is."""

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
    prose(console, by_harm(causes))
    if causes:
        prose(console, worst(causes[0]))
    say(console, ("the page: ", "bold"), f"{page} (the run file: {file})")
    prose(console, (joined("; ", [_asked(run, where), not_installed(run)]), "dim"))


def by_harm(causes: Sequence[Cause]) -> str:
    """``5 causes, 2 of a must clause: 1 a wrong number for a plain input, 4 …``."""
    if not causes:
        return "no cause: nothing that has a name is wrong"
    must = sum(c.level == "must" for c in causes)
    harms = Counter(c.harm for c in causes)
    told = ", ".join(f"{number:,} {harm.about}" for harm, number in sorted(harms.items()))
    return f"{plural(len(causes), 'cause')}, {must:,} of a must clause: {told}"


def worst(cause: Cause) -> str:
    """The first of the causes, with what was returned of its worst case."""
    pair = f"returned {cause.returned}, right {cause.right}" if cause.right else cause.answer.sentence
    return flat(f"the worst: {cause.title}: {cause.answered} {pair}")


def _asked(run: Run, where: str) -> str:
    header = run.header
    profile, seconds = header["selection"]["profile"], header["seconds"]["total"]
    return f"asked: {', '.join(run.tested)}, {profile}, in {seconds:.0f} s, by {where}"
