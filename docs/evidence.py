"""Run files that are compared with each other, kept small: one file for those of one framework.

``docs/evidence/NAME.parquet`` holds runs side by side, sorted so that a verdict stands beside its earlier
self, sealed by a digest as a run file is. What a comparison needs stays: every verdict, the errors of all
that is not the same in all of them, to the last bit, the others' to two digits, and which verdicts have equal
bits. Naive controls, which never gate, are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xent_conformance.reports.atomic import replacing
from xent_conformance.reports.run.file import SCHEMA, Run, called, digest_of
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.reports.run.words import FAULTS
from xent_conformance.reports.views.comparison import KEY

HERE = Path(__file__).resolve().parent / "evidence"

DIGITS = 2
"""Of an error that is the same in all runs."""

_META = "xent-conformance-evidence"
_RUN = "run"
_SHOWN = ("exhibits", "families", "distances", "not_installed", "seconds", "seconds_by_mode")
"""Of a header, what only a page of the run itself shows."""


def file(name: str) -> Path:
    """Where the runs of that name lie."""
    return HERE / f"{name}.parquet"


def plain(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The verdicts with every setting of a device (``cpu[isa=avx2]``) under the device's own name."""
    return verdicts.with_columns(pl.col("device").cast(pl.String).str.replace(r"\[.*\]$", ""))


def small(runs: Sequence[Run]) -> list[Run]:
    """The runs without what no comparison of them needs: the decision on any two is as it was."""
    every = pl.concat(
        [called(run).verdicts.with_columns(pl.lit(i).alias(_RUN)) for i, run in enumerate(runs)]
    )
    key = plain(every).select(KEY)
    beside = every.with_columns(key.rename(lambda c: f"_{c}"))
    over = [f"_{c}" for c in KEY]
    moved = pl.any_horizontal(
        pl.col(c).n_unique().over(over) > 1 for c in ("bits", "hash", "status", "symptom", "outcome", "ulps")
    )
    whole = moved & pl.col("status").is_in(FAULTS)

    def unless(kept: pl.Expr, column: str, instead: pl.Expr) -> pl.Expr:
        return pl.when(kept).then(pl.col(column)).otherwise(instead).alias(column)

    said = beside.with_columns(
        *((pl.col(c).cast(pl.String).rank("dense").over(over) - 1).cast(pl.String) for c in ("bits", "hash")),
        *(unless(moved, c, pl.col(c).round_sig_figs(DIGITS)) for c in ("ulps", "ratio")),
        *(unless(whole, c, pl.lit(0.0)) for c in ("got", "hi", "lo", "rounded")),
        *(unless(whole, c, pl.lit(0, dtype=pl.Int32)) for c in ("index", "exponent")),
        unless(pl.col("status").is_in(FAULTS), "message", pl.lit("")),
    )
    headers = [{k: v for k, v in run.header.items() if k not in _SHOWN} for run in runs]
    return [
        Run(said.filter(pl.col(_RUN) == i).select(list(SCHEMA)), (header,))
        for i, header in enumerate(headers)
    ]


def write(name: str, runs: Sequence[Run]) -> None:
    """Keep the runs, whole or not at all."""
    every = pl.concat([run.verdicts.with_columns(pl.lit(i).alias(_RUN)) for i, run in enumerate(runs)])
    frame = every.select([*SCHEMA, _RUN]).sort([*KEY, _RUN]).cast(pl.Schema(_schema()))
    shared, *own = _shared([run.header for run in runs])
    header = json.loads(json.dumps({"shared": shared, "own": own}))
    sealed = json.dumps({**header, "digest": digest_of(header, frame)})
    HERE.mkdir(exist_ok=True)
    with replacing(file(name)) as temporary:
        frame.write_parquet(temporary, metadata={_META: sealed}, compression_level=19)


def read(name: str) -> list[Run]:
    """The runs that are kept under a name. Raises :class:`RunFileError` where they were changed since."""
    path = file(name)
    header = json.loads(pl.read_parquet_metadata(path)[_META])
    frame = pl.read_parquet(path)
    if header.pop("digest") != digest_of(header, frame):
        raise RunFileError(f"{path}: what it holds does not fit its digest; keep the run files again")
    headers = [{**header["shared"], **own} for own in header["own"]]
    return [Run(frame.filter(pl.col(_RUN) == i).drop(_RUN), (found,)) for i, found in enumerate(headers)]


def _schema() -> dict[str, pl.DataType]:
    return {**SCHEMA, _RUN: pl.Int32()}


def _shared(headers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What all headers say, then what each says by itself."""
    first = headers[0]
    shared = {k: v for k, v in first.items() if all(h.get(k) == v for h in headers)}
    return [shared, *({k: v for k, v in h.items() if k not in shared} for h in headers)]
