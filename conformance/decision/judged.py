"""What became of each waiver in a run: which verdicts it accepts, and whether it still holds."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from xent_conformance.cases.corpus import find_case
from xent_conformance.decision.places import Places
from xent_conformance.decision.units import is_diagnosed
from xent_conformance.decision.waivers import ANY, Waiver, matching
from xent_conformance.decision.witness import asked_in
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, Row, Status, Symptom
from xent_conformance.reports.text.wording import listed
from xent_conformance.reports.views.waivers import Judged, State

_LOOKED_AT = ("case", "operator", "framework", "version", "implementation", "mode", "device", "output",
              "symptom", "clause", "ulps", "cause")  # fmt: skip
"""The columns of a fault by which a waiver is judged: all of them, chosen for each, are much memory."""

_NO_ROWS = pl.Series("_row", [], pl.UInt32)


@dataclass(frozen=True)
class JudgedWaiver:
    """``rows`` verdicts are accepted (or worsened); ``case`` shows it.

    ``next`` is the command to type about one that accepts nothing; the gate fills it in.
    """

    waiver: Waiver
    state: State
    rows: int
    message: str
    case: str = ""
    implementation: str = ""
    device: str = commands.PLAIN_DEVICE
    next: str = ""
    not_run: bool = False

    def told(self) -> Judged:
        """As it is shown."""
        w = self.waiver
        return Judged(
            w.name, w.framework, w.reason, w.link, w.source, self.state, self.rows, self.message,
            self.case, self.implementation, self.next, self.not_run,
        )  # fmt: skip


def judge_waivers(
    run: Run, faults: pl.DataFrame, verdicts: pl.LazyFrame, waivers: Sequence[Waiver], day: datetime.date
) -> tuple[pl.DataFrame, list[JudgedWaiver]]:
    """The ``faults`` among ``verdicts``, each with the name of the ``waiver`` that accepts it, or null.

    Those that a worsened waiver speaks of bear no name: they block by themselves. Where a waiver of the
    user's own accepts what one of the suite knows, it is the user's: somebody here has reviewed it.
    """
    waivers = sorted(waivers, key=lambda waiver: waiver.shipped)
    cases = {case for w in waivers for case in w.witnesses}
    witnesses = verdicts.filter(pl.col("case").is_in(cases)).collect()
    numbered = faults.select(_LOOKED_AT).with_row_index("_row")
    parts = numbered.partition_by("framework", as_dict=True).items()
    of = {str(name): Places(found) for (name,), found in parts}
    nothing, witnessed = Places(numbered.clear()), Places(witnesses)
    diagnosed = is_diagnosed(faults)
    accepts = np.full(faults.height, -1, np.int32)
    judged = []
    for i, waiver in enumerate(waivers):
        mine = of.get(waiver.framework, nothing)
        found, rows = _judge(waiver, run, witnessed, mine, day, diagnosed=diagnosed)
        judged.append(found)
        free = rows.filter(accepts[rows.to_numpy()] < 0)
        accepts[free.to_numpy()] = i
    names = pl.Series("waiver", [waiver.name for waiver in waivers], pl.String)
    which = pl.Series(accepts)
    marked = faults.with_columns(names.gather(which.set(which < 0, None)))
    return marked, _worsened(judged, marked)


def _judge(
    w: Waiver,
    run: Run,
    witnesses: Places,
    faults: Places,
    day: datetime.date,
    *,
    diagnosed: bool,
) -> tuple[JudgedWaiver, pl.Series]:
    """``witnesses``: what became of those of all waivers; ``faults``: of its framework."""
    asked = _asked(w, run)
    edit = f"edit {w.source}"
    if not asked:
        return JudgedWaiver(w, State.NOT_EVALUATED, 0, f"{w.framework} was not run", not_run=True), _NO_ROWS
    silent = _silent(w, run, asked, diagnosed=diagnosed)
    if silent:
        return JudgedWaiver(w, State.NOT_EVALUATED, 0, silent), _NO_ROWS
    unknown, witness = _unknown(w, run)
    if unknown:
        return JudgedWaiver(w, State.UNMATCHED, 0, f"{unknown}; {edit}", witness), _NO_ROWS
    rows = faults.of(w).filter(w.accepts())
    numbers = rows["_row"]
    if w.expires is not None and day >= w.expires:
        words = f"it expired on {w.expires}; decide again whether {w.signature()} is acceptable, then {edit}"
        return JudgedWaiver(w, State.EXPIRED, rows.height, words, *_worst(rows)), _NO_ROWS
    witnessed = witnesses.of(w).filter(pl.col("case").is_in(w.witnesses))
    if witnessed.is_empty():
        return JudgedWaiver(w, State.NOT_EVALUATED, rows.height, "none of its witnesses was asked"), numbers
    still = witnessed.filter(pl.col("status").is_in(FAULTS))
    fixed = sorted(set(witnessed["case"]) - set(still["case"]))
    if fixed and not any(w.seen_with(f["environment"].get("instructions")) for f in asked):
        seen = " ".join(w.instructions)
        words = f"its witness {fixed[0]} conforms on this processor; it was seen to fail on one with {seen}"
        return JudgedWaiver(w, State.BETTER, rows.height, words, *_worst(rows)), numbers
    if fixed:
        passing = witnessed.filter(pl.col("case") == fixed[0]).row(0, named=True)
        told = mended(w, passing)
        return JudgedWaiver(w, State.STALE, rows.height, told, *_place(passing)), numbers
    words = f"accepts {rows.height} verdicts: {w.signature()}"
    return JudgedWaiver(w, State.ACCEPTS, rows.height, words, *_worst(rows)), numbers


def _asked(w: Waiver, run: Run) -> list[Row]:
    """What was run of its framework, as headers have it."""
    return [f for h in run.headers for f in h["frameworks"] if f["framework"] == w.framework]


def mended(waiver: Waiver, witness: Row) -> str:
    """What to do about a waiver whose witness, of which this is a verdict, should fail and does not."""
    words = {Status.CONFORMS.value: "conforms", Status.OPEN.value: "is not judged"}
    now = words.get(witness["status"], f"is {witness['status']}")
    take = f"take the waiver (or the witness) out of {waiver.source}"
    return f"its witness {witness['case']} {now} now; {take}"


def _worst(rows: pl.DataFrame) -> tuple[str, str, str]:
    return ("", "", commands.PLAIN_DEVICE) if rows.is_empty() else _place(_first(rows))


def _first(rows: pl.DataFrame) -> Row:
    """The worst row."""
    return rows.sort(["ulps", "case"], descending=[True, False], nulls_last=True).row(0, named=True)


def _place(row: Row) -> tuple[str, str, str]:
    """What shows a verdict again: its case, its implementation and its device."""
    return row["case"], row["implementation"], row["device"]


def _silent(w: Waiver, run: Run, asked: Sequence[Mapping[str, Any]], *, diagnosed: bool) -> str:
    """Why a run in which its framework was ``asked`` can say nothing about it; empty where it can."""
    versions = [f["version"] for f in asked]
    here = [f.get("environment", {}) for f in asked if w.in_range(f["version"])]
    if not here:
        return f"{w.framework} {', '.join(dict.fromkeys(versions))} is not in its range {w.versions}"
    if all(w.without(environment) for environment in here):
        return f"{w.framework} {', '.join(dict.fromkeys(versions))} was not asked on {w.without(here[0])[0]}"
    if w.cause and not diagnosed:
        return "the run file names no causes, as those of before did not: run again"
    there = [i["name"] for h in run.headers for i in h["implementations"] if i["framework"] == w.framework]
    framework = FRAMEWORKS.get(w.framework)
    declared = [i.name for i in framework.declaration.implementations] if framework else []
    if not matching(there, w.implementations) and matching(declared, w.implementations):
        return "none of its implementations was asked"
    return ""


def _unknown(w: Waiver, run: Run) -> tuple[str, str]:
    """What it names that does not exist, an implementation or a case, and that case."""
    there = {i["name"] for h in run.headers for i in h["implementations"] if i["framework"] == w.framework}
    for pattern in w.implementations:
        if not matching(there, [pattern]):
            return f"{w.framework} has no implementation {pattern!r} (`conformance list implementations`)", ""
    computed = _computed(w, run)
    for witness in () if w.shipped else w.witnesses:  # of ours a test says that they are there
        asked = run.verdicts["case"].eq(witness).any()  # of the corpus, or of a file of cases
        try:
            if not asked:
                find_case(witness)
        except LookupError:
            return f"there is no case {witness!r}", witness
        operator = witness.partition("/")[0]
        if computed is not None and operator not in computed:
            told = f"none of its implementations computes {operator}, of which its witness {witness} is"
            of = listed(computed) or "an operator that they compute"
            return f"{told}: name a case of {of} that fails", witness
        if not matching([witness], w.cases):
            return f"its witness {witness} is none of its cases: name one that fails", witness
    return "", ""


def _computed(w: Waiver, run: Run) -> list[str] | None:
    """Those of its operators that its implementations compute, asked in this run or not; None: nobody knows.

    Of a framework that is not known here a pattern may name more than was asked.
    """
    framework = FRAMEWORKS.get(w.framework)
    if framework is None and any(set("*?") & set(pattern) for pattern in w.implementations):
        return None if w.operators == ANY else sorted(w.operators)
    asked = (i for h in run.headers for i in h["implementations"] if i["framework"] == w.framework)
    found = {(i["name"], i["operator"]) for i in asked}
    if framework:
        found |= {(i.name, i.operator) for i in framework.declaration.implementations}
    names = matching({name for name, _ in found}, w.implementations)
    return sorted({o for name, o in found if name in names and (w.operators == ANY or o in w.operators)})


def _worsened(judged: Sequence[JudgedWaiver], marked: pl.DataFrame) -> list[JudgedWaiver]:
    """Waivers in whose place something fails that none accepts: by more, or in another way."""
    every = Places(marked.select(*_LOOKED_AT, "waiver"))
    unaccepted = Places(every.verdicts.filter(pl.col("waiver").is_null()))
    found = []
    for j in judged:
        w = j.waiver
        if j.state is not State.ACCEPTS:
            found.append(j)
            continue
        here = unaccepted.of(w).filter((pl.col("clause") == w.clause) | pl.col("case").is_in(w.witnesses))
        if here.is_empty():
            found.append(j if j.rows else _idle(j, every))
            continue
        row = _first(here)
        size = f" of {row['ulps']:.6g} ulp" if math.isfinite(row["ulps"]) else ""
        words = (
            f"it accepts {w.signature()}; now there is {row['symptom']}{size} ({row['clause']}) "
            f"in {here.height} verdicts; find out why before {w.source} is changed"
        )
        found.append(JudgedWaiver(w, State.WORSENED, here.height, words, *_place(row)))
    return found


def _idle(j: JudgedWaiver, marked: Places) -> JudgedWaiver:
    """A waiver whose witnesses fail, in ways that other waivers accept: nothing bears its signature.

    A witness that was refused was not answered: it says nothing, for or against.
    """
    w = j.waiver
    witnessed = marked.of(w).filter(pl.col("case").is_in(w.witnesses))
    if set(witnessed["symptom"]) == {Symptom.REFUSED}:
        words = f"its witnesses were refused, which {witnessed['waiver'][0]} accepts"
        return replace(j, state=State.NOT_EVALUATED, message=words)
    words = f"nothing in its place is {w.signature()}; take it out of {w.source}, or correct it"
    return replace(j, state=State.UNMATCHED, message=words, case=w.witnesses[0])


def for_waiver(judged: JudgedWaiver, run: Run) -> str:
    """What to type about a waiver that accepts nothing; empty for one that does, or that no profile asks.

    Nor is there anything to type about one of another version, which a run of this one never asks.
    """
    waiver = judged.waiver
    if judged.state in (State.ACCEPTS, State.BETTER):
        return ""
    if judged.state is State.NOT_EVALUATED:
        if judged.not_run:
            return commands.ask(waiver.framework, "standard")
        if not any(waiver.in_range(version) for version in (f["version"] for f in _asked(waiver, run))):
            return ""
        profile = asked_in(waiver, waiver.witnesses[0], run)
        return commands.ask(waiver.framework, profile, run) if profile else ""
    if judged.case:
        return commands.explain(run, judged.case, judged.implementation, judged.device)
    return commands.implementations(run)
