"""Causes: one thing that is wrong, wherever it shows, in place of a line for every place where it does.

What one hypothesis explains is one cause across implementations, formats, modes and devices, whatever symptom
a row has of it. What none explains is grouped by clause, family of operators, output and kind of symptom, and
is called unexplained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.digest import remembered_digest
from xent_conformance.cases.profile import Profile
from xent_conformance.diagnosis.choice import DOOR, Explained, Weighing, explain
from xent_conformance.diagnosis.doors import Piece
from xent_conformance.diagnosis.hypothesis import Hypothesis
from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.rules import (
    FORM_RULES,
    INDEX_CAST,
    NAMED,
    RULES,
    Rule,
    by_form,
    by_index,
    by_repetition,
    by_rule,
)
from xent_conformance.diagnosis.said import Said
from xent_conformance.diagnosis.told import OF_ALL_FORMS
from xent_conformance.diagnosis.weigh import apart, weigh, weighed, weighing
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import TARGET, Run
from xent_conformance.reports.run.words import FAULTS, NAIVE, Symptom

_SAID: tuple[Hypothesis | Rule, ...] = (*FORM_RULES, INDEX_CAST, *RULES, *reversed(HYPOTHESES))
_BY_NAME = {said.name: said for said in _SAID}

UNEXPLAINED = ""
"""The hypothesis of what none explains."""


OFF = "wrong numbers"

KINDS = {
    symptom.value: OFF
    for symptom in (
        Symptom.LOST_ACCURACY,
        Symptom.BEYOND_BOUND,
        Symptom.FLUSHED,
        Symptom.INFINITE,
        Symptom.FINITE_FOR_INFINITE,
        Symptom.WRONG_INFINITY,
    )
}
"""How far a number is off, to infinity, is a matter of its row, and no other thing that is wrong."""


_LOOKED_AT = (
    "_id",
    *DOOR,
    "formulation",
    "case",
    "outcome",
    "status",
    "symptom",
    "clause",
    "message",
    "index",
    "got",
)
"""The columns of a verdict that a diagnosis needs: all of them, chosen at every step, are much memory."""


class OtherCorpus(ValueError):
    """The run asked other cases than this installation has; the message says what to do."""


def diagnosed(run: Run, oracle: Oracle) -> Run:
    """A run of the corpus with its causes. Raises :class:`OtherCorpus` for a run of other cases."""
    for header in run.headers:
        profile = header["selection"]["profile"]
        if header["corpus"] != (here := remembered_digest(profile)):
            raise OtherCorpus(
                f"the run asked the cases of another version ({header['corpus'][:8]}, here "
                f"{here[:8]}): ask again with this one, or diagnose it with that one"
            )
    profile = max((Profile(h["selection"]["profile"]) for h in run.headers), default=Profile.QUICK)
    asked = batches(
        profile,
        operators=run.verdicts["operator"].unique().to_list(),
        families_=run.verdicts["family"].unique().to_list(),
        dtypes=run.verdicts["dtype"].unique().to_list(),
    )
    return diagnose(run, asked, Said(oracle))


def diagnose(run: Run, asked: Iterable[Batch], said: Said, between: Callable[[], None] = lambda: None) -> Run:
    """The run, in which every broken verdict names its cause, and the header what is known of each.

    ``asked``: the batches that the verdicts are about. The naive formulations, the controls, name none.
    ``between``: called when something has been looked at, and what it took is not needed any more.
    """
    numbered = run.verdicts.with_row_index("_id")
    called, places = _called(numbered), _places(asked)
    explained = weigh(called, places, said, between)
    named = _named(called, explained, places)
    between()
    return _with_causes(numbered, named, explained, run.headers)


def beforehand(verdicts: pl.DataFrame, asked: Iterable[Batch], said: Said) -> Iterator[None]:
    """Have said, a call a step, what :func:`diagnose` will ask about these verdicts when it has all."""
    for _ in weighing(_called(verdicts.with_row_index("_id")), _places(asked), said):
        yield


def unsaid(verdicts: pl.DataFrame, asked: Iterable[Batch], said: Said) -> Iterator[list[Piece]]:
    """The calls that :func:`diagnose` will ask about, in lists that have no door in common.

    Lists of which all is known are left out.
    """
    return apart(_called(verdicts.with_row_index("_id")), _places(asked), said)


def _called(numbered: pl.DataFrame) -> pl.LazyFrame:
    """The verdicts that are explained."""
    return numbered.lazy().select(_LOOKED_AT).filter(pl.col("formulation") != NAIVE)


def diagnosed_alone(verdicts: pl.DataFrame, asked: Iterable[Batch], oracle: Oracle) -> dict[str, Run]:
    """The verdicts of each implementation with their causes, as if it had been asked alone."""
    numbered, places = verdicts.with_row_index("_id"), _places(asked)
    doors: dict[str, list[Weighing]] = {}
    for door, found in weighed(numbered.lazy(), places, Said(oracle)):
        doors.setdefault(door.door[DOOR.index("implementation")], []).append((door, found))
    runs = {}
    for (name,), mine in numbered.partition_by("implementation", as_dict=True, maintain_order=True).items():
        explained = explain(doors.get(str(name), []))
        runs[str(name)] = _with_causes(mine, _named(mine.lazy(), explained, places), explained, ({},))
    return runs


def _places(asked: Iterable[Batch]) -> dict[str, tuple[Batch, int]]:
    """The batch and the row of every case."""
    return {case.id: (batch, case.row) for batch in asked for case in batch.cases}


def _with_causes(
    numbered: pl.DataFrame,
    named: pl.DataFrame,
    explained: Iterable[Explained],
    headers: Sequence[Mapping[str, Any]],
) -> Run:
    words = named["cause"].unique().cast(pl.String)
    numbers = named["cause"].cast(pl.Enum(words)).to_physical()
    which = np.zeros(numbered.height, np.uint32)
    which[np.searchsorted(numbered["_id"], named["_id"])] = numbers.to_numpy().astype(np.uint32) + 1
    written = pl.Series(["", *words], dtype=pl.Categorical).gather(which)
    first, *rest = headers
    told = {**first, "causes": _told(named, explained)}
    verdicts = numbered.drop("_id", "cause", strict=False)
    return Run(verdicts.with_columns(cause=written), (told, *rest))


def _named(
    verdicts: pl.LazyFrame, explained: Iterable[Explained], places: Mapping[str, tuple[Batch, int]]
) -> pl.DataFrame:
    """The broken verdicts, each with its ``hypothesis`` and the id of its ``cause``."""
    looked_at = "_id", *DOOR, "case", "outcome", "symptom", "clause", "message"
    broken = verdicts.filter(pl.col("status").is_in(FAULTS)).select(looked_at).collect()
    by = pl.concat([_by_number(explained), by_index(broken, verdicts, places, DOOR), by_rule(broken)])
    by = by.unique("_id", keep="first")
    left = broken.join(by, on="_id", how="anti", maintain_order="left")
    left = left.filter(pl.col("symptom") != Symptom.LOST_ACCURACY.value)
    now_and_then = by_repetition(broken, left, places, (*TARGET, "operator"))
    left = left.join(now_and_then, on="_id", how="anti", maintain_order="left")
    by = pl.concat([by, now_and_then, by_form(left, verdicts, places, DOOR)])
    tells = "clause", "operator", "output", "symptom"
    named = (
        broken.select("_id", *tells)
        .join(by, on="_id", how="left", maintain_order="left")
        .with_columns(pl.col("hypothesis").fill_null(UNEXPLAINED))
    )
    kind = pl.col("symptom").replace_strict(KINDS, default=pl.col("symptom"))
    derived = pl.when(pl.col("output") == "value").then("output").otherwise(pl.lit("derivatives"))
    alone = pl.concat_str("clause", _family(), derived, kind, separator=" ")
    told = pl.when(pl.col("hypothesis") == UNEXPLAINED).then(alone).otherwise(pl.col("hypothesis"))
    written = told.cast(pl.String).str.to_lowercase().str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-")
    # once for all that say the same: as texts, a cause a row, they are much memory
    causes = named.select("hypothesis", *tells).unique().with_columns(cause=written.cast(pl.Categorical))
    every = named.join(causes, on=["hypothesis", *tells], how="left", maintain_order="left")
    return every.select("_id", "hypothesis", "cause")


def _by_number(explained: Iterable[Explained]) -> pl.DataFrame:
    """``_id`` and ``hypothesis`` of the verdicts whose number a hypothesis predicts."""
    found = [(name, e.of((name, with_))) for e in explained for name, with_ in e.by]
    words = pl.Series([name for name, _ in found], dtype=NAMED["hypothesis"])
    which = np.repeat(np.arange(len(found)), [ids.size for _, ids in found])
    ids = np.concatenate([np.empty(0, np.uint32), *(ids for _, ids in found)])
    return pl.DataFrame({"_id": ids, "hypothesis": words.gather(which)})


def _family() -> pl.Expr:
    """The family of an operator: ``sigmoid`` or ``softmax``."""
    elementwise = [name for name, operator in OPERATORS.items() if operator.elementwise]
    return pl.when(pl.col("operator").is_in(elementwise)).then(pl.lit("sigmoid")).otherwise(pl.lit("softmax"))


def _told(named: pl.DataFrame, explained: Iterable[Explained]) -> dict[str, dict[str, str | int]]:
    """Of each cause that something explains, by its id: what, and how many rows do not contradict it."""
    conforming: dict[str, int] = {}
    for e in explained:
        for name in {name for name, _ in e.by}:
            conforming[name] = conforming.get(name, 0) + e.conforming
    pairs = (
        named.filter(pl.col("hypothesis") != UNEXPLAINED).select("cause", "hypothesis").unique().sort("cause")
    )
    return {
        cause: {
            "hypothesis": name,
            "sentence": OF_ALL_FORMS.get(name, _BY_NAME[name].sentence),
            "source": _BY_NAME[name].source,
            "conforming": conforming.get(name, 0),
        }
        for cause, name in pairs.iter_rows()
    }
