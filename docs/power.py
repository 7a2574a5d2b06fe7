"""Who catches whom: every seeded fault against every family of the quick profile.

``python -m docs.power`` prints the tables as Markdown (docs/POWER.md is its output).
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tests.support.faults.asked import beyond, quick
from tests.support.faults.fault import Fault
from tests.support.faults.kept import KEPT
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from xent_conformance.cases.corpus import batches, families
from xent_conformance.reports.run.words import Status

GROUPS = {
    "Softmax, log-softmax, logsumexp": ("softmax", "log_softmax", "logsumexp"),
    "Softmax cross-entropy": ("softmax_cross_entropy", "sparse_softmax_cross_entropy"),
    "The sigmoid family": ("sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy"),
    "Given probabilities and log-probabilities": (
        "binary_cross_entropy",
        "categorical_cross_entropy",
        "sparse_categorical_cross_entropy",
        "kl_divergence",
        "negative_log_likelihood",
    ),
    "Divergences by elements, and of log-targets": (
        "kl_divergence_log_target",
        "relative_entropy",
        "elementwise_kl_divergence",
    ),
    "A layer and its loss": ("linear_cross_entropy",),
}

MUST, SHOULD, NOTHING = "**M**", "s", "·"

HEAD = """# Power: which family catches which fault

{faults} faults, each a correct implementation with one defect, against the `quick` profile. \
Printed by `.venv/bin/python -m docs.power`; `tests/faults/test_power.py` compares.

{must}: the family catches the fault by a must clause. {should}: by a should clause alone. \
{nothing}: not at all. A star marks the only family that does.
"""


@functools.cache
def alarms() -> Mapping[str, Mapping[str, str]]:
    """For each implementation, the heaviest mark of each family that accuses it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, family, status in _each(quick().table, "implementation", "family", "status"):
        must = status == Status.BREAKS_MUST or found[name].get(family) == MUST
        found[name][family] = MUST if must else SHOULD
    return found


def only_by() -> Mapping[str, Sequence[str]]:
    """For each family, the faults that no other family catches."""
    found: dict[str, list[str]] = defaultdict(list)
    for fault in FAULTS:
        by = [fault.beyond.family] if fault.beyond else list(alarms().get(fault.name, ()))
        if len(by) == 1:
            found[by[0]].append(fault.name)
    return found


def clauses_of(name: str, of: pl.DataFrame | None = None) -> Mapping[str, str]:
    """The clauses that an implementation breaks, with their levels, in the order of SPEC.md."""
    broken = (quick().table if of is None else of).filter(pl.col("implementation") == name)
    return dict(sorted(_each(broken, "clause", "level"), key=lambda e: [int(n) for n in e[0].split(".")]))


def _each(table: pl.DataFrame, *columns: str) -> Iterable[tuple[Any, ...]]:
    return table.select(columns).unique().iter_rows()


def asked_of(operators: Sequence[str]) -> list[str]:
    """The families that quick asks of these operators."""
    asked = {b.family for b in batches("quick", operators=operators)}
    return [name for name in families() if name in asked]


# --- Markdown --------------------------------------------------------------------------------------


def table() -> str:
    """All of docs/POWER.md."""
    parts = [HEAD.format(faults=len(FAULTS), must=MUST, should=SHOULD, nothing=NOTHING), _variants()]
    parts += [_group(title, operators) for title, operators in GROUPS.items()]
    parts += [_beyond(), _families()]
    return "\n".join(part for part in parts if part)


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _variants() -> str:
    def row(name: str, about: str) -> Sequence[str]:
        by = alarms().get(name, {})
        marks = f"in {', '.join(f'`{f}`' for f in families() if f in by)}" if by else ""
        return f"`{name}`", about, str(quick().judged[name]), f"{_clauses(clauses_of(name))} {marks}".strip()

    head, rows = ("name", "how", "verdicts", "breaks"), [row(v.name, v.about) for v in VARIANTS]
    return f"## Correct implementations\n\n{_rows(head, rows)}"


def _group(title: str, operators: Sequence[str]) -> str:
    asked = asked_of(operators)
    faults = [f for f in FAULTS if f.operator in operators and not f.beyond]

    def row(fault: Fault) -> Sequence[str]:
        by = alarms().get(fault.name, {})
        alone = "*" if len(by) == 1 else ""
        cells = [by[f] + alone if f in by else NOTHING for f in asked]
        return [f"`{fault.name}`<br>{fault.about}", *cells, _clauses(clauses_of(fault.name))]

    return f"## {title}\n\n{_rows(['fault', *asked, 'clauses broken'], map(row, faults))}"


def _clauses(found: Mapping[str, str]) -> str:
    """``2.1, 7.1; should 1.2``."""
    by_level = {level: [c for c, of in found.items() if of == level] for level in ("must", "should")}
    parts = [", ".join(by_level["must"]), "should " + ", ".join(by_level["should"])]
    return "; ".join(p for p, level in zip(parts, by_level, strict=True) if by_level[level]) or "nothing"


def _beyond() -> str:
    def row(fault: Fault) -> Sequence[str]:
        assert fault.beyond is not None
        where = f"`{fault.beyond.family}` in `{fault.beyond.profile}`"
        found = _clauses(clauses_of(fault.name, beyond(fault.name).table))
        return f"`{fault.name}`<br>{fault.about}", where, fault.beyond.reason, found

    head = ("fault", "caught by", "why not in quick", "clauses broken")
    return f"## Caught beyond quick\n\n{_rows(head, [row(f) for f in FAULTS if f.beyond])}"


def _families() -> str:
    """What would go unseen without a family."""
    alone = only_by()
    rows = [
        (f"`{f}`", str(len(alone.get(f, ()))), f"`{alone[f][0]}`" if f in alone else KEPT.get(f, ""))
        for f in families()
    ]
    head = ("family", "faults that it alone catches", "one of them, or why it is kept")
    return f"## Without a family\n\n{_rows(head, rows)}"


if __name__ == "__main__":
    print(table(), end="")
