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
from typing import Any

from xent_conformance.reports.terminal.gate import CHANGES
from xent_conformance.reports.text.wording import flat, plural
from xent_conformance.reports.views.gate import answered, headline

Told = Mapping[str, Any]

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


def plain(text: object) -> str:
    """Foreign text that reads as it is: nothing of it is markup, a link, or somebody's name."""
    escaped = _READ.sub(lambda m: "".join(f"&#{ord(c)};" for c in m[0]), flat(text))
    return escaped.replace("&#64;", "&#64;\u200b")


def code(text: object) -> str:
    """Foreign text as code, in a table too."""
    line = flat(text)
    if not line:
        return ""
    if re.search(r"[`|<>&\\]", line):
        return f"<code>{plain(line)}</code>"
    return f"`{line}`"


def _said(reason: Told) -> str:
    """What was returned and what is right; else why there is nothing."""
    said = answered(reason)
    return said if reason["right"] else ": ".join(part for part in (said, reason["detail"]) if part)


@dataclass(frozen=True)
class _Form:
    """How much of each row is shown: the columns, and the characters of a cell (0: all)."""

    columns: tuple[str, ...]
    width: int = 0


_COLUMNS: Mapping[str, Callable[[Told], str]] = {
    "why": lambda r: r["kind"],
    "implementation": lambda r: r["implementation"] or r["framework"] or r["title"],
    "output": lambda r: r["output"],
    "formats": lambda r: ", ".join(r["dtypes"]),
    "clause": lambda r: r["clause"],
    "what": lambda r: r["symptom"] or r["title"],
    "verdicts": lambda r: f"{r['count']:,}" if r["count"] else "",
    "returned, right": _said,
    "case": lambda r: r["case"],
    "command": lambda r: r["command"],
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


def summary(gate: Told, *, limit: int = SUMMARY_BYTES) -> str:
    """The whole decision, in at most ``limit`` bytes. Every blocking reason keeps its row."""
    blocking = [r for r in gate["reasons"] if r["blocking"]]
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


def _overfull(head: Sequence[str], blocking: Sequence[Told], limit: int) -> str:
    """Not even the names fit: say so, which GitHub shows, rather than write what it drops whole."""
    words = f"{len(blocking):,} blocking reasons do not fit here; `--json FILE` holds all."
    text = "\n".join([*head, words]) + "\n"
    return text if _bytes(text) <= limit else ""


def comment(gate: Told, *, limit: int = COMMENT_CHARACTERS) -> str:
    """For a pull request, in at most ``limit`` characters; empty where it passed and nothing changed."""
    if gate["status"] == 0 and not any(gate["changes"].get(c) for c in CHANGES):
        return ""
    blocking = [r for r in gate["reasons"] if r["blocking"]]
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


def workflow_commands(gate: Told) -> list[str]:
    """An error for each blocking reason, a warning for each other: ten of each, and how many more."""
    lines = []
    for kind, blocking in (("error", True), ("warning", False)):
        reasons = [r for r in gate["reasons"] if r["blocking"] is blocking]
        for r in reasons[:ANNOTATIONS]:
            told = "\n".join(
                part for part in (flat(r["title"]), flat(_said(r), 400), flat(r["command"])) if part
            )
            title = f"conformance: {r['kind']}"
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


def _head(gate: Told) -> list[str]:
    blocking = [r for r in gate["reasons"] if r["blocking"]]
    sign = {0: "✅", 1: "❌"}.get(gate["status"], "⚠️")
    lines = [f"## {sign} {plain(headline(gate))}", ""]
    tested = ", ".join(code(t) for t in gate["tested"]) or "nothing"
    against = ", ".join(code(t) for t in gate["against"])
    lines.append(f"Tested: {tested}{f', against {against}' if against else ''}.")
    counts = ", ".join(f"{n:,} {s.replace('_', ' ')}" for s, n in gate["by_status"].items())
    waived = f"; {gate['waived']:,} accepted by waivers" if gate["waived"] else ""
    lines += [f"{plural(gate['verdicts'], 'verdict')}{f': {counts}' if counts else ''}{waived}.", ""]
    if blocking:
        lines += [
            f"Show the first: {code(blocking[0]['command'])}",
            "",
            f"### {len(blocking):,} blocking",
            "",
        ]
    return lines


def _note(form: _Form) -> str:
    gone = [c for c in _COLUMNS if c not in form.columns]
    without = f", without {', '.join(gone)}" if gone else ""
    return (
        f"Cells are cut at {form.width} characters{without}, so that every row fits; `--json FILE` holds all."
    )


def _rows(reasons: Sequence[Told], form: _Form) -> Iterator[str]:
    if not reasons:
        return
    bare = form.width and form.width < 40
    yield "|" + "|".join(form.columns) + "|"
    yield "|" + "|".join("-" for _ in form.columns) + "|"
    for reason in reasons:
        cells = [flat(_COLUMNS[c](reason), form.width) for c in form.columns]
        yield "|" + "|".join(plain(cell) if bare else code(cell) for cell in cells) + "|"
    yield ""


def _warnings(gate: Told) -> list[str]:
    warnings = [r for r in gate["reasons"] if not r["blocking"]]
    if not warnings:
        return []
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in Counter(r["kind"] for r in warnings).items())
    lines = [f"### {len(warnings):,} warnings: {kinds}", ""]
    return [*lines, *_rows(warnings, _Form(("why", "implementation", "output", "formats", "clause", "what",
                                            "verdicts", "returned, right", "command"), 160))]  # fmt: skip


def _waivers(gate: Told) -> list[str]:
    """How many accept; a row for each that does not, those that were not evaluated together."""
    if not gate["waivers"]:
        return []
    states = Counter(w["state"] for w in gate["waivers"])
    lines = [f"### Waivers: {', '.join(f'{n:,} {state}' for state, n in states.items())}", ""]
    rows = [w for w in gate["waivers"] if w["state"] not in ("accepts", "not evaluated", "better than known")]
    if rows:
        lines += ["|waiver|state|why|next|", "|-|-|-|-|"]
        lines += [
            f"|{code(flat(w['name'], 100))}|{w['state']}|{plain(flat(w['message'], 300))}|{code(w['next'])}|"
            for w in rows
        ]
        lines.append("")
    quiet = ("not evaluated", "better than known")
    unseen = Counter((w["state"], w["message"]) for w in gate["waivers"] if w["state"] in quiet)
    lines += [f"- {n:,} {state}: {plain(flat(message, 300))}" for (state, message), n in unseen.items()]
    return [*lines, ""]


def _changes(gate: Told) -> list[str]:
    if not gate["changes"]:
        return []
    changed = [f"{gate['changes'].get(c, 0):,} {c}" for c in (*CHANGES, "same")]
    return ["### Against the baseline", "", f"{', '.join(changed)}.", ""]


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
