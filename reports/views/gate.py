"""A decision as it is told: its :mod:`.reasons`, its :mod:`.waivers`, and whether the run may pass.

Made by the floor above from run files and waivers. Every renderer takes these objects; foreign text in them
is as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xent_conformance.reports.run.commands import NEW_WAIVERS, Files
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.wording import capital, joined, listed, plural
from xent_conformance.reports.views.comparison import Change, Difference
from xent_conformance.reports.views.opened import Opened
from xent_conformance.reports.views.reasons import Kind, Reason, Warned
from xent_conformance.reports.views.waivers import Acceptance, Judged, State


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
