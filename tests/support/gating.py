"""Runs of fakes made through the command line, once each, and the gate asked about them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support import shared
from tests.support.by_hand import Install
from tests.support.cli import conformance, invoke
from xent_conformance.reports.run.file import Run, read_run, write_run

TWO_CLASSES = ("--operator", "softmax", "--dtype", "float32", "--family", "two_classes")
SPECIAL = ("--operator", "softmax", "--dtype", "float32", "--family", "special_values")
HUGE = ("--operator", "softmax", "--dtype", "float32", "--family", "huge_logits")
BFLOAT16 = ("--operator", "softmax", "--dtype", "bfloat16", "--family", "two_classes")

WITNESS = "softmax/two_classes/confident_wrong/float32/n2/r0"
"""Tests clause 2.5 in both outputs."""

_made: dict[tuple[str, ...], Path] = {}

Make = Callable[..., Path]
"""``make("AlwaysNan", *TWO_CLASSES)``: the run file of a fake."""


def maker(install: Install, factory: pytest.TempPathFactory) -> Make:
    """Runs are kept: the same fake is asked the same only once, whichever process wants it."""

    def make(fake: str, *asked: str, also: str = "") -> Path:
        key = (fake, also, *asked)
        if key not in _made:

            def run(folder: Path) -> None:
                install(fake=fake, **({"gone": also} if also else {}))
                named = ("--framework", "fake", "--framework", "gone") if also else ()
                done = invoke("run", "--profile", "quick", *named, *asked, "-o", folder / "run.parquet")
                assert (folder / "run.parquet").is_file(), done.output

            made = shared.once(f"run-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}", run)
            _made[key] = factory.mktemp("run") / f"{fake}.parquet"  # its own: tests write beside it
            shutil.copy(made / "run.parquet", _made[key])
        return _made[key]

    return make


def gated(run: Path, *options: str | Path, known: bool = False) -> tuple[int, dict[str, Any], list[str]]:
    """Exit status, what ``--json`` tells, and the lines that are printed."""
    told = run.parent / "told.json"
    told.unlink(missing_ok=True)
    extra = () if known else ("--no-known",)
    result = conformance("gate", run, *options, *extra, "--json", told, status=None)
    data = json.loads(told.read_text("utf-8"), parse_constant=_no_constant) if told.exists() else {}
    if data:
        assert data["status"] == result.exit_code
    return result.exit_code, data, result.stdout.splitlines()


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def kinds(told: Mapping[str, Any]) -> set[str]:
    return {r["kind"] for r in told["reasons"]}


def changed(path: Path, where: Path, change: Callable[[Run], Run]) -> Path:
    """A copy of a run file with another content, whole: its digest fits."""
    run = change(read_run(path))
    header = {k: v for k, v in run.header.items() if k not in ("schema", "rows")}
    write_run(where, Run(run.verdicts, (header,)))
    return where


def earlier(path: Path, where: Path) -> Path:
    """The run as it was when it was made the day before: a run is no baseline of itself."""
    return changed(
        path, where, lambda r: Run(r.verdicts, ({**r.header, "created": "2026-11-01T00:00:00+00:00"},))
    )


def of_an_older_suite(run: Run, **told: Any) -> Run:
    """The run as another suite would have asked it the day before; ``told``: what else its header says."""
    usual = {"created": "2026-11-01T00:00:00+00:00", "instrument": "0" * 16}
    return Run(run.verdicts, ({**run.header, **usual, **told},))


def with_more(run: Run, **columns: str) -> Run:
    """The run with one row more, which differs so from its first: by a case of no corpus, if unsaid."""
    other = columns or {"case": "softmax/two_classes/more/float32/n2/r0"}
    more = run.verdicts.head(1).with_columns(**{name: pl.lit(value) for name, value in other.items()})
    return Run(pl.concat([run.verdicts, more.cast(dict(run.verdicts.schema))]), run.headers)


def waiver(**fields: Any) -> str:
    """An entry that accepts the NaN of clause 2.5 in the values of the fakes, but for ``fields``.

    A field that is None is left out.
    """
    usual: dict[str, Any] = {
        "name": "fake-nan",
        "framework": "fake",
        "versions": ">=1",
        "operators": ["softmax"],
        "implementations": ["fake.*"],
        "outputs": ["value", "grad_logits"],
        "clause": "2.5",
        "symptom": "NaN",
        "cases": ["softmax/two_classes/*"],
        "witnesses": [WITNESS],
        "reason": "the fake says so itself, by its name",
        "link": "none",
    }
    told = {k: v for k, v in (usual | fields).items() if v is not None}
    lines = [f"{k} = {v if k == 'expires' else json.dumps(v)}" for k, v in told.items()]
    return "\n".join(["[[waiver]]", *lines]) + "\n"
