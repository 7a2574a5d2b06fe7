"""What to know before one chooses: sentences made from the numbers of a run, each leads to its cause.

A sentence is there where the run has what it speaks of, and where something is not as one would expect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import JUDGED, ORDINARY, Grade, Status, Symptom
from xent_conformance.reports.text.featured import BAD_INDEX, GROUPS, LONG_SUM, MASKED
from xent_conformance.reports.text.numbers import ulps
from xent_conformance.reports.text.wording import capital, listed, plural, words
from xent_conformance.reports.views.causes import Cause
from xent_conformance.reports.views.doors import choices, doors
from xent_conformance.reports.views.scorecard import SMALL

NAMED = 3
"""So many implementations are named; of more it says how many."""

MANY = 0.2
"""Of the ordinary rows: who loses the digits of so many is told, where another keeps them all."""


@dataclass(frozen=True)
class Line:
    """One thing to know: ``what``, then the sentence; ``level`` is empty where nothing is broken.

    It is about a ``cause``, or else about the implementations of an ``operator``.
    """

    level: str
    what: str
    sentence: str
    cause: str = ""
    operator: str = ""

    @property
    def joint(self) -> str:
        """What stands between ``what`` and the sentence: a colon, unless it goes on."""
        return " " if self.sentence.startswith(("in ", "by ")) else ": "


def know(run: Run, causes: Sequence[Cause]) -> list[Line]:
    """What there is to know of this run: broken must clauses first, as a reader expects; those of one level
    in the order of the ``causes``, worst first; then what has none.

    The level of a line is that of the rows that it speaks of: its cause may break a worse clause elsewhere.
    """
    judged = called(run).verdicts.filter(pl.col("status").is_in(JUDGED))
    found = [line for make in _MAKERS for line in make(judged)] + list(_twins(run))
    place, level = {cause.id: rank for rank, cause in enumerate(causes)}, ["must", "should", ""]
    return sorted(found, key=lambda line: (level.index(line.level), place.get(line.cause, len(causes))))


def _masked(judged: pl.DataFrame) -> Iterable[Line]:
    """A label of zero on a masked class: NaN where 0 · ∞ is multiplied out."""
    rows = judged.filter((pl.col("clause") == MASKED) & (pl.col("output") == "value"))
    rows = rows.filter(pl.col("operator").is_in(GROUPS["cross-entropy"]))
    broken = rows.filter((pl.col("status") != Status.CONFORMS) & (pl.col("symptom") == Symptom.NAN))
    if broken.is_empty():
        return
    bad, right = set(broken["implementation"]), _names(rows, set(broken["implementation"]))
    whole = plural(rows["implementation"].n_unique(), "implementation")
    rest = f"; {_few(right)} {'is' if len(right) == 1 else 'are'} right" if right else ""
    if modes := list(_right_modes(rows, bad)):  # what is wrong in one mode alone is counted, and told
        verb = "is" if len(modes) == 1 else "are"
        rest += f", and so {verb} {_few(modes)}" if right else f"; {_few(modes)} {verb} right"
    yield Line(
        _level(broken),
        "A masked class makes a loss NaN",
        f"in {len(bad)} of {whole}, for a label of zero on a class whose logit is −∞{rest}.",
        _usual(broken),
    )


def _right_modes(rows: pl.DataFrame, bad: set[str]) -> Iterable[str]:
    """``tf.nn.x in xla``: implementations that are wrong, with the modes in which nothing of theirs is."""
    of = rows.filter(pl.col("implementation").is_in(bad)).group_by("implementation", "mode")
    counted = of.agg((pl.col("status") != Status.CONFORMS).sum().alias("broken"))
    for name, mode, _ in counted.filter(pl.col("broken") == 0).sort("implementation", "mode").iter_rows():
        yield f"{name} in {mode}"


def _index(judged: pl.DataFrame) -> Iterable[Line]:
    """An index outside of the classes: a number in silence, where others raise or return NaN."""
    rows = judged.filter((pl.col("clause") == BAD_INDEX) & (pl.col("output") == "value"))
    silent = rows.filter(pl.col("symptom") == Symptom.FINITE_FOR_NAN)
    if silent.is_empty():
        return
    who = sorted(set(silent["framework"]))
    others = sorted(set(rows["framework"]) - set(who))
    rest = f"; {listed(others)} never {'is' if len(others) == 1 else 'are'} silent" if others else ""
    yield Line(
        _level(silent),
        "A bad index label is accepted in silence",
        f"by implementations of {listed(who)}: the loss of another class, or of none{rest}.",
        _usual(silent),
    )


def _long(judged: pl.DataFrame) -> Iterable[Line]:
    """Long sums in 16 bits: infinite in an accumulator of the format of the logits."""
    rows = judged.filter((pl.col("clause") == LONG_SUM) & (pl.col("output") == "value"))
    for dtype in ("float16", "bfloat16"):
        here = rows.filter(pl.col("dtype") == dtype)
        broken = here.filter(pl.col("symptom") == Symptom.INFINITE)
        if broken.is_empty():
            continue
        bad = set(broken["framework"])
        right = sorted(set(here["framework"]) - bad)
        rest = f"; {listed(right)} {'conforms' if len(right) == 1 else 'conform'}" if right else ""
        number = f"{broken['implementation'].n_unique()} of {here['implementation'].n_unique()}"
        whose = f", of {plural(len(bad), 'framework')}" if here["framework"].n_unique() > 1 else ""
        yield Line(
            _level(broken),
            f"{dtype} with 2¹⁷ classes",
            f"{_ops(broken)} come back infinite in {number} implementations{whose}{rest}.",
            _usual(broken),
        )
        return


def _ops(rows: pl.DataFrame) -> str:
    return listed([words(o) for o in sorted(set(rows["operator"]))[:NAMED]])


def _softmax(judged: pl.DataFrame) -> Iterable[Line]:
    """Whose softmax of sixteen bits is most and least accurate on ordinary logits."""
    for dtype in ("bfloat16", "float16"):
        rows = _ordinary(judged).filter(
            (pl.col("operator").is_in(GROUPS["softmax"])) & (pl.col("dtype") == dtype)
        )
        worst = rows.group_by("framework").agg(pl.col("ulps").max()).sort("ulps", "framework")
        if worst.height < 2 or worst["ulps"][-1] < 2 * max(worst["ulps"][0], 0.5):
            continue
        least = worst.filter(pl.col("ulps") == worst["ulps"][-1])["framework"].to_list()
        best = worst.filter(pl.col("ulps") == worst["ulps"][0])["framework"].to_list()
        far = rows.filter((pl.col("ulps") == worst["ulps"][-1]) & (pl.col("framework") == least[0]))
        beyond = ", beyond its bound" if (far["grade"] == Grade.DIVERGENT.value).any() else ""
        between = [f"{name} {ulps(u)}" for name, u in worst.select("framework", "ulps").iter_rows()]
        middle = [text for text in between if text.split(" ")[0] not in (*least, *best)]
        rest = f"; between them {listed(middle)}" if middle else ""
        top = ulps(worst["ulps"][-1])
        yield Line(
            _level(far) if beyond else "",
            f"{dtype} softmax",
            f"{listed(best)} {'is' if len(best) == 1 else 'are'} within {ulps(worst['ulps'][0])} ulp on "
            f"ordinary logits, {listed(least)} reach{'es' if len(least) == 1 else ''} {top}{beyond}{rest}; "
            "rows whose small results were lost or flushed are not counted.",
            operator=GROUPS["softmax"][0],
        )
        return


def _twins(run: Run) -> Iterable[Line]:
    """Two implementations of one function: one loses the digits of ordinary rows, the other keeps them."""
    apart = []
    for table in doors(run):
        for dtype in table.dtypes:
            for c in choices(table, dtype):
                bad = (c.worst_fit.lost + c.worst_fit.special) / max(c.worst_fit.ordinary, 1)
                good = c.best_fit.lost + c.best_fit.special
                if bad >= MANY and not good and not c.best_fit.must:
                    apart.append((bad, c.worst_fit.ordinary, table.operator, dtype, c))
    for _, _, operator, dtype, c in sorted(apart, key=lambda found: (-found[0], -found[1], *found[2:4]))[:1]:
        lost = c.worst_fit.lost + c.worst_fit.special
        yield Line(
            "should",
            f"{_name(operator)} in {c.place.framework}, {dtype}",
            f"{c.worst[0]} loses the digits of {lost} of {c.worst_fit.ordinary} ordinary rows, "
            f"{c.best[0]} of none: {ulps(c.best_fit.worst or 0.0)} ulp at worst.",
            operator=operator,
        )


def _name(operator: str) -> str:
    """The operator by its usual name, with a capital."""
    known = {name: group for group, names in GROUPS.items() if len(names) == 1 for name in names}
    return capital(known.get(operator, words(operator)))


def _ordinary(judged: pl.DataFrame) -> pl.DataFrame:
    """Values on ordinary logits of two classes or more, but those that lost their digits."""
    rows = judged.filter((pl.col("family") == ORDINARY) & (pl.col("output") == "value") & (pl.col("n") > 1))
    rows = rows.filter(pl.col("ulps").is_finite() & (pl.col("grade") != Grade.WRONG_SPECIAL))
    return rows.filter(~pl.col("symptom").is_in(SMALL))


def _names(rows: pl.DataFrame, but: set[str]) -> list[str]:
    return sorted(set(rows["implementation"]) - but)


def _few(names: list[str]) -> str:
    return listed(names if len(names) <= NAMED else [*names[:NAMED], f"{len(names) - NAMED} more"])


def _level(broken: pl.DataFrame) -> str:
    return "must" if (broken["level"] == "must").any() else "should"


def _usual(broken: pl.DataFrame) -> str:
    """The cause of most of these rows."""
    found = broken.group_by("cause").len().sort("len", "cause", descending=[True, False])
    return str(found["cause"][0])


_MAKERS: tuple[Callable[[pl.DataFrame], Iterable[Line]], ...] = (_masked, _index, _long, _softmax)
