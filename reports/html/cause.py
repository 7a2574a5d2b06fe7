"""One cause as the page shows it: its line, and under it what one needs to believe and to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.cases import Inputs, Line, answers, inputs
from xent_conformance.reports.html.marks import LEVEL, Mark, case_id, cause_id, clause_anchor
from xent_conformance.reports.html.page import MESSAGE_LIMIT
from xent_conformance.reports.html.section import Material
from xent_conformance.reports.html.standing import Waived
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.findings import CAUSE as KEY
from xent_conformance.reports.run.findings import TARGETS
from xent_conformance.reports.run.words import OUTPUTS, SYMPTOMS, Row
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import (
    Answer,
    capital,
    cut,
    dtypes_text,
    in_order,
    plural,
    with_bits,
    words,
)
from xent_conformance.reports.views.affected import Reach, Share
from xent_conformance.reports.views.causes import Cause, worst_first
from xent_conformance.reports.views.issue import shown_issue

QUOTED = 2
"""Clauses that are quoted in full."""

RIGHT = 4
"""Implementations that conform throughout, of which so many are named."""

PLACES = 8
"""Lines that say where a cause shows; of more it says how many."""

GLYPHS = {"some": "◐", "other": "◌", "right": "●", "none": "·"}
"""How a framework fares with the rows of a cause; where all are broken, the mark of the level."""


@dataclass(frozen=True)
class Fare:
    """How one framework fares: ``state`` as :class:`Share` has it, and a sentence."""

    framework: str
    state: str
    glyph: str
    told: str


@dataclass(frozen=True)
class Place:
    """One implementation and clause in which the cause shows, and its worst row; ``what``: which outputs."""

    implementation: str
    where: str
    what: str
    clause: str
    symptom: str
    dtypes: str
    verdicts: str
    answer: str
    case: str
    case_id: str
    """Where the page has the case; empty where it has it already."""


@dataclass(frozen=True)
class Clause:
    """A clause that the cause breaks; ``text`` is empty where it is named and not quoted."""

    number: str
    link: str
    title: str
    level: str
    text: str
    note: str


@dataclass(frozen=True)
class Gated:
    """What the gate makes of a cause: ``waivers`` accept so many verdicts each, ``text`` is of the others."""

    mark: Mark
    state: str
    waivers: tuple[tuple[str, Waived], ...]
    text: str


@dataclass(frozen=True)
class Entry:
    """One cause: its line, and what opens under it. Filters look at ``data``; the first has ``rank`` 0."""

    rank: int
    id: str
    mark: Mark
    title: str
    sentence: str
    about: str
    reached: str
    fares: tuple[Fare, ...]
    verdicts: str
    returned: str
    right: str
    data: Mapping[str, str]
    came_from: str
    facts: tuple[tuple[str, str], ...]
    message: str
    inputs: Inputs | None
    case: str
    answers: tuple[Line, ...]
    left: str
    conforming: tuple[tuple[str, str], ...]
    more_conforming: int
    score: str
    source: str
    clauses: tuple[Clause, ...]
    gate: Gated | None
    script: str
    issue: str
    issue_of_script: bool
    """Whether the issue is of the row that the script shows, so that the two belong together."""
    waiver: str
    command: str
    script_command: str
    findings: str
    places: tuple[Place, ...]
    more_places: int


@dataclass(frozen=True)
class Seen:
    """What the run says of one cause; ``told`` are the cases that have their place on the page already."""

    rows: pl.DataFrame
    shown: Row
    answers: Sequence[Row]
    reach: Reach
    gated: Gated | None
    told: set[str]
    rank: int


def entry(cause: Cause, seen: Seen, material: Material) -> Entry:
    """What the page says of a cause."""
    run, naming, extras, row = material.run, material.naming, material.extras, seen.shown
    answer = Answer.of(row)
    exhibit = material.exhibits.get(row["case"])
    listed, left = answers(seen.answers, naming)
    findings = seen.rows.select(KEY).unique().height
    places = _places(seen, material)
    issue = shown_issue(run, cause, row)
    return Entry(
        rank=seen.rank,
        id=cause_id(cause.id),
        mark=LEVEL[cause.level],
        title=capital(cause.title),
        sentence=cause.sentence,
        about=_about(cause, seen.rows, findings),
        reached=", ".join(cause.frameworks),
        fares=tuple(_fare(share, cause.level) for share in seen.reach.frameworks),
        verdicts=count(cause.verdicts),
        returned=answer.returned,
        right=answer.right or NOTHING,
        data=_data(cause, seen.rows, seen.gated),
        came_from=f"{row['implementation']} · {naming.where(row)} · {row['operator']} {words(row['output'])}"
        + (f", element {row['index']}" if row["index"] and answer.right else ""),
        facts=tuple(_facts(row, answer)),
        message=cut(row["message"], MESSAGE_LIMIT),
        inputs=inputs(exhibit, row["output"]) if exhibit else None,
        case=row["case"],
        answers=listed,
        left=left,
        conforming=tuple((name, plural(n, "answer")) for _, name, n in seen.reach.right[:RIGHT]),
        more_conforming=max(len(seen.reach.right) - RIGHT, 0),
        score=_score(cause),
        source=cause.source,
        clauses=tuple(
            _clause(number, i < QUOTED, run.clause(number)) for i, number in enumerate(cause.clauses)
        ),
        gate=seen.gated,
        script=extras.scripts.get(cause.id, ""),
        issue=issue.text,
        issue_of_script=issue.of_shown,
        waiver=extras.waivers.get(cause.id, ""),
        command=commands.explain(run, row["case"], row["implementation"], row["device"]),
        script_command=commands.script(run, row),
        findings=plural(findings, "finding"),
        places=places[:PLACES],
        more_places=max(len(places) - PLACES, 0),
    )


def _about(cause: Cause, rows: pl.DataFrame, findings: int) -> str:
    """What it looks like, where, and how much of it breaks a must clause, where not all of it does."""
    must = rows.filter(pl.col("level") == "must").height
    parts = [cause.symptom, dtypes_text(cause.dtypes), plural(findings, "finding")]
    return " · ".join([*parts, f"{count(must)} must"] if 0 < must < rows.height else parts)


def _fare(share: Share, level: str) -> Fare:
    glyph = GLYPHS.get(share.state, LEVEL[level].glyph)
    told = {
        "none": "not asked",
        "right": f"right in all {count(share.asked)}",
        "other": f"{count(share.otherwise)} of {plural(share.asked, 'answer')} wrong for another cause",
    }
    some = f"{count(share.broken)} of {plural(share.asked, 'answer')}"
    return Fare(share.name, share.state, glyph, f"{share.name}: {told.get(share.state, some)}")


def _data(cause: Cause, rows: pl.DataFrame, gated: Gated | None) -> Mapping[str, str]:
    devices = rows["device"].unique().sort()
    return {
        "fw": " ".join(cause.frameworks),
        "dt": " ".join(cause.dtypes),
        "op": " ".join(cause.operators),
        "cl": " ".join(cause.clauses),
        "lv": cause.level,
        "dv": " ".join(devices),
        "wv": gated.state if gated else "",
    }


def _facts(row: Row, answer: Answer) -> list[tuple[str, str]]:
    """What came back, what is right, and how far apart, with bits and certified digits."""
    if not answer.right:
        return [("returned", answer.returned)]
    exact = numbers.exact(row["hi"], row["lo"], row["exponent"])
    facts = [
        ("returned", with_bits(row, "got")),
        ("right", with_bits(row, "rounded")),
        ("exact", f"{exact}, certified" if row["hi"] - row["hi"] == 0 else f"{exact}, by the clause"),
    ]
    return [*facts, ("error", f"{answer.distance}, {words(answer.grade)}")] if answer.distance else facts


def _score(cause: Cause) -> str:
    if not cause.hypothesis:
        return "No hypothesis explains these rows; they share clause, operators, output and symptom."
    held = (
        f" {plural(cause.conforming, 'conforming row')} of the same batches do not contradict it."
        if cause.conforming
        else ""
    )
    return f"Predicts what was returned in {plural(cause.verdicts, 'broken verdict')}.{held}"


def _clause(number: str, quoted: bool, told: Mapping[str, str]) -> Clause:
    return Clause(
        number=number,
        link=clause_anchor(number),
        title=told["title"],
        level=told["level"],
        text=told["text"] if quoted else "",
        note=told["note"] if quoted else "",
    )


_PLACE = ["framework", "version", "implementation", "machine", "clause"]


def _places(seen: Seen, material: Material) -> tuple[Place, ...]:
    """One line an implementation and clause, the most verdicts first."""
    grouped = (
        worst_first(seen.rows)
        .group_by(_PLACE, maintain_order=True)
        .agg(
            pl.len().alias("count"),
            TARGETS,
            *(pl.col(c).unique().sort().alias(f"{c}s") for c in ("dtype", "operator", "symptom")),
            pl.col("output").unique().alias("outputs"),
            *(pl.col(c).first() for c in seen.rows.columns if c not in _PLACE),
        )
    )
    down = [True] + [False] * len(_PLACE)
    found: list[Place] = []
    for row in grouped.sort("count", *_PLACE, descending=down).iter_rows(named=True):
        outputs = ", ".join(map(words, in_order(row["outputs"], OUTPUTS)))
        found.append(
            Place(
                implementation=row["implementation"],
                where=material.naming.where_all(row),
                what=f"{', '.join(row['operators'])}: {outputs}",
                clause=row["clause"],
                symptom=", ".join(in_order(row["symptoms"], SYMPTOMS)),
                dtypes=dtypes_text(row["dtypes"]),
                verdicts=count(row["count"]),
                answer=Answer.of(row).sentence,
                case=row["case"],
                case_id="" if row["case"] in seen.told or len(found) >= PLACES else case_id(row["case"]),
            )
        )
        if len(found) <= PLACES:
            seen.told.add(row["case"])
    return tuple(found)
