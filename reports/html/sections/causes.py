"""What is wrong, each thing once: a line a cause, and under it what one needs to believe and to repeat it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.cause import Entry, Gated, Seen, entry
from xent_conformance.reports.html.marks import LEVEL, Mark
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.html.standing import Waived, waived
from xent_conformance.reports.run.words import NAIVE, Row
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import (
    DTYPES,
    in_order,
    plural,
)
from xent_conformance.reports.views.affected import reaches
from xent_conformance.reports.views.causes import worst_first


@dataclass(frozen=True)
class Level:
    """The causes of one level."""

    id: str
    mark: Mark
    about: str
    causes: tuple[Entry, ...]


@dataclass(frozen=True)
class Causes:
    """All causes, and what they can be narrowed to: values by the name of a filter."""

    number: int
    explained: str
    frameworks: tuple[str, ...]
    levels: tuple[Level, ...]
    choices: Mapping[str, tuple[tuple[str, str], ...]]


_ABOUT = {
    "must": "wrong by a rule that leaves no choice",
    "should": "short of what a careful implementation reaches",
}


def view(material: Material) -> Causes:
    """The causes of the run, must before should, the most harmful first."""
    reached = reaches(material.run, material.naming.frameworks)
    rows_of = material.run.broken.filter(pl.col("cause") != "").partition_by(
        "cause", as_dict=True, maintain_order=True
    )
    shown = {c.id: worst_first(rows_of[c.id,]).row(0, named=True) for c in material.causes}
    asked = _asked(material, shown)
    gated = _gated(material)
    told: set[str] = set()
    entries = [
        entry(
            c,
            Seen(rows_of[c.id,], shown[c.id], asked[c.id], reached[c.id], gated.get(c.id), told, rank),
            material,
        )
        for rank, c in enumerate(material.causes)
    ]
    explained, total = (
        sum(c.verdicts for c in material.causes if c.hypothesis or every) for every in (False, True)
    )
    return Causes(
        number=len(entries),
        explained=f"{count(explained)} of {plural(total, 'broken verdict')}",
        frameworks=material.naming.frameworks,
        levels=tuple(
            Level(level, LEVEL[level], about, tuple(e for e in entries if e.mark is LEVEL[level]))
            for level, about in _ABOUT.items()
        ),
        choices=_choices(material, entries),
    )


def _choices(material: Material, entries: Sequence[Entry]) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """What there is to choose, a filter a name; of one choice there is none."""

    def found(key: str, order: Sequence[str]) -> list[str]:
        return in_order(list({word for e in entries for word in e.data[key].split()}), order)

    titles = {number: told["title"] for number, told in material.run.header["clauses"].items()}
    choices = {
        "dt": [(d, d) for d in found("dt", list(DTYPES))],
        "op": [(o, o) for o in found("op", list(material.run.header["operators"]))],
        "cl": [(c, f"{c} {titles[c]}") for c in found("cl", list(titles))],
        "dv": [(d, d) for d in found("dv", [])],
        "wv": [(w, w) for w in found("wv", ["waived", "partly", "blocks", "warns"])],
    }
    return {name: tuple(values) for name, values in choices.items() if len(values) > 1}


def _asked(material: Material, shown: Mapping[str, Row]) -> Mapping[str, list[Row]]:
    """By cause, everybody's answers to the row that is shown."""
    called = material.run.verdicts.filter(pl.col("formulation") != NAIVE)
    wanted = pl.DataFrame(
        [(cause, row["case"], row["output"]) for cause, row in shown.items()],
        schema={"of": pl.String, **{name: called.schema[name] for name in ("case", "output")}},
        orient="row",
    )
    found: dict[str, list[Row]] = {cause: [] for cause in shown}
    if shown:
        for row in called.join(wanted, on=["case", "output"]).iter_rows(named=True):
            found[row["of"]].append(row)
    return found


def _gated(material: Material) -> Mapping[str, Gated]:
    """By cause, what the gate makes of it."""
    gate = material.gate
    if gate is None:
        return {}
    by_name = {w.name: waived(w) for w in gate.waivers}
    broken = material.run.broken.group_by("cause", "level").len()
    left = Counter({(cause, level): number for cause, level, number in broken.iter_rows()})
    accepted: dict[str, dict[str, int]] = {}
    for kept in gate.accepted:
        of = accepted.setdefault(kept.cause, {})
        of[kept.waiver] = of.get(kept.waiver, 0) + kept.count
        left[kept.cause, material.run.clause(kept.clause)["level"]] -= kept.count
    blocking = {(reason.cause, reason.level) for reason in gate.blocking}
    found = {}
    for cause in material.causes:
        by = accepted.get(cause.id, {})
        entries = tuple((count(n), by_name[name]) for name, n in by.items() if name in by_name)
        rest = {level: n for level in _ABOUT if (n := left[cause.id, level])}
        blocks = {level for level in _ABOUT if (cause.id, level) in blocking}
        found[cause.id] = _standing(rest, blocks, entries)
    return found


def _standing(left: Mapping[str, int], blocks: Set[str], by: tuple[tuple[str, Waived], ...]) -> Gated:
    """What the gate makes of a cause of which so many verdicts of each level are ``left`` by its waivers.

    A should clause that does not block asks for no waiver: what breaks it is no part that is left to do.
    """
    what = "more verdict" if by else "verdict" if len(left) > 1 else ""
    told = [_left(level, number, level in blocks, what) for level, number in left.items()]
    if blocks - left.keys():
        told.append("what is new against the baseline no waiver of the suite hides")
    text = "; ".join(told)
    if blocks:
        return Gated(Mark("✕", "fails the gate", "m"), "blocks", by, text)
    if "must" not in left and (by or not left):
        return Gated(Mark("●", "waived", "k"), "waived", by, text)
    if by:
        return Gated(Mark("▲", "waived in part", "s"), "partly", by, text)
    return Gated(Mark("▲", "a warning", "s"), "warns", by, text)


def _left(level: str, number: int, blocks: bool, what: str) -> str:
    """What becomes of the verdicts of a level that no waiver accepts; ``what``: empty for the whole cause."""
    one = not what or number == 1
    they, them = ("it does", "it") if one else ("they do", "them")
    accepts = f"{'no waiver accepts' if blocks or level == 'must' else 'nothing has to accept'} {them}"
    told = accepts if blocks else f"{they} not block, and {accepts}"
    whose = f"{plural(number, what)} {'breaks' if one else 'break'} a {level} clause: " if what else ""
    return f"{whose}{told}"


SECTION = Section("causes", "Causes", "causes.html", view)
