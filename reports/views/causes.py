"""A cause: one thing that is wrong, wherever it shows. A run file names one of each broken verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, NAIVE, SYMPTOMS, Row
from xent_conformance.reports.text.wording import Answer, listed
from xent_conformance.reports.views.harm import Harm, harm

COMPOSED = "[+*]"
"""What stands between the functions of an implementation that the suite composed: ``torch.log_softmax*p``."""


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong. ``id`` lasts from run to run: it is made of what it is, not of where it shows.

    ``hypothesis``, ``sentence`` and ``source`` are empty where none explains it. ``conforming`` rows of the
    same implementations, outputs and formats were held against the hypothesis, and none contradicts it.
    ``harm`` is that of its worst verdicts; of those, ``worst`` is the case whose error is the largest share
    of its bound: ``output`` of ``implementation`` of ``framework``, in ``mode`` on ``device``.
    """

    id: str
    hypothesis: str
    sentence: str
    source: str
    symptom: str
    level: str
    harm: Harm
    clauses: tuple[str, ...]
    operators: tuple[str, ...]
    outputs: tuple[str, ...]
    frameworks: tuple[str, ...]
    implementations: tuple[str, ...]
    dtypes: tuple[str, ...]
    verdicts: int
    conforming: int
    worst: str
    framework: str
    implementation: str
    mode: str
    device: str
    output: str
    answer: Answer

    @property
    def title(self) -> str:
        """The hypothesis; where none explains it, the clause, of what, and what is seen."""
        of = "values" if self.outputs == ("value",) else "derivatives"
        alone = f"clause {', '.join(self.clauses)}, {of} of {listed(self.operators)}: {self.symptom}"
        return self.hypothesis or f"{alone}, unexplained"

    @property
    def returned(self) -> str:
        """The number that came back for the worst case; empty where none did."""
        return self.answer.returned if self.answer.right else ""

    @property
    def right(self) -> str:
        """The exact value of the worst case, rounded once; empty where no number came back."""
        return self.answer.right

    @property
    def answered(self) -> str:
        """Who answered the worst case, in words."""
        return f"{self.implementation} {self.mode} {self.device}"


def causes(run: Run) -> list[Cause]:
    """The causes that a run file names, worst first: by level, by harm, then by how far they reach.

    Naive formulations, the controls, have none.
    """
    # one after the other: the rows of all are all that is broken a second time
    names = [name for name in run.broken["cause"].unique() if name]
    found = [_cause(run.broken.filter(pl.col("cause") == name), run) for name in names]
    return sorted(found, key=lambda c: (c.level != "must", c.harm, -len(c.frameworks), -c.verdicts, c.id))


def worst_cases(run: Run) -> list[str]:
    """The worst case of each, alone: what :func:`causes` says of them besides is not looked for."""
    looked_at = ("cause", "level", "symptom", "clause", "ratio", "asked", "n", *_AMONG_EQUALS)
    left = _ranked(run.broken.lazy().select(looked_at).filter(pl.col("cause") != "").collect())
    for name, down in _RANKS.items():  # who sorts all of them has what they are sorted by, text for text
        rank = pl.col(name).fill_null(float("-inf")) if name == "_share" else pl.col(name)
        best = rank.max() if down else rank.min()
        left = left.filter(rank == best.over("cause"))
    named = _sorted(left)
    return named.unique("cause", keep="first", maintain_order=True)["case"].to_list()


def unnamed(run: Run) -> int:
    """How many broken verdicts name no cause: all of them in a file of before there were causes."""
    return run.broken.filter(pl.col("cause") == "").height


def worst_verdict(run: Run, cause: str, of: Callable[[str], bool] = bool) -> Row | None:
    """The worst verdict of a cause, by its name, in the frameworks that are meant; None for none.

    Of equals, that of a function which users call by itself: not composed by the suite, then fused.
    """
    rows = run.broken.filter(pl.col("cause") == cause)
    meant = [name for name in rows["framework"].unique() if of(name)]
    found = worst_first(rows.filter(pl.col("framework").is_in(meant)))
    equals = pl.all_horizontal(pl.col(k).eq_missing(pl.col(k).first()) for k in ("_mild", "_harm", "_share"))
    composed = pl.col("implementation").cast(pl.String).str.contains(COMPOSED)
    whole = found.filter(equals).sort(composed, pl.col("formulation") != "fused", maintain_order=True)
    return whole.row(0, named=True) if whole.height else None


_RANKS = {"_mild": False, "_harm": False, "_share": True, "asked": True, "n": False}
"""By what verdicts are put in order, and whether the most is first."""

_AMONG_EQUALS = ("case", "implementation", "mode", "device")


def worst_first(rows: pl.DataFrame) -> pl.DataFrame:
    """By level, by harm, by the share of the bound; of equals what most were asked, and the shortest."""
    return _sorted(_ranked(rows))


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    # an infinity or a NaN is no share of a bound: such rows are equals
    share = pl.when(pl.col("ratio").is_finite()).then("ratio")
    return rows.with_columns(_mild=pl.col("level") != "must", _harm=harm(), _share=share)


def _sorted(ranked: pl.DataFrame) -> pl.DataFrame:
    down = [*_RANKS.values(), *([False] * len(_AMONG_EQUALS))]
    return ranked.sort(*_RANKS, *_AMONG_EQUALS, descending=down, nulls_last=True)


def named(run: Run) -> Run:
    """The run, in which every broken verdict names a cause: those that nobody diagnosed by what they break.

    So each stands under one cause, whatever wrote the file. The naive formulations, the controls, name none.
    """
    undiagnosed = pl.col("status").is_in(FAULTS) & (pl.col("cause") == "") & (pl.col("formulation") != NAIVE)
    told = pl.concat_str("clause", "operator", "output", "symptom", separator=" ").str.to_lowercase()
    name = told.str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-")
    cause = pl.when(undiagnosed).then(name).otherwise("cause")
    return Run(run.verdicts.with_columns(cause.alias("cause")), run.headers)


_EVERY = ("symptom", "clause", "operator", "output", "framework", "implementation", "dtype")
"""The columns of which all that there is is told."""


def _cause(rows: pl.DataFrame, run: Run) -> Cause:
    worst = worst_first(rows).row(0, named=True)
    told = run.causes.get(worst["cause"], {})
    found = rows.select(pl.col(_EVERY).unique().implode()).row(0, named=True)
    every = {column: tuple(sorted(names)) for column, names in found.items()}
    return Cause(
        id=worst["cause"],
        hypothesis=told.get("hypothesis", ""),
        sentence=told.get("sentence", ""),
        source=told.get("source", ""),
        symptom=", ".join(s.value for s in SYMPTOMS if s.value in every["symptom"]),
        level=worst["level"],
        harm=Harm(worst["_harm"]),
        clauses=every["clause"],
        operators=every["operator"],
        outputs=every["output"],
        frameworks=every["framework"],
        implementations=every["implementation"],
        dtypes=every["dtype"],
        verdicts=rows.height,
        conforming=told.get("conforming", 0),
        worst=worst["case"],
        framework=worst["framework"],
        implementation=worst["implementation"],
        mode=worst["mode"],
        device=worst["device"],
        output=worst["output"],
        answer=Answer.of(worst),
    )
