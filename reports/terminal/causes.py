"""Causes in the terminal: what is wrong, said once, and where it is seen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from xent_conformance.reports.terminal.screen import left, say
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import listed, plural
from xent_conformance.reports.views.causes import Cause

SHOWN = 40


def show(causes: Sequence[Cause], console: Console, *, limit: int = SHOWN) -> None:
    """A headline, then a few lines a cause, those of must clauses first."""
    explained = sum(c.verdicts for c in causes if c.hypothesis)
    total = sum(c.verdicts for c in causes)
    say(
        console,
        f"{plural(len(causes), 'cause')} of {plural(total, 'broken verdict')}; "
        f"a hypothesis explains {count(explained)} of them, and none is contradicted",
    )
    for cause in causes[:limit]:
        _cause(cause, console)
    left(console, len(causes) - limit, "cause", "--json FILE has all")


def _cause(c: Cause, console: Console) -> None:
    what = c.hypothesis or "unexplained"
    say(console)
    say(console, (f"{c.level} {', '.join(c.clauses)}  ", "bold"), (what, "bold"), f": {c.symptom}")
    if c.sentence:
        say(console, f"  {c.sentence}")
    held = f", contradicted by 0 of {count(c.conforming)} that conform" if c.hypothesis else ""
    say(
        console,
        f"  {plural(c.verdicts, 'verdict')} of {plural(len(c.implementations), 'implementation')} "
        f"({listed(c.frameworks)}; {', '.join(c.outputs)}; {', '.join(c.dtypes)}){held}",
    )
    numbers = f": returned {c.returned}, right {c.right}" if c.returned else ""
    say(console, f"  worst: {c.answered}{numbers}")
    say(console, f"  {c.worst}")
