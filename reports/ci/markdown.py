"""A decision in GitHub's Markdown: the summary of a job, the comment on a pull request, annotations.

Pure functions of what the gate tells. Text of frameworks is foreign: it is quoted as code, or every character
that Markdown, HTML or GitHub would read is written as an entity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from xent_conformance.reports.text.wording import flat, joined, plural
from xent_conformance.reports.views.comparison import LISTED
from xent_conformance.reports.views.gate import FAILED, PASSED, Gate
from xent_conformance.reports.views.reasons import Kind, Reason
from xent_conformance.reports.views.waivers import State

SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes as the summary of one step; a longer one is dropped whole."""

COMMENT_CHARACTERS = 65_536
"""What GitHub takes as one comment."""

ANNOTATIONS = 10
"""Annotations of one type that GitHub shows of a step."""

MARK = "<!-- xent-conformance -->"
"""The first line of a comment, by which a workflow finds the one that it wrote before."""

IN_A_COMMENT = 20
"""Blocking reasons that a comment shows."""

_READ = re.compile(
    r"""[&<>"'`|*~\[\]{}#\\!@$]|:(?=\S)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]|^\d+(?=[.)])"""
)


def plain(text: str) -> str:
    """Foreign text that reads as it is: nothing of it is markup, a link, or somebody's name."""
    escaped = _READ.sub(lambda m: "".join(f"&#{ord(c)};" for c in m[0]), flat(text))
    return escaped.replace("&#64;", "&#64;\u200b")


def code(text: str) -> str:
    """Foreign text as code, in a table too."""
    line = flat(text)
    if not line:
        return ""
    if re.search(r"[`|<>&\\]", line):
        return f"<code>{plain(line)}</code>"
    return f"`{line}`"


@dataclass(frozen=True)
class _Form:
    """How much of each row is shown: the columns, and the characters of a cell (0: all)."""

    columns: tuple[str, ...]
    width: int = 0


_COLUMNS: Mapping[str, Callable[[Reason], str]] = {
    "why": lambda r: r.kind,
    "implementation": lambda r: r.who or r.framework or r.title,
    "output": lambda r: r.of_what,
    "formats": lambda r: ", ".join(r.dtypes),
    "clause": lambda r: r.clause,
    "what": lambda r: r.symptom or r.title,
    "verdicts": lambda r: f"{r.count:,}" if r.count else "",
    "returned, right": lambda r: r.answered_or_why,
    "case": lambda r: r.case,
    "command": lambda r: r.command,
}
_SHORT = ("implementation", "output", "clause", "what", "case")
_FORMS = (
    _Form(tuple(_COLUMNS), 300),
    _Form(tuple(_COLUMNS), 100),
    _Form(tuple(c for c in _COLUMNS if c != "command"), 100),
    _Form(tuple(c for c in _COLUMNS if c != "command"), 40),
    _Form(_SHORT, 60),
    _Form(_SHORT, 30),
    _Form(_SHORT[:4], 20),
    _Form(_SHORT[:3], 14),
    _Form(_SHORT[:3], 8),
    _Form(_SHORT[:1], 8),
)
"""From all there is to a name: rows get shorter so that none has to go."""


def summary(gate: Gate, *, limit: int = SUMMARY_BYTES) -> str:
    """The whole decision, in at most ``limit`` bytes. Every blocking reason keeps its row."""
    blocking = gate.blocking
    head = _head(gate)
    rest = [*_warnings(gate), *_waivers(gate), *_changes(gate)]
    for form in _FORMS:
        note = [_note(form), ""] if form is not _FORMS[0] else []
        body = _within([*head, *note], _rows(blocking, form), limit - _bytes(_CUT.format(len(rest))))
        if body:
            return _with_rest(body, rest, limit)
    return _overfull(head, blocking, limit)


def _within(head: Sequence[str], rows: Iterable[str], room: int) -> str:
    """The lines as text; nothing as soon as they are more than ``room`` bytes."""
    lines = []
    for line in chain(head, rows):
        room -= _bytes(line) + 1
        if room < 0:
            return ""
        lines.append(line)
    return "\n".join(lines) + "\n"


_CUT = "\n{} more lines (warnings, waivers, changes) are cut here; `--json FILE` holds all.\n"


def _with_rest(body: str, rest: Sequence[str], limit: int) -> str:
    """As many of the lines that do not block as there is room for, and how many were cut."""
    room = limit - _bytes(body)
    whole = "\n".join(rest) + "\n" if rest else ""
    if _bytes(whole) <= room:
        return body + whole
    room -= _bytes(_CUT.format(len(rest)))
    kept = []
    for line in rest:
        room -= _bytes(line) + 1
        if room < 0:
            break
        kept.append(line)
    return body + "".join(f"{line}\n" for line in kept) + _CUT.format(len(rest) - len(kept))


def _overfull(head: Sequence[str], blocking: Sequence[Reason], limit: int) -> str:
    """Not even the names fit: say so, which GitHub shows, rather than write what it drops whole."""
    words = f"{len(blocking):,} blocking reasons do not fit here; `--json FILE` holds all."
    text = "\n".join([*head, words]) + "\n"
    return text if _bytes(text) <= limit else ""


def comment(gate: Gate, *, limit: int = COMMENT_CHARACTERS) -> str:
    """For a pull request, in at most ``limit`` characters; empty where it passed and nothing changed."""
    if gate.status == PASSED and not any(gate.changes.get(c) for c in LISTED):
        return ""
    blocking = gate.blocking
    parts = [MARK, *_head(gate)]
    more = len(blocking) - IN_A_COMMENT
    tail = [*_changes(gate), *_waivers(gate)]
    for width in (160, 60, 24):
        rows = [*_rows(blocking[:IN_A_COMMENT], _Form(tuple(_COLUMNS), width))]
        rows += [f"… {more:,} more blocking reasons: the summary of the job has all.", ""] if more > 0 else []
        text = "\n".join([*parts, *rows, *tail]) + "\n"
        if len(text) <= limit:
            return text
    end = "\n… cut here; the summary of the job has all.\n"
    kept, room = [], limit - len(end)
    for line in [*parts, *rows, *tail]:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept) + end


def workflow_commands(gate: Gate) -> list[str]:
    """An error for each blocking reason, a warning for each other: ten of each, and how many more.

    What was so before is in the summary: a change that changed nothing has nothing written on it.
    """
    lines = []
    new = [r for r in gate.warnings if r.kind != Kind.AS_BEFORE]
    for kind, reasons in (("error", gate.blocking), ("warning", new)):
        for r in reasons[:ANNOTATIONS]:
            told = joined("\n", [flat(r.title), flat(r.answered_or_why, 400), flat(r.command)])
            title = f"conformance: {r.kind}"
            lines.append(f"::{kind} title={_property(title)}::{_data(told)}")
        if len(reasons) > ANNOTATIONS:
            words = f"{len(reasons) - ANNOTATIONS:,} more of this kind: the summary of the job has all"
            lines.append(f"::notice title={_property(f'conformance: {kind}s')}::{_data(words)}")
    return lines


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- parts -------------------------------------------------------------------------------------------------


def _head(gate: Gate) -> list[str]:
    sign = {PASSED: "✅", FAILED: "❌"}.get(gate.status, "⚠️")
    lines = [f"## {sign} {plain(gate.headline)}", ""]
    lines += [f"{plain(gate.elsewhere)}.", ""] if gate.elsewhere else []
    tested, against = (", ".join(map(code, names)) for names in (gate.tested, gate.against))
    lines.append(f"Tested: {tested or 'nothing'}{f', against {against}' if against else ''}.")
    lines += [f"Answered of what was offered: {plain(gate.answered_of_offered)}."] if gate.answered else []
    counts = f": {gate.counts}" if gate.counts else ""
    waived = f"; {gate.waived:,} accepted by {gate.waiving}" if gate.waived else ""
    lines += [f"{plural(gate.verdicts, 'verdict')}{counts}{waived}.", ""]
    if gate.blocking:
        lines += [f"Show the first: {code(gate.blocking[0].command)}", ""]
        stubs, then = gate.acceptance
        lines += (
            [f"To accept what blocks, after reading why: {code(stubs)}; {plain(then)}.", ""] if stubs else []
        )
        lines += [f"### {len(gate.blocking):,} blocking", ""]
    return lines


def _note(form: _Form) -> str:
    gone = [c for c in _COLUMNS if c not in form.columns]
    without = f", without {', '.join(gone)}" if gone else ""
    return (
        f"Cells are cut at {form.width} characters{without}, so that every row fits; `--json FILE` holds all."
    )


def _rows(reasons: Sequence[Reason], form: _Form) -> Iterator[str]:
    if not reasons:
        return
    bare = form.width and form.width < 40
    yield "|" + "|".join(form.columns) + "|"
    yield "|" + "|".join("-" for _ in form.columns) + "|"
    for reason in reasons:
        cells = [flat(_COLUMNS[c](reason), form.width) for c in form.columns]
        yield "|" + "|".join(plain(cell) if bare else code(cell) for cell in cells) + "|"
    yield ""


def _warnings(gate: Gate) -> list[str]:
    if not gate.warnings:
        return []
    kinds = ", ".join(warned.told for warned in gate.warned)
    lines = [f"### {plural(len(gate.warnings), 'warning')}: {kinds}", ""]
    return [*lines, *_rows(gate.warnings, _Form(tuple(c for c in _COLUMNS if c != "case"), 160))]


def _waivers(gate: Gate) -> list[str]:
    """How many accept; a row for each that does not, those that were not evaluated together.

    Of frameworks that were not run there is one line: a run asks a few of them.
    """
    if not gate.waivers:
        return []
    states = Counter(w.state for w in gate.waivers)
    lines = [f"### Waivers: {', '.join(f'{n:,} {state}' for state, n in states.items())}", ""]
    rows = [w for w in gate.waivers if w.state.blocks]
    if rows:
        lines += ["|waiver|state|why|next|", "|-|-|-|-|"]
        lines += [
            f"|{code(flat(w.name, 100))}|{w.state}|{plain(flat(w.message, 300))}|{code(w.next)}|"
            for w in rows
        ]
        lines.append("")
    if gate.of_others:
        lines += [f"- {State.NOT_EVALUATED}: {plain(gate.of_others)}"]
    unseen = Counter((w.state, w.message) for w in gate.waivers if w.state.unseen and not w.not_run)
    lines += [f"- {n:,} {state}: {plain(flat(message, 300))}" for (state, message), n in unseen.items()]
    return [*lines, ""]


def _changes(gate: Gate) -> list[str]:
    if not gate.changes:
        return []
    return ["### Against the baseline", "", f"{gate.changed(also_none=True)}.", ""]


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
