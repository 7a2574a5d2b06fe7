"""A decision, and a comparison, in a terminal. Pure functions of what the gate and the comparison tell.

The first line says all that a person in a hurry needs; the last line of a failure is the command that shows
its first reason. Foreign text stays on its own line and never starts one: a CI service takes some lines for
commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xent_conformance.reports.text.wording import flat, number, plural
from xent_conformance.reports.views.gate import Told, _counted, _listed, answered, headline

BLOCKING = 10
"""Blocking reasons that are shown; the files that the gate writes hold all."""

NAMES = 3
GROUPS = 8
CHANGES = ("regressed", "missing", "not comparable", "drifted", "fixed", "improved", "bits changed", "added")


def show(gate: Told, console: Console, *, notes: Sequence[str] = ()) -> None:
    """Everything of a decision; ``notes`` are printed whole before its last line."""
    blocking = [r for r in gate["reasons"] if r["blocking"]]

    def say(line: str, style: str = "") -> None:
        console.print(Text(line, style=style), soft_wrap=True)

    say(headline(gate), "bold green" if not blocking else "bold red")
    say(f"tested: {_listed(gate['tested']) or 'nothing'}")
    if gate["against"]:
        say(f"against: {_listed(gate['against'])}")
    counts = ", ".join(f"{n:,} {s.replace('_', ' ')}" for s, n in gate["by_status"].items())
    say(f"verdicts: {gate['verdicts']:,}" + (f" ({counts})" if counts else ""))
    for i, reason in enumerate(blocking[:BLOCKING], 1):
        _reason(i, reason, say)
    if len(blocking) > BLOCKING:
        say(f"… {len(blocking) - BLOCKING:,} more: --json FILE, --markdown FILE and --junit FILE hold all")
    _warnings(gate, say)
    _waivers(gate, say)
    if gate["changes"]:
        changed = [f"{gate['changes'].get(c, 0):,} {c}" for c in (*CHANGES, "same") if gate["changes"].get(c)]
        say(f"against the baseline: {', '.join(changed) or 'no pair'}")
    for note in notes:
        say(note)
    if blocking:
        say(flat(blocking[0]["command"]))


def _reason(i: int, reason: Told, say: Any) -> None:
    say(f"{i:>3}. {reason['kind']}: {flat(reason['title'])}{_counted(reason)}", "bold")
    if reason["detail"]:
        say(f"     why: {flat(reason['detail'], 400)}")
    where = " · ".join(flat(w) for w in (", ".join(reason["targets"]), ", ".join(reason["dtypes"])) if w)
    told = "; ".join(part for part in (flat(answered(reason), 200), where) if part)
    if told:
        say(f"     worst: {told}")
    if reason["case"]:
        say(f"     case: {flat(reason['case'])}")
    say(f"     $ {flat(reason['command'])}")


def _warnings(gate: Told, say: Any) -> None:
    """By kind: how many, and the first of each."""
    warnings = [r for r in gate["reasons"] if not r["blocking"]]
    if not warnings:
        return
    say(f"warnings: {len(warnings):,}")
    for kind, count in Counter(r["kind"] for r in warnings).items():
        first = next(r for r in warnings if r["kind"] == kind)
        say(f"  {count:,} {kind}; the first: {flat(first['title'])}{_counted(first)}")


def _waivers(gate: Told, say: Any) -> None:
    """How many accept; the others by state, those of one state and one message together."""
    if not gate["waivers"]:
        return
    states = Counter(w["state"] for w in gate["waivers"])
    say(f"waivers: {_counts(states)}; {gate['waived']:,} verdicts accepted")
    elsewhere = [w for w in gate["waivers"] if w["message"] == f"{w['framework']} was not run"]
    if elsewhere:
        who = _listed(sorted({w["framework"] for w in elsewhere}))
        say(f"  not evaluated: {len(elsewhere):,} of what was not run ({who}); next: conformance run")
    together: dict[tuple[str, str, str], list[str]] = {}
    for w in gate["waivers"]:
        if w["state"] != "accepts" and w not in elsewhere:
            together.setdefault((w["state"], w["message"], w["next"]), []).append(w["name"])
    for (state, message, command), names in together.items():
        more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
        said = ", ".join(flat(n) for n in names[:NAMES]) + more
        next_ = f"; next: {flat(command)}" if command else ""
        say(f"  {state}: {said}: {flat(message, 400)}{next_}")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in counts.items())


# --- comparison --------------------------------------------------------------------------------------------


def comparison(view: Told, console: Console, *, notes: Sequence[str] = ()) -> None:
    """Environment, transitions, then every change by group, worst first. Nothing is netted."""

    def say(line: str, style: str = "") -> None:
        console.print(Text(line, style=style), soft_wrap=True)

    counts = view["counts"]
    told = [f"{counts[c]:,} {c}" for c in (*CHANGES, "same") if counts[c]]
    say(f"{plural(view['pairs'], 'pair')}: {', '.join(told) or 'nothing to compare'}", "bold")
    for name, side in (("before", view["old"]), ("now", view["new"])):
        made = ", ".join(side["created"])
        say(f"{name}: {_listed(side['tested'])} ({plural(side['verdicts'], 'verdict')}, {made})")
    if view["environment"]:
        table = Table(title="environment: what is not the same", title_justify="left")
        for column in ("of", "what", "before", "now"):
            table.add_column(column, overflow="fold")
        for e in view["environment"]:
            table.add_row(*(Text(flat(e[k], 300)) for k in ("who", "what", "before", "now")))
        console.print(table)
    else:
        say("environment: the same")
    _transitions(view["transitions"], console)
    for change in CHANGES:
        _groups(change, view, say)
    for note in notes:
        say(note)


def _transitions(transitions: Sequence[Told], console: Console) -> None:
    """Verdicts before, downwards, by verdicts now, across."""
    if not transitions:
        return
    across = list(dict.fromkeys(sorted(t["now"] for t in transitions)))
    found = {(t["before"], t["now"]): t["count"] for t in transitions}
    table = Table(title="verdicts before (down) and now (across)", title_justify="left")
    table.add_column("before")
    for status in across:
        table.add_column(status.replace("_", " "), justify="right")
    for before in dict.fromkeys(t["before"] for t in transitions):
        cells = [f"{found[before, now]:,}" if (before, now) in found else "·" for now in across]
        table.add_row(before.replace("_", " "), *cells)
    console.print(table)


def _groups(change: str, view: Told, say: Any) -> None:
    here = view["groups"][change]
    if not here["pairs"]:
        return
    say(f"{change}: {here['pairs']:,} ({view['about'][change]})", "bold")
    for g in here["listed"][:GROUPS]:
        where = flat(
            f"{g['implementation']} {g['output']} {', '.join(g['targets'])} {', '.join(g['dtypes'])}"
        )
        say(f"  {g['count']:,} × {where} ({g['level']} {g['clause']})")
        worst = g["worst"]
        states = [f"{name} {_state(worst[name])}" for name in ("before", "now") if worst[name]]
        say(f"      worst: {'; '.join(states)}: {flat(worst['case'])}")
    if here["groups"] > GROUPS:
        say(f"  … {here['groups'] - GROUPS:,} more groups: --json FILE holds them")


def _state(verdict: Told) -> str:
    """A verdict in words."""
    symptom = "" if verdict["symptom"] == "none" else f", {verdict['symptom']}"
    size = "" if verdict["ulps"] is None else f", {number(verdict['ulps'])} ulp"
    got = f", {verdict['got']}" if verdict["got"] else f", {verdict['outcome'].replace('_', ' ')}"
    return flat(f"{verdict['status'].replace('_', ' ')}{symptom}{size}{got}", 200)
