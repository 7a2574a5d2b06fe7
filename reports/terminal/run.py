"""What a run looks like in a terminal: how many verdicts of each kind, and what was not asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from rich.console import Console

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE, Status
from xent_conformance.reports.terminal.screen import ROWS, fits, left, prose, say, table
from xent_conformance.reports.text.asked import excluded, older
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.outside import told
from xent_conformance.reports.text.wording import flat, listed, plural
from xent_conformance.reports.views.opened import Opened

_NAME = 16
"""So much of a name has room beside its numbers; the rest folds."""

_HEAD = 6
"""So much of a column's head has; the rest folds."""


def summary(run: Run, console: Console, *, verbose: bool = False) -> None:
    """Counts by framework and status (they sum to the number of verdicts), then time and gaps.

    Naive formulations, the controls, have lines of their own: nobody ships them. ``verbose``: also who was
    asked, and where the time of each went.
    """
    words = [status.word for status in Status]
    rows = []
    asked = run.verdicts.select("framework", "status", _control=pl.col("formulation") == NAIVE)
    controls = asked.sort("_control", maintain_order=True)
    for (framework, control), group in controls.group_by("framework", "_control", maintain_order=True):
        counts = dict(group["status"].value_counts().iter_rows())
        cells = [str(counts.get(status.value, 0)) for status in Status]
        name = f"{framework}, controls" if control else str(framework)
        rows.append((name, *cells, str(group.height)))
    of_controls = int(asked["_control"].sum())
    apart = f", {count(of_controls)} of them on controls" if of_controls else ""  # which no decision counts
    columns, title = ("framework", *words, "total"), plural(run.verdicts.height, "verdict") + apart
    if fits(console, [c[:_HEAD] for c in columns], [(name[:_NAME], *cells) for name, *cells in rows]):
        table(console, columns, rows, title=title, right=columns[1:])
    else:
        _lines(title, words, rows, console)
    _open(run, console)
    for header in run.headers:
        seconds = ", ".join(f"{what} {s:.1f} s" for what, s in header["seconds"].items())
        prose(console, f"time: {seconds}")
        if verbose:
            _workers(header, console)
        for file in header.get("cases", ()):
            say(console, (flat(file["file"]), "bold"), ": ", "; ".join(told(file)) or "asked")
        for framework, names in excluded(header).items():
            say(console, f"not asked: {framework}: {flat(listed(names))} (--exclude)")
        for worker in header["frameworks"]:
            for mode, why in worker.get("missing", {}).items():
                say(console, (f"not asked: {worker['framework']} {mode}: {flat(why)}", "dim"))
        for told_of in older(header):
            say(console, (f"not asked: {flat(told_of)}", "dim"))
        for gap in header["absent"]:
            say(console, ("absent", "bold"), f": {gap['framework']}: {flat(gap['message'])}")
            say(console, f"  add it with: {gap['install']}")
    if gaps := not_installed(run):
        say(console, (gaps, "dim"))


def _open(run: Run, console: Console) -> None:
    """Which open answers are errors: no clause is broken by them, so that nothing else tells of them."""
    called = run.verdicts.filter(pl.col("formulation") != NAIVE)
    every = Opened.of(called)
    found = {name: Opened.of(of) for (name,), of in called.group_by("framework", maintain_order=True)}
    whose = listed([f"{flat(str(name))} {count(of.errors)}" for name, of in found.items() if of.errors])
    if whose:
        prose(console, f"open, so not judged: {every.told('answer')} ({whose})")


def not_installed(run: Run) -> str:
    """The frameworks that nobody named and that are not there, in a line; why, where it is another reason."""
    gaps = {gap["framework"]: flat(gap["message"]) for h in run.headers for gap in h["not_installed"]}
    plain = [name if "No module named" in why else f"{name} ({why})" for name, why in sorted(gaps.items())]
    return f"not installed, so not asked: {', '.join(plain)}" if plain else ""


def _workers(header: Mapping[str, Any], console: Console) -> None:
    """Who was asked, with what was finished; then compiling and kernels of each mode."""
    for f in header["frameworks"]:
        name = f"{f['framework']}[{f['variant']}]" if f["variant"] else f["framework"]
        done, planned = header["finished"].get(name, 0), header["planned"].get(name, 0)
        on = listed([flat(device) for device in f["devices"]])
        started = f"imported in {f['import_s']:.1f} s, started {plural(f['starts'], 'time')}"
        say(console, f"  {flat(name)} {flat(f['version'])} on {on}: {done} of {planned} batches; {started}")
    for mode, spent in header.get("seconds_by_mode", {}).items():
        say(console, f"  {flat(mode)}: compile {spent['compile']:.1f} s, kernels {spent['kernels']:.1f} s")


def _lines(title: str, words: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """The counts that are not zero, a line each: a number that is folded in a narrow table is no number."""
    say(console, (title, "bold"))
    for name, *cells in rows[:ROWS]:
        counted = [f"{cell} {word}" for cell, word in zip(cells, words, strict=False) if cell != "0"]
        prose(console, f"{flat(name)}: {', '.join(counted)}")
    left(console, len(rows) - ROWS, "row", "")
