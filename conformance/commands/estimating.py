"""``--dry-run`` of ``run`` and of the first answer: what would be asked, and about how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from xent_conformance.asking.selection import Selection


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Ask nothing: say what would be asked, and about how long.")
]


def estimate(selection: Selection, interpreters: Mapping[str, str], out: Path) -> dict[str, Any]:
    """The estimate as docs/JSON.md has it; ``out``: where a run of the same may lie. Starts nobody."""
    from xent_conformance.reference.cache import default_cache
    from xent_conformance.running import costs

    batches = list(selection.batches())
    planned = costs.plan(selection, batches, interpreters, _lacking(selection, interpreters))
    cache = default_cache()
    found = costs.estimated(
        planned,
        batches,
        selection.profile,
        costs.Costs.read(),
        lambda batch: costs.remembered(batch, cache),
    )
    return costs.told(found, _last(selection, out))


def _lacking(selection: Selection, interpreters: Mapping[str, str]) -> list[str]:
    """Frameworks of the suite that the Python named for them has not, by its records."""
    from xent_conformance.versions.elsewhere import installed

    asked = [f for f in selection.chosen_frameworks() if f.shipped and f.name in interpreters]
    return [
        f.name
        for f in asked
        if not installed(interpreters[f.name], f.distributions).keys() >= set(f.distributions)
    ]


def _last(selection: Selection, out: Path) -> Mapping[str, Any] | None:
    """The header of the run file that is there, if it asked the same of this suite."""
    from xent_conformance import __version__
    from xent_conformance.reports.run.file import read_run
    from xent_conformance.reports.run.unusable import RunFileError

    try:
        header = read_run(out).header
    except RunFileError:
        return None
    asked = {name: list(v) if isinstance(v, tuple) else v for name, v in selection.as_dict().items()}
    same = header["selection"] == asked and header["suite"] == __version__ and not header["absent"]
    return header if same else None


def show_estimate(told: Mapping[str, Any], out: Path) -> Callable[[Console], None]:
    """For a person: a row a worker, then the sum, by how much it may be wrong, and where it is from."""

    def text(console: Console) -> None:
        from xent_conformance.reports.terminal.screen import prose, say, table
        from xent_conformance.reports.text.numbers import count, seconds

        rows = []
        for s in told["seats"]:
            if s["installed"] is False:  # in the line below: a table of them would hide who is asked
                continue
            about = "not measured" if s["seconds"] is None else seconds(s["seconds"])
            memory = f"{s['memory_mb']:,} MB" if s["memory_mb"] is not None else ""
            modes = ", ".join(f"{mode} {count(n)}" for mode, n in s["questions"].items())
            rows.append((s["seat"], count(s["batches"]), modes, count(s["verdicts"]), about, memory))
        columns = ("worker", "batches", "questions by mode", "verdicts", "about", "memory")
        right = ("batches", "verdicts", "about", "memory")
        if rows:
            table(console, columns, rows, right=right, names=columns[:1])
        if away := [s["seat"] for s in told["seats"] if s["installed"] is False]:
            say(console, ("not installed, and left out", "bold"), f": {', '.join(away)}")
        say(
            console,
            (f"about {seconds(told['seconds'])}", "bold"),
            f" ({seconds(told['seconds_least'])} to {seconds(told['seconds_most'])}) and at least "
            f"{told['memory_mb']:,} MB on {told['cores']} cores, for {count(told['verdicts'])} verdicts; "
            f"{seconds(told['suite_seconds'])} of it is the suite's own",
        )
        prose(
            console,
            f"an estimate: measured on {told['measured_on']} on {told['measured']}; on another machine, with "
            "other versions or beside other work it is wrong by a factor of two and more. Compiling is most "
            "of it.",
        )
        if lost := sum(s["lost_seconds"] for s in told["seats"]):
            say(console, f"starts of processes that rows break on an accelerator: {seconds(lost)} of it")
        if told["not_measured"]:
            say(console, f"left out, never measured: {', '.join(told['not_measured'])}")
        if told["last_seconds"] is not None:
            last = f"{seconds(told['last_seconds'])} on {told['last_created']}"
            say(console, ("the last time", "bold"), f" the same took {last} ({out})")
        say(console, "nothing was asked, and nothing written")

    return text
