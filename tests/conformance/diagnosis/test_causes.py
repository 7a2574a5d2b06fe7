"""Causes of a run: each thing that is wrong once, with what explains it, in the terminal and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import conformance
from tests.support.small_run import header, run_of, verdict
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.corpus import batches
from xent_conformance.commands.base import EVIDENCE
from xent_conformance.diagnosis.causes import OtherCorpus, diagnose, diagnosed
from xent_conformance.diagnosis.said import Said
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.reports.views.causes import causes
from xent_conformance.running.engine import run


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def shifted() -> Run:
    """NumPy's shifted formulas: the textbook, which is stable and not accurate."""
    asked = Selection(
        "quick",
        ("numpy",),
        ("log_softmax", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"),
        ("float32", "float64"),
        ("ordinary", "huge_logits", "special_values", "index_range", "two_classes"),
    )
    return run(asked, None)


def test_the_textbook_is_named(shifted: Run) -> None:
    found = {c.id: c for c in causes(diagnosed(shifted, Oracle(default_cache())))}
    log = found["log-of-the-whole-sum"]
    assert log.level == "should" and log.clauses == ("1.2",) and "value" in log.outputs
    assert "log_softmax" in log.operators
    assert log.conforming > 100 and log.returned != log.right
    limits = found["terms-as-large-as-the-logit"]
    assert (limits.clauses, limits.returned) == (("5.2",), "NaN")
    index = found["a-negative-index-counts-from-the-end"]
    assert (index.level, index.clauses) == ("must", ("6.4",))
    must = [c.level for c in causes(diagnosed(shifted, Oracle(default_cache())))]
    assert must == sorted(must), "must before should"


def test_controls_are_left_out(shifted: Run) -> None:
    named = {i for c in causes(diagnosed(shifted, Oracle(default_cache()))) for i in c.implementations}
    assert named and not [name for name in named if name.endswith("-naive")]


def test_every_broken_verdict_has_one_cause(shifted: Run) -> None:
    called = shifted.verdicts.filter(shifted.verdicts["formulation"] != "naive")
    faults = called.filter(called["status"].is_in(["breaks_must", "breaks_should"])).height
    assert sum(c.verdicts for c in causes(diagnosed(shifted, Oracle(default_cache())))) == faults


def test_every_fault_names_one_of_the_causes(shifted: Run) -> None:
    run = diagnose(shifted, batches("quick"), Said(Oracle(default_cache())))
    each = run.verdicts
    assert each.drop("cause").equals(shifted.verdicts.drop("cause"))
    of_users = each.filter(
        each["formulation"] != "naive", each["status"].is_in(["breaks_must", "breaks_should"])
    )
    assert dict(of_users.group_by("cause").len().iter_rows()) == {c.id: c.verdicts for c in causes(run)}
    assert (each["cause"] == "").sum() == each.height - of_users.height


def test_a_run_of_other_cases_is_refused() -> None:
    with pytest.raises(OtherCorpus, match=r"cases of another version \(c0ffee, here .*\): ask again"):
        diagnosed(run_of([verdict(status="breaks_must")], header()), Oracle())


def test_the_command(shifted: Run, tmp_path: Path) -> None:
    write_run(tmp_path / "run.parquet", shifted)
    text = conformance("causes", "run.parquet", "--json", "causes.json").stdout
    first = text.splitlines()[0]
    assert " causes of " in first and first.endswith("worst first")
    assert "should  log of the whole sum · returned" in text
    assert "gate " in text.splitlines()[-1]
    whole = conformance("causes", "run.parquet", "--whole", "--no-gate").stdout
    assert "should  log of the whole sum  (log-of-the-whole-sum)" in whole
    assert "that conform contradicts it" in whole and "numpy:log_softmax-shifted eager cpu: returned" in whole
    told = json.loads((tmp_path / "causes.json").read_text(encoding="utf-8"))
    assert {c["id"] for c in told} == {c.id for c in causes(diagnosed(shifted, Oracle(default_cache())))}


def test_the_command_says_what_a_run_of_other_cases_needs(tmp_path: Path) -> None:
    write_run(tmp_path / "old.parquet", run_of([verdict()], header()))
    assert "ask again with this one" in conformance("causes", "old.parquet", status=EVIDENCE).stderr
