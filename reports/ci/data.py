"""All that programs read: what ``--json FILE`` writes and ``--format json`` prints (docs/JSON.md).

Strict JSON: a number of a tested format is text, so that NaN, an infinity and minus zero are what they are;
an error in ulps is a number, or null where it is not measured or no finite number. Keys do not change.
Everything else takes the objects; this is the one place that makes plain dictionaries of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from math import isfinite
from typing import Any

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row, Status
from xent_conformance.reports.text.wording import Answer, bits_text
from xent_conformance.reports.views.causes import Cause
from xent_conformance.reports.views.comparison import Change, Group, Groups, Told, Verdict
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Reason
from xent_conformance.reports.views.versions import Lifetime, Line, Versions
from xent_conformance.reports.views.waivers import Judged

Plain = dict[str, Any]


# --- the gate ---


def gate(decision: Gate) -> Plain:
    """Everything of a decision."""
    return {
        "status": decision.status,
        "verdict": decision.verdict,
        "tested": list(decision.tested),
        "against": list(decision.against),
        "verdicts": decision.verdicts,
        "waived": decision.waived,
        "waived_by_suite": decision.by_suite,
        "by_status": {status.value: number for status, number in decision.by_status.items()},
        "changes": _counts(decision.changes),
        "reasons": [_reason(r) for r in decision.reasons],
        "waivers": [_waiver(w) for w in decision.waivers],
        "accepted": [asdict(a) for a in decision.accepted],
        "headline": decision.headline,
        "machine": [asdict(d) for d in decision.machine],
        "answered": [asdict(a) for a in decision.answered],
    }


_OF_A_REASON = tuple(f.name for f in fields(Reason) if f.name not in ("kind", "answer", "waiver", "findings"))


def _reason(reason: Reason) -> Plain:
    """``ulps`` is null where the error is not measured or no finite number."""
    answer = reason.answer
    return {
        "kind": reason.kind.value,
        **_of(reason, _OF_A_REASON),
        "got": answer.for_programs if answer else "",
        "right": answer.right if answer else "",
        "ulps": _ulps(answer),
        "evidence": reason.evidence,
        "findings": [f._asdict() for f in reason.findings],
    }


def _waiver(waiver: Judged) -> Plain:
    named = [f.name for f in fields(Judged) if f.name not in ("state", "not_run")]
    return _of(waiver, named) | {"state": waiver.state.value}


# --- a comparison ---


def comparison(told: Told) -> Plain:
    """Everything that is shown of a comparison."""
    return {
        "old": _listed(asdict(told.old)),
        "new": _listed(asdict(told.new)),
        "environment": [asdict(d) for d in told.environment],
        "pairs": told.pairs,
        "counts": _counts(told.counts),
        "about": {change.value: change.about for change in Change},
        "transitions": [
            {"before": t.before.value, "now": t.now.value, "count": t.count} for t in told.transitions
        ],
        "groups": {change.value: _groups(groups) for change, groups in told.groups.items()},
    }


def _groups(groups: Groups) -> Plain:
    return {
        "groups": groups.total,
        "pairs": groups.pairs,
        "listed": [_group(g) for g in groups.listed],
    }


_WORST = ("case", "mode", "device", "dtype")
_OF_A_GROUP = tuple(f.name for f in fields(Group) if f.name not in (*_WORST, "before", "now", "command"))


def _group(group: Group) -> Plain:
    sides = {"before": _verdict(group.before), "now": _verdict(group.now)}
    return _of(group, _OF_A_GROUP) | {"worst": _of(group, _WORST) | sides}


def _verdict(verdict: Verdict | None) -> Plain | None:
    if verdict is None:
        return None
    answer = verdict.answer
    return {
        **_of(verdict, ("version", "machine")),
        **_of(answer, ("outcome", "message", "grade")),
        "status": verdict.status.value,
        **_of(verdict, ("symptom", "bits", "element")),
        "ulps": _ulps(answer),
        "got": answer.returned if answer.right else "",
        "right": answer.right,
    }


# --- causes, and a run ---


def causes(found: Iterable[Cause]) -> list[Plain]:
    """Each cause, worst first."""
    return [_cause(c) for c in found]


_OF_A_CAUSE = tuple(f.name for f in fields(Cause) if f.name not in ("answer", "harm"))


def _cause(c: Cause) -> Plain:
    """``returned`` and ``right`` are empty where no number came back."""
    told = {"title": c.title, "harm": c.harm.name.lower(), "harm_about": c.harm.about}
    answer = {"returned": c.returned, "right": c.right, "ulps": _ulps(c.answer), "outcome": c.answer.outcome}
    return _of(c, _OF_A_CAUSE) | told | answer


def run(asked: Run, file: str, found: Iterable[Cause], decision: Gate) -> Plain:
    """A run: what was asked, how it went, what is wrong, and what the gate says of it."""
    verdicts = asked.verdicts
    counted = verdicts.group_by("framework", "status").len().sort("framework", "status")
    frameworks: dict[str, dict[str, int]] = {}
    for framework, status, number in counted.iter_rows():
        frameworks.setdefault(framework, {})[status] = number
    gaps = ("framework", "message", "install")
    return {
        "file": file,
        "complete": asked.complete,
        "tested": list(asked.tested),
        "verdicts": verdicts.height,
        "by_status": {status: sum(f.get(status, 0) for f in frameworks.values()) for status in Status},
        "by_framework": frameworks,
        "absent": [{k: gap[k] for k in gaps} for h in asked.headers for gap in h["absent"]],
        "not_installed": [{k: gap[k] for k in gaps} for h in asked.headers for gap in h["not_installed"]],
        "excluded": [dict(one) for h in asked.headers for one in h.get("excluded", ())],
        "seconds": {what: s for h in asked.headers for what, s in h["seconds"].items()},
        "causes": causes(found),
        "gate": {"status": decision.status, "verdict": decision.verdict, "headline": decision.headline},
    }


def verdict(row: Row) -> Plain:
    """One verdict, with the bits of what was returned and of what is right where they are numbers."""
    answer = Answer.of(row)
    named = ("implementation", "mode", "device", "output", "outcome", "message", "status", "grade", "symptom")
    numbers = {
        "element": row["index"],
        "returned": answer.returned,
        "returned_bits": bits_text(row, "got"),
        "right": answer.right,
        "right_bits": bits_text(row, "rounded"),
    }
    told = {name: row[name] for name in named} | {"clause": row["clause"], "level": row["level"]}
    return told | (numbers if answer.right else {}) | {"ulps": _ulps(answer), "cause": row["cause"]}


# --- versions ---


def versions(table: Versions) -> Plain:
    """Everything of a table over versions."""
    named = [f.name for f in fields(Versions) if f.name not in ("lines", "lifetimes")]
    return _of(table, named) | {
        "lines": [_line(line) for line in table.lines],
        "lifetimes": [_life(table, life) for life in table.lifetimes],
    }


def _line(line: Line) -> Plain:
    plain = asdict(line)
    for cell in filter(None, plain["cells"]):
        cell["worst"] = {dtype: _finite(ulps) for dtype, ulps in cell["worst"].items()}
    return _listed(plain)


def _life(table: Versions, life: Lifetime) -> Plain:
    named = [f.name for f in fields(Lifetime) if f.name != "answer"]
    return _of(life, named) | {
        "got": life.answer.for_programs,
        "right": life.answer.right,
        "ulps": _ulps(life.answer),
        "first_seen": table.since(life),
        "gone_in": None if life.gone is None else table.until(life),
    }


def upgrade(decision: Gate, told: Told, table: Versions) -> Plain:
    """All three, of an upgrade."""
    return {"gate": gate(decision), "comparison": comparison(told), "versions": versions(table)}


# --- parts ---


def _of(told: Any, names: Any) -> Plain:
    """These fields of an object; tuples are lists in JSON."""
    return _listed({name: getattr(told, name) for name in names})


def _listed(plain: Plain) -> Plain:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def _counts(counts: Mapping[Change, int]) -> dict[str, int]:
    return {change.value: number for change, number in counts.items()}


def _ulps(answer: Answer | None) -> float | None:
    return answer.ulps if answer and answer.right else None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
