"""What the gate says of real upgrades, and of one version under other settings: docs/UPGRADES.md.

``python -m docs.upgrades`` prints the page, from the run files in ``docs/evidence`` and in
``reports/published``. ``python -m docs.upgrades NAME=RUN.parquet,RUN.parquet,…`` keeps run files under a name
first, in the order in which :data:`PAIRS` counts them. ``tests/test_upgrades.py`` compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import polars as pl

from docs import evidence, published
from docs.pairs import CONTROLS, PAIRS, PUBLISHED_JAX, UPGRADES, Pair
from xent_conformance.decision.compare import compare
from xent_conformance.decision.gate import decide
from xent_conformance.decision.policy import STRICT
from xent_conformance.decision.waivers import Waiver, known_files, read_waivers
from xent_conformance.reports.run.file import Run, called, read_run
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import flat, listed
from xent_conformance.reports.views.comparison import KEY, Change, Comparison
from xent_conformance.reports.views.gate import Gate

HEAD = (
    "from, to",
    "verdicts",
    *("regressed", "fixed", "drifted", "improved", "other bits, no more", "same"),
    "gate",
    "profile, corpus",
)

_COUNTED = (Change.REGRESSED, Change.FIXED, Change.DRIFTED, Change.IMPROVED, Change.BITS, Change.SAME)

PLACES = 3
"""So many places of what changed are named, those with the most verdicts."""

DETAIL = 360
"""So many letters of why something blocks."""


@dataclass(frozen=True)
class Beside:
    """Two runs side by side, and what the gate says of the newer."""

    before: Run
    now: Run
    seen: str

    @cached_property
    def runs(self) -> tuple[Run, Run]:
        """Both; where only the setting of a device differs, without it, and of what both were asked.

        Its worker is the device's own, so that what a setting changes of the machine is seen to change.
        """
        if settings(self.before) == settings(self.now) or self.before.tested != self.now.tested:
            return self.before, self.now
        old, new = (
            Run(evidence.plain(run.verdicts), tuple(_plain(h) for h in run.headers))
            for run in (self.before, self.now)
        )
        # a setting of a device may be asked in fewer modes than the device itself
        return _of_both(old, new), _of_both(new, old)

    @property
    def title(self) -> str:
        """``jax 0.9.2 → jax 0.10.2``."""
        return f"{settings(self.before)} → {settings(self.now)}"

    @cached_property
    def comparison(self) -> Comparison:
        """What became of each verdict."""
        old, new = self.runs
        return compare(called(old), called(new))

    @cached_property
    def gate(self) -> Gate:
        """The gate on the newer, the older as its baseline, with the waivers that come with the suite."""
        old, new = self.runs
        return decide(new, baseline=old, waivers=_waivers())


START = """# Upgrades

May one upgrade? What the gate says of {number} real pairs, each version in an environment of its own, asked \
and judged by the same suite: {machine}, one thread but where it is said; profile and digest of the corpus \
stand in the last column. Printed by `.venv/bin/python -m docs.upgrades` from the run files in \
[`docs/evidence`](evidence) and [`reports/published`](../reports/published); a test compares. Commands such \
as these wrote them:

```console
$ conformance matrix 'jax==0.8.3' 'jax==0.9.2' 'jax==0.10.2' --profile quick
$ conformance matrix 'tensorflow==2.20.0' 'tensorflow==2.21.0' --profile quick
$ conformance upgrade 'keras==3.12.4' 'keras==3.15.1' --framework keras-tensorflow \
--with 'tensorflow==2.21.0' --profile standard
$ conformance run --framework torch --python torch=/path/to/python-with-2.12.1 --profile quick \
-o torch-2.12.1.parquet
$ conformance run --framework torch --device 'cpu[isa=avx2]' --profile quick -o torch-avx2.parquet
```

"""

LEGEND = f"""
Naive formulations are left out. *Drifted* and *improved*: the verdict is as before, the error more than \
twice or less than half. *Regressed* counts every verdict that is worse, by however little; what blocks is \
decided cause by cause ([SPEC.md §9](../reference/clauses/SPEC.md)). `--fail-on {STRICT}` blocks on every \
verdict that is worse, and on every must clause that is broken, before or not.

## What each was

The numbers are of the files; the sentences behind them are of a person who looked.

"""

SETTINGS = """
## Controls: the same version under other settings

Nobody changed a formula here, so an alarm would be false. Of these {number} pairs \
the gate fails where something is really wrong: {failing}; what it is stands below the table.

"""

END = """
That a fault of each seeded kind does raise an alarm is a test: \
[`tests/faults/test_gate_of_faults.py`](../tests/faults/test_gate_of_faults.py).

## What it does not say

* One machine. Where the processor differs from the baseline's, the gate says so first, and what is only \
less accurate does not block.
* `quick` asks JAX under `jit` only; `standard` asks it op by op too, and more implementations.
* Requirements of a framework are resolved on the day its environment is made. The run file records the \
versions that matter; `--with 'numpy==2.4.6'` pins one for every side.
* Files with another digest of the corpus were asked another one, earlier or later; a pair always has one. \
What is kept of a run for this page decides as the whole did, which is checked when it is kept.
"""


@cache
def _waivers() -> Sequence[Waiver]:
    return read_waivers(known_files())


@cache
def kept(name: str) -> Sequence[Run]:
    """The runs of that name, in their order."""
    if name != PUBLISHED_JAX:
        return evidence.read(name)
    (page,) = (p for p in published.PAGES if p.before)
    return [published.read(page.before), published.read(page.runs)]


def beside(pairs: Sequence[Pair], runs: Callable[[str], Sequence[Run]] = kept) -> list[Beside]:
    """The runs of each pair."""
    return [Beside(runs(p.name)[p.old], runs(p.name)[p.new], p.seen) for p in pairs]


def _plain(header: Row) -> Row:
    return {**header, "frameworks": [f | {"variant": ""} for f in header["frameworks"]]}


def _of_both(run: Run, other: Run) -> Run:
    return Run(run.verdicts.join(other.verdicts.select(KEY).unique(), on=KEY, how="semi"), run.headers)


def settings(run: Run) -> str:
    """``jax 0.10.2, cpu[isa=avx2]``."""
    devices = sorted(run.verdicts["device"].unique())
    return ", ".join([*run.tested, *(d for d in devices if "[" in d)])


def page() -> str:
    """All of docs/UPGRADES.md."""
    upgrades, controls = beside(UPGRADES), beside(CONTROLS)
    failing = [pair for pair in controls if pair.gate.blocking]
    return "".join(
        [
            START.format(number=len(upgrades), machine=_machine([*upgrades, *controls])),
            *_table(upgrades),
            LEGEND,
            *map(_entry, upgrades),
            SETTINGS.format(
                number=len(controls),
                failing=listed([pair.title for pair in failing]),
            ),
            *_table(controls),
            "\n",
            *map(_entry, failing),
            END,
        ]
    )


def told(pairs: Sequence[Beside]) -> str:
    """What the page says of these pairs."""
    return "".join([*_table(pairs), *map(_entry, pairs)])


def _machine(pairs: Sequence[Beside]) -> str:
    """On which days and by what all runs were asked."""
    headers = [run.header for pair in pairs for run in pair.runs]
    environments = [f["environment"] for h in headers for f in h["frameworks"]]
    days = sorted({h["created"][:10] for h in headers})
    parts = [
        " to ".join(dict.fromkeys((days[0], days[-1]))),
        *sorted({f"{e['system']} CPU ({e['processor']})" for e in environments}),
        "Python " + listed(sorted({e["python"] for e in environments})),
        "NumPy " + listed(sorted({e["numpy"] for e in environments})),
    ]
    return ", ".join(parts)


def _table(pairs: Sequence[Beside]) -> list[str]:
    lines: list[Sequence[str]] = [HEAD, ["---"] * len(HEAD)]
    for pair in pairs:
        gate = pair.gate
        header = pair.runs[1].header
        lines.append(
            (
                pair.title,
                count(gate.verdicts),
                *(count(gate.changes[c]) for c in _COUNTED),
                gate.verdict,
                f"`{header['selection']['profile']}`, `{header['corpus'][:8]}`",
            )
        )
    return [f"| {' | '.join(line)} |\n" for line in lines]


def _entry(pair: Beside) -> str:
    """One pair: what is worse, what is better, what blocks, and what a person saw."""
    gate, changed = pair.gate, pair.comparison
    parts = [f"**{pair.title}**: {gate.verdict}."]
    if gate.changes[Change.SAME] == gate.verdicts:
        parts.append(f"The same bits in all {count(gate.verdicts)} verdicts.")
    for word, change, side in (("Worse", Change.REGRESSED, ""), ("Better", Change.FIXED, "_old")):
        rows = changed.of(change)
        if not rows.is_empty():
            parts.append(f"{word}, {count(rows.height)}: {'; '.join(_kinds(rows, side))}.")
    parts += [pair.seen] if pair.seen else []
    lines = [f"* {' '.join(parts)}\n"]
    for reason in gate.blocking:
        why = flat(reason.detail, DETAIL)
        lines.append(f"  * Blocks: {reason.title_counted}; {why}; `{reason.case}`.\n")
    return "".join(lines)


def _kinds(rows: pl.DataFrame, side: str) -> list[str]:
    """``beyond the accurate bound (1.2, should) 9: grad_logits of softmax 4, …``, the most first."""
    kind = [f"symptom{side}", f"clause{side}", f"level{side}"]
    where = pl.format("{} of {}", "output", f"operator{side}")
    found = []
    by_kind = rows.with_columns(where.alias("_where")).group_by(kind).agg(pl.len(), pl.col("_where"))
    order = [pl.col(f"level{side}") != "must", -pl.col("len").cast(pl.Int64), *kind]
    for symptom, clause, level, number, places in by_kind.sort(order).iter_rows():
        counted = pl.Series("place", places).value_counts().sort(-pl.col("count").cast(pl.Int64), "place")
        shown = [f"{place} {n}" for place, n in counted.head(PLACES).iter_rows()]
        shown += [f"{counted['count'][PLACES:].sum()} elsewhere"] if counted.height > PLACES else []
        found.append(f"{symptom} ({clause}, {level}) {number}, {listed(shown)}")
    return found


def keep(name: str, paths: Sequence[Path]) -> None:
    """Keep run files under a name. Raises ValueError where what is kept would be decided otherwise."""
    whole = [read_run(path) for path in paths]
    small = evidence.small(whole)
    pairs = [pair for pair in PAIRS if pair.name == name]
    if told(beside(pairs, lambda _: small)) != told(beside(pairs, lambda _: whole)):
        raise ValueError(f"what is kept of {name} is decided otherwise than the whole")
    evidence.write(name, small)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        called_so, _, files = argument.partition("=")
        keep(called_so, [Path(path) for path in files.split(",")])
    print(page(), end="")
