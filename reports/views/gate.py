"""A decision as it is told: its reasons, what became of each waiver, and whether the run may pass.

Made by the floor above from run files and waivers. Every renderer takes these objects; foreign text in them
is as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from xent_conformance.reports.run.commands import NEW_WAIVERS, Files
from xent_conformance.reports.run.words import Status, Symptom
from xent_conformance.reports.text.wording import Answer, capital, joined, listed, plural
from xent_conformance.reports.views.comparison import Change, Difference
from xent_conformance.reports.views.opened import Opened


class Kind(StrEnum):
    """Why. In the order in which reasons are told."""

    NO_VERDICTS = "no verdicts"
    UNFINISHED = "unfinished"
    ABSENT = "absent framework"
    UNDECIDED = "undecided"
    MISSING = "missing since the baseline"
    NOT_COMPARABLE = "not comparable with the baseline"
    EXCLUDED = "left out"
    REGRESSED = "regressed"
    LESS_ACCURATE = "less accurate"
    MUST = "must clause broken"
    UNANSWERED = "nothing answered"
    WORSENED = "waiver worsened"
    EXPIRED = "waiver expired"
    STALE = "waiver stale"
    UNMATCHED = "waiver unmatched"
    ACCEPTED = "new, and accepted"
    AS_BEFORE = "broken as before"
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

_COUNTED = (Kind.UNDECIDED, Kind.MISSING, Kind.NOT_COMPARABLE)
"""Their titles say how many verdicts there are."""

_WAIVED = (Kind.REGRESSED, Kind.LESS_ACCURATE, Kind.MUST, Kind.SHOULD, Kind.AS_BEFORE)
"""About verdicts of a run, which a waiver may accept where they are broken."""


class Finding(NamedTuple):
    """What the verdicts of one finding share, on whatever machine."""

    operator: str
    framework: str
    version: str
    implementation: str
    output: str
    clause: str
    symptom: str


def named(findings: Sequence[Finding], first: str) -> str:
    """``tf.nn.softmax and 2 more``: one implementation by name, and how many others there are."""
    more = len({f.implementation for f in findings} - {first})
    return f"{first} and {more} more" if more else first


def outputs(findings: Sequence[Finding]) -> str:
    """``value and grad_logits``, or how many there are."""
    found = sorted({f.output for f in findings})
    return " and ".join(found) if len(found) < 3 else f"{len(found)} outputs"


@dataclass(frozen=True)
class Reason:
    """One reason; ``count`` verdicts share it, and ``case`` is the worst of them, with its ``answer``.

    ``cause`` is the lasting name of what is wrong, ``findings`` are all in which it shows; the fields from
    ``framework`` to ``symptom`` are of the worst. ``command`` is what to type next; ``waiver`` the name of
    the waiver that it is about, if it is about one.
    """

    kind: Kind
    blocking: bool
    title: str
    detail: str
    command: str
    count: int = 0
    cause: str = ""
    findings: tuple[Finding, ...] = ()
    framework: str = ""
    version: str = ""
    implementation: str = ""
    operator: str = ""
    output: str = ""
    targets: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    level: str = ""
    symptom: str = ""
    case: str = ""
    answer: Answer | None = None
    waiver: str = ""

    @property
    def evidence(self) -> bool:
        """Whether something is missing without which nothing is decided."""
        return self.kind in EVIDENCE

    @property
    def who(self) -> str:
        """The implementation of the worst by name, and how many more it is about."""
        return named(self.findings, self.implementation)

    @property
    def of_what(self) -> str:
        """The outputs that it is about."""
        return outputs(self.findings) or self.output

    @property
    def acceptable(self) -> bool:
        """Whether a waiver of the user's own can accept it: a waiver is of something that is broken."""
        return self.kind in _WAIVED and self.symptom not in ("", Symptom.NONE)

    @property
    def counted(self) -> str:
        """``4 verdicts``; empty where there are none, or where the title says how many."""
        return plural(self.count, "verdict") if self.count and self.kind not in _COUNTED else ""

    @property
    def title_counted(self) -> str:
        """The title, and how many verdicts it is about."""
        return joined(", ", [self.title, self.counted])

    @property
    def answered(self) -> str:
        """What was returned and what is right, of the worst case; empty where it is not about an answer."""
        return self.answer.sentence if self.answer else ""

    @property
    def answered_or_why(self) -> str:
        """The same; where no number came back, with the words for it."""
        return self.answer.with_message(self.detail) if self.answer else self.detail


class State(StrEnum):
    """How a waiver stands after a run."""

    ACCEPTS = "accepts"
    NOT_EVALUATED = "not evaluated"
    BETTER = "better than known"
    EXPIRED = "expired"
    STALE = "stale"
    UNMATCHED = "unmatched"
    WORSENED = "worsened"

    @property
    def blocks(self) -> bool:
        """Whether such a waiver fails the gate."""
        return self in (State.EXPIRED, State.STALE, State.UNMATCHED, State.WORSENED)

    @property
    def unseen(self) -> bool:
        """Whether the run says nothing against it: it was not evaluated, or not where it was seen to fail."""
        return self in (State.NOT_EVALUATED, State.BETTER)


@dataclass(frozen=True)
class Judged:
    """What became of a waiver: ``rows`` verdicts are accepted (or worsened), and ``case`` shows it.

    ``next`` is the command to type about one that accepts nothing; ``not_run``: nothing of its framework was.
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
    not_run: bool = False


@dataclass(frozen=True)
class Acceptance:
    """How many verdicts of a finding and cause a waiver accepts; the first eight fields are the finding."""

    operator: str
    framework: str
    version: str
    implementation: str
    machine: str
    output: str
    clause: str
    symptom: str
    waiver: str
    count: int
    cause: str = ""


@dataclass(frozen=True)
class Answered:
    """How many of the verdicts that a framework offered it answered: it returned, or refused by right."""

    framework: str
    answered: int
    offered: int

    @property
    def words(self) -> str:
        """``torch 80 of 80``."""
        return f"{self.framework} {self.answered:,} of {self.offered:,}"


@dataclass(frozen=True)
class Warned:
    """The warnings of one kind, with the first of them."""

    kind: Kind
    number: int
    first: Reason

    @property
    def told(self) -> str:
        """``15 × should clause broken``."""
        return f"{self.number:,} × {self.kind}"


PASSED, FAILED, INVALID = 0, 1, 3
"""Exit statuses of a decision. 2 is for wrong usage, which never comes to a decision."""

SAID: Mapping[int, str] = {PASSED: "gate passed", FAILED: "gate failed", INVALID: "no decision"}
"""What was decided, as every page, summary and line spells it."""


@dataclass(frozen=True)
class Gate:
    """A decision. ``reasons``: those that block, then the warnings, in the order of :class:`Kind`.

    ``waived`` counts verdicts that waivers accept, each once; ``by_suite`` those of them of which a waiver
    that comes with the suite does, ``of_should`` those that break a should clause. ``changes`` counts pairs,
    where there is a baseline.
    """

    reasons: tuple[Reason, ...]
    waivers: tuple[Judged, ...]
    tested: tuple[str, ...]
    verdicts: int
    by_status: Mapping[Status, int]
    waived: int
    by_suite: int = 0
    of_should: int = 0
    open_errors: int = 0
    """Of the open verdicts, how many are no answer: an error was raised, or a process ended."""
    changes: Mapping[Change, int] = field(default_factory=dict)
    against: tuple[str, ...] = ()
    """Frameworks and versions of the baseline; empty without one."""
    accepted: tuple[Acceptance, ...] = ()
    answered: tuple[Answered, ...] = ()
    """Of each framework that was asked."""
    expiry: str = ""
    """By which day waivers expire, in a sentence; empty where none does."""
    machine: tuple[Difference, ...] = ()
    """What of a machine is not as it was for the baseline: other last bits of its framework are no reason."""
    files: Files = field(default_factory=Files)
    """What was decided on, for the commands that do it again."""

    @property
    def answered_of_offered(self) -> str:
        """``torch 80 of 80, jax 79 of 80``: how much of what each framework offered it answered."""
        return ", ".join(a.words for a in self.answered)

    @property
    def blocking(self) -> tuple[Reason, ...]:
        """The reasons that decide the status."""
        return tuple(r for r in self.reasons if r.blocking)

    @property
    def warnings(self) -> tuple[Reason, ...]:
        """The reasons that do not."""
        return tuple(r for r in self.reasons if not r.blocking)

    @property
    def warned(self) -> tuple[Warned, ...]:
        """The warnings by kind, in the order of the first of each."""
        by_kind: dict[Kind, list[Reason]] = {}
        for reason in self.warnings:
            by_kind.setdefault(reason.kind, []).append(reason)
        return tuple(Warned(kind, len(found), found[0]) for kind, found in by_kind.items())

    @property
    def status(self) -> int:
        """The exit status, from the reasons alone."""
        if any(r.evidence for r in self.blocking):
            return INVALID
        return FAILED if self.blocking else PASSED

    @property
    def verdict(self) -> str:
        """The status in words."""
        return {PASSED: "passed", FAILED: "failed", INVALID: "no decision: evidence is missing"}[self.status]

    @property
    def headline(self) -> str:
        """The verdict and, if it is bad, the first reason."""
        blocking = self.blocking
        if not blocking:
            parts = [f"{SAID[PASSED]}: {self._passed}"]
            parts += [f"{self.waived:,} accepted by {self.waiving}"] if self.waived else []
            return joined("; ", [*parts, plural(len(self.reasons), "warning") if self.reasons else ""])
        said = SAID[FAILED] if self.status == FAILED else "gate without a decision, evidence is missing"
        more = len(blocking) - 1
        rest = plural(more, "more reason") if more else ""
        return joined("; ", [f"{said}: {blocking[0].title_counted}", rest])

    @property
    def waiving(self) -> str:
        """Whose waivers accept: ``this suite's waivers``."""
        whose = [
            *(["this suite's"] if self.by_suite else []),
            *(["your"] if self.by_suite < self.waived else []),
        ]
        return f"{listed(whose)} waivers"

    @property
    def accepting(self) -> str:
        """``This suite's waivers accept 70 verdicts, 9 of them of a should clause.``; empty for none."""
        of = f", {self.of_should:,} of them of a should clause" if self.of_should else ""
        return f"{capital(self.waiving)} accept {plural(self.waived, 'verdict')}{of}." if self.waived else ""

    @property
    def accepts(self) -> int:
        """How many waivers accept what they name, of those that were given."""
        return sum(w.state is State.ACCEPTS for w in self.waivers)

    @property
    def shared(self) -> bool:
        """Whether several waivers accept one verdict, so that their numbers sum to more than ``waived``."""
        return sum(w.rows for w in self.waivers if w.state is State.ACCEPTS) > self.waived

    @property
    def answer(self) -> str:
        """Whether to upgrade, where there is a baseline."""
        if self.status == INVALID:
            return "Not known: evidence is missing."
        if self.status == FAILED:
            return f"No: {plural(len(self.blocking), 'reason')} against it."
        worse = self.changes.get(Change.REGRESSED)
        return "Yes: nothing is worse that blocks." if worse else "Yes: nothing is worse."

    @property
    def sentence(self) -> str:
        """The headline without the word that says whether the gate passed."""
        return self.headline.partition(": ")[2]

    @property
    def _passed(self) -> str:
        """What was tested; against a baseline, whether anything in it is worse."""
        now = ", ".join(self.tested)
        if not self.against:
            return f"{plural(self.verdicts, 'verdict')} of {now}"
        then = ", ".join(self.against)
        sides = f"{now} again" if now == then else f"{now} after {then}"
        worse, better = (self.changes.get(c, 0) for c in (Change.REGRESSED, Change.FIXED))
        if not worse:
            return f"{sides}: no verdict is worse"
        return f"{sides}: {plural(worse, 'verdict')} worse and {better:,} better, {self._passing}"

    @property
    def _passing(self) -> str:
        """Why what is worse than in the baseline does not block; of a machine that changed all is told."""
        none = "none of it new" if self.machine else "none of it new or material"
        accepted = sum(r.count for r in self.reasons if r.kind is Kind.ACCEPTED)
        if not accepted:
            return none
        return f"{none} but {accepted:,} that {'a waiver accepts' if accepted == 1 else 'waivers accept'}"

    @property
    def elsewhere(self) -> str:
        """That the baseline ran on another machine, and what follows; empty where it did not.

        It follows of the frameworks of which it changed, which are named where there are others.
        """
        if not self.machine:
            return ""
        what = listed(list(dict.fromkeys(d.what for d in self.machine)))
        whose = list(dict.fromkeys(d.framework for d in self.machine))
        others = {a.framework for a in self.answered} - {*whose}
        of, there = (f" of {listed(whose)}", " there") if others else ("", "")
        return (
            f"the machine{of} changed since the baseline ({what}): "
            f"what is only less accurate{there} does not block"
        )

    @property
    def of_others(self) -> str:
        """``27 of what was not run (jax, optax)``: waivers not evaluated; empty where all was run."""
        others = [w.framework for w in self.waivers if w.not_run]
        if not others:
            return ""
        return f"{len(others):,} of what was not run ({', '.join(sorted(set(others)))})"

    def first_day(self, adopt: str) -> list[str]:
        """Where a gate without a baseline fails for what no waiver knows: that, and what to type."""
        unknown = [r for r in self.blocking if r.kind is Kind.MUST]
        if self.against or not unknown or not adopt:
            return []
        return [
            f"no baseline: {plural(len(unknown), 'cause')} of a broken must clause that no waiver knows",
            f"known and accepted: {plural(self.waived, 'verdict')} by {plural(self.accepts, 'waiver')}",
            f"first run of this version or machine? Block from now on on what changes: {adopt}",
        ]

    @property
    def acceptance(self) -> tuple[str, str]:
        """What writes stubs of waivers for all that blocks and can be accepted, and what a person then does.

        Both are empty where nothing can, or where a waiver would not help: evidence is missing.
        """
        levels = {r.level or "must" for r in self.blocking if r.acceptable}
        if not levels or self.status != FAILED or not self.files.runs:
            return "", ""
        stubs = self.files.waive(level=levels.pop() if len(levels) == 1 else "all")
        return stubs, f"write reason and link of each, and decide again with --waivers {NEW_WAIVERS}"

    @property
    def counts(self) -> str:
        """``4 breaks must, 96 conforms, 9 open (2 of them errors)``."""
        opened = Opened(self.by_status.get(Status.OPEN, 0), self.open_errors).of_them
        also = {Status.OPEN: f" ({opened})"} if opened else {}
        told = (
            f"{number:,} {status.word}{also.get(status, '')}" for status, number in self.by_status.items()
        )
        return ", ".join(told)

    def changed(self, *, also_none: bool = False) -> str:
        """``1 regressed, 99 same``: the pairs by change, those of which there is none only if asked for."""
        found = [f"{self.changes.get(c, 0):,} {c}" for c in Change if also_none or self.changes.get(c)]
        return ", ".join(found)
