"""Versions: may I upgrade? What the gate says against its baseline, and what became worse since.

Without a baseline there is nothing to say, and no such section.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from xent_conformance.reports.html.marks import Mark, cause_id
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.html.standing import DECIDED, DETAIL_LIMIT
from xent_conformance.reports.run import commands
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import cut, dtypes_text, listed, plural, what_moved, words
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind, Reason

SINCE = (
    Kind.MISSING,
    Kind.NOT_COMPARABLE,
    Kind.REGRESSED,
    Kind.LESS_ACCURATE,
    Kind.ACCEPTED,
    Kind.DRIFTED,
)
"""Reasons that speak of what is not as it was."""

LISTED = 60
"""Reasons that are listed, those that block first; of more the section says how many."""


@dataclass(frozen=True)
class Moved:
    """One reason: what is worse than before, in how many verdicts, and the worst of them."""

    mark: Mark
    kind: str
    effect: str
    implementation: str
    output: str
    clause: str
    link: str
    dtypes: str
    verdicts: str
    then: str
    answer: str
    command: str


@dataclass(frozen=True)
class Upgrade:
    """The answer in a sentence and in the gate's words; ``rows`` what is worse, ``left`` how many more."""

    title: str
    answer: str
    mark: Mark
    sentence: str
    changes: str
    elsewhere: str
    rows: tuple[Moved, ...]
    left: str
    decide: str
    compare: str


def view(material: Material) -> Upgrade | None:
    """What the gate says of the run after its baseline; None without one."""
    gate = material.gate
    if gate is None or not gate.against:
        return None
    found = [reason for reason in gate.reasons if reason.kind in SINCE]
    found.sort(key=lambda reason: not reason.blocking)
    left = len(found) - LISTED
    return Upgrade(
        title=_title(gate),
        answer=gate.answer,
        mark=DECIDED[gate.status],
        sentence=gate.sentence,
        changes=gate.changed() or "no pair of verdicts",
        elsewhere=gate.elsewhere,
        rows=tuple(_moved(reason, material.titles) for reason in found[:LISTED]),
        left=plural(left, "more reason") if left > 0 else "",
        decide=gate.files.gate(),
        compare=_compare(gate.files),
    )


def _title(gate: Gate) -> str:
    """What against what."""
    moved = what_moved(gate.against, gate.tested)
    return f"May I upgrade? {moved}" if moved else f"The same versions again: {listed(gate.tested)}"


def _moved(reason: Reason, causes: Collection[str]) -> Moved:
    mark = Mark("✕", "blocks", "m") if reason.blocking else Mark("▲", "warns", "s")
    return Moved(
        mark=mark,
        kind=reason.kind,
        effect=mark.word,
        implementation=reason.implementation or reason.title,
        output=" ".join(filter(None, [reason.operator, words(reason.output)])),
        clause=" ".join(filter(None, [reason.level, reason.clause, reason.symptom])),
        link=cause_id(reason.cause) if reason.cause in causes else "",
        dtypes=dtypes_text(reason.dtypes),
        verdicts=count(reason.count) if reason.count else NOTHING,
        then=cut(reason.detail, DETAIL_LIMIT),
        answer=reason.answered,
        command=reason.command,
    )


def _compare(files: commands.Files) -> str:
    """What shows every change, better and worse, with its values."""
    old = files.baseline[0] if len(files.baseline) == 1 else "OLD.parquet"
    new = files.runs[0] if len(files.runs) == 1 else "NEW.parquet"
    return commands.compare(old, new, "--html", "FILE.html")


SECTION = Section("versions", "Versions", "upgrade.html", view)
