"""A decision: its reasons, what became of the waivers, and whether the run may pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from xent_conformance.reports.text.wording import flat, number, plural


class Kind(StrEnum):
    """Why. In the order in which reasons are told."""

    NO_VERDICTS = "no verdicts"
    UNFINISHED = "unfinished"
    ABSENT = "absent framework"
    UNDECIDED = "undecided"
    MISSING = "missing since the baseline"
    NOT_COMPARABLE = "not comparable with the baseline"
    REGRESSED = "regressed"
    MUST = "must clause broken"
    WORSENED = "waiver worsened"
    EXPIRED = "waiver expired"
    STALE = "waiver stale"
    UNMATCHED = "waiver unmatched"
    SHOULD = "should clause broken"
    DRIFTED = "drifted"
    BITS = "bits changed"


EVIDENCE = (
    Kind.NO_VERDICTS,
    Kind.UNFINISHED,
    Kind.ABSENT,
    Kind.UNDECIDED,
    Kind.MISSING,
    Kind.NOT_COMPARABLE,
)
"""Without evidence there is no decision: exit status 3."""


@dataclass(frozen=True)
class Reason:
    """One reason; ``count`` verdicts share it, and ``case`` is the worst of them.

    ``got`` and ``right`` are those of that case, ``ulps`` its error (None where it is not measured);
    ``command`` is what to type next.
    """

    kind: Kind
    blocking: bool
    title: str
    detail: str
    command: str
    count: int = 0
    framework: str = ""
    version: str = ""
    implementation: str = ""
    operator: str = ""
    output: str = ""
    targets: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    symptom: str = ""
    case: str = ""
    got: str = ""
    right: str = ""
    ulps: float | None = None


class State(StrEnum):
    """How a waiver stands after a run."""

    ACCEPTS = "accepts"
    NOT_EVALUATED = "not evaluated"
    BETTER = "better than known"
    EXPIRED = "expired"
    STALE = "stale"
    UNMATCHED = "unmatched"
    WORSENED = "worsened"


@dataclass(frozen=True)
class Judged:
    """What became of a waiver: ``rows`` verdicts are accepted (or worsened), and ``case`` shows it.

    ``next`` is the command to type about one that accepts nothing.
    """

    name: str
    framework: str
    reason: str
    link: str
    source: str
    state: State
    rows: int
    message: str
    case: str = ""
    implementation: str = ""
    next: str = ""


PASSED, FAILED, INVALID = 0, 1, 3
"""Exit statuses of a decision. 2 is for wrong usage, which never comes to a decision."""


@dataclass(frozen=True)
class Gate:
    """A decision. ``reasons``: those that block, then the warnings, in the order of :class:`Kind`.

    ``waived`` counts verdicts that waivers accept; ``changes`` counts pairs, where there is a baseline.
    """

    reasons: tuple[Reason, ...]
    waivers: tuple[Judged, ...]
    tested: tuple[str, ...]
    verdicts: int
    by_status: Mapping[str, int]
    waived: int
    changes: Mapping[str, int] = field(default_factory=dict)
    against: tuple[str, ...] = ()
    """Frameworks and versions of the baseline; empty without one."""
    accepted: tuple[Mapping[str, Any], ...] = ()
    """Which waiver accepts how many verdicts of which finding: what :data:`_FINDING` names, waiver, count."""

    @property
    def blocking(self) -> tuple[Reason, ...]:
        """The reasons that decide the status."""
        return tuple(r for r in self.reasons if r.blocking)

    @property
    def status(self) -> int:
        """The exit status, from the reasons alone."""
        if any(r.kind in EVIDENCE for r in self.blocking):
            return INVALID
        return FAILED if self.blocking else PASSED

    @property
    def verdict(self) -> str:
        """The status in words."""
        return {PASSED: "passed", FAILED: "failed", INVALID: "no decision: evidence is missing"}[self.status]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON and for what is written from it."""
        waivers = [
            {"name": w.name, "state": w.state.value, "rows": w.rows, "message": w.message, "next": w.next,
             "case": w.case, "implementation": w.implementation, "framework": w.framework,
             "reason": w.reason, "link": w.link, "source": w.source}
            for w in self.waivers
        ]  # fmt: skip
        plain = {f: getattr(self, f) for f in ("tested", "against", "verdicts", "waived")}
        return {
            "status": self.status,
            "verdict": self.verdict,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()},
            "by_status": dict(self.by_status),
            "changes": dict(self.changes),
            "reasons": [
                asdict(r) | {"kind": r.kind.value, "evidence": r.kind in EVIDENCE} for r in self.reasons
            ],
            "waivers": waivers,
            "accepted": [dict(a) for a in self.accepted],
        }


Told = Mapping[str, Any]


def headline(gate: Told) -> str:
    """The verdict and, if it is bad, the first reason."""
    blocking = [r for r in gate["reasons"] if r["blocking"]]
    if not blocking:
        warnings = len(gate["reasons"])
        parts = [f"gate passed: {plural(gate['verdicts'], 'verdict')} of {_listed(gate['tested'])}"]
        parts += [f"{gate['waived']:,} accepted by waivers"] if gate["waived"] else []
        parts += [plural(warnings, "warning")] if warnings else []
        return "; ".join(parts)
    first, more = blocking[0], len(blocking) - 1
    said = "gate failed" if gate["status"] == 1 else "gate without a decision, evidence is missing"
    rest = f"; {plural(more, 'more reason')}" if more else ""
    return f"{said}: {flat(first['title'])}{_counted(first)}{rest}"


def _counted(reason: Told) -> str:
    """``, 4 verdicts``, unless the title counts them itself."""
    count = reason["count"]
    return f", {plural(count, 'verdict')}" if count and f"{count} verdicts" not in reason["title"] else ""


def answered(reason: Told) -> str:
    """What was returned and what is right, of the worst case."""
    if not reason["got"]:
        return ""
    if not reason["right"]:
        return f"it {reason['got'].replace('_', ' ')}"
    error = "" if reason["ulps"] is None else f", {number(reason['ulps'])} ulp"
    return f"returned {reason['got']}, right {reason['right']}{error}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(flat(n) for n in names)
