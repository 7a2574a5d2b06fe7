"""What the gate says of pairs of run files: the rows of docs/UPGRADES.md.

``python -m docs.upgrades OLD.parquet NEW.parquet [OLD NEW …]`` prints a row a pair, and below the table what
blocks. Waivers that come with the suite are taken. Two settings of one device (``cpu[isa=avx2]``) stand for
one device here: they are the controls.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from xent_conformance.decision.gate import decide
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.views.comparison import KEY, Change
from xent_conformance.reports.views.gate import Gate

HEAD = ("", "verdicts", "regressed", "fixed", "drifted", "improved", "other bits, no more", "same", "gate")

_COUNTED = (Change.REGRESSED, Change.FIXED, Change.DRIFTED, Change.IMPROVED, Change.BITS, Change.SAME)


def plain(run: Run) -> Run:
    """The run with every setting of a device under the device's own name."""
    return Run(run.verdicts.with_columns(pl.col("device").str.replace(r"\[.*\]$", "")), run.headers)


def settings(run: Run) -> str:
    """``jax 0.10.2, cpu[isa=avx2]``."""
    devices = sorted(run.verdicts["device"].unique())
    return ", ".join([*run.tested, *(d for d in devices if "[" in d)])


def decided(old: Run, new: Run) -> Gate:
    """The gate on the newer, the older as its baseline.

    A setting of a device may be asked in fewer modes than the device itself: then those are compared.
    """
    before, now = plain(old), plain(new)
    if settings(old) != settings(new) and old.tested == new.tested:
        both = before.verdicts.join(now.verdicts.select(KEY).unique(), on=KEY, how="semi")
        before = Run(both, before.headers)
    return decide(now, baseline=before, waivers=read_waivers(known_files()))


def page(pairs: Iterable[tuple[Run, Run]]) -> str:
    """The table, and what blocks."""
    gates = [(f"{settings(old)} → {settings(new)}", decided(old, new)) for old, new in pairs]
    lines: list[Sequence[str]] = [HEAD, ["---"] * len(HEAD)]
    lines += [
        (name, f"{gate.verdicts:,}", *(f"{gate.changes[c]:,}" for c in _COUNTED), gate.verdict)
        for name, gate in gates
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    blocking = [
        f"* {name}: {reason.title_counted}; {reason.detail}; `{reason.case}`\n"
        for name, gate in gates
        for reason in gate.blocking
    ]
    return table + "\n" + ("".join(blocking) or "Nothing blocks.\n")


if __name__ == "__main__":
    runs = [read_run(Path(name)) for name in sys.argv[1:]]
    print(page(zip(runs[::2], runs[1::2], strict=True)), end="")
