"""A word that nobody knows is in no count: a file that has one is refused, with the value and its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from tests.support.cli import conformance
from tests.support.pytest_inside import run_pytest
from tests.support.small_run import header, run_of, verdict
from xent_conformance.frameworks.interface import Formulation
from xent_conformance.reference.clauses import Level
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reference.operators import MOVING, OPERATORS
from xent_conformance.reports.run import closed
from xent_conformance.reports.run.file import read_run, write_run
from xent_conformance.reports.run.unusable import RunFileError


def test_the_words_are_those_of_the_rooms_that_give_them() -> None:
    assert tuple(Level) == closed.LEVELS
    assert set(closed.DTYPES) == set(JUDGED)
    assert set(closed.OUTPUTS) == {o for op in OPERATORS.values() for o in op.outputs} | set(MOVING)
    assert set(closed.FORMULATIONS) == set(get_args(Formulation))


STRANGE = {
    "status": "breaks_musu",
    "grade": "exacu",
    "outcome": "returnee",
    "symptom": "beyond the stable bouod",
    "level": "musu",
    "clause": "1.9",
    "dtype": "float33",
    "output": "valuf",
    "operator": "softmay",
    "family": "ordinarz",
    "formulation": "fuseb",
    "framework": "torci",
}


@pytest.mark.parametrize("column", STRANGE)
def test_a_strange_word_is_refused_with_its_place(column: str, tmp_path: Path) -> None:
    """Also where the file's digest fits: whoever sealed it sealed what was damaged before."""
    path = tmp_path / "run.parquet"
    rows = [verdict(status="breaks_must"), verdict(case="softmax/ordinary/spread1/float32/n3/r1")]
    write_run(path, run_of(rows))
    read_run(path)
    rows[1][column] = STRANGE[column]
    write_run(path, run_of(rows))
    with pytest.raises(RunFileError) as refused:
        read_run(path)
    told = str(refused.value)
    assert f"{column} {STRANGE[column]!r}, which is none of" in told
    assert "torch.softmax" in told and "spread1/float32/n3/r1" in told and str(path) in told


@pytest.mark.parametrize("column", STRANGE)
def test_a_word_that_is_missing_is_refused(column: str, tmp_path: Path) -> None:
    write_run(tmp_path / "run.parquet", run_of([verdict() | {column: None}]))
    with pytest.raises(RunFileError, match=f"{column} None, which is none of"):
        read_run(tmp_path / "run.parquet")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "open"},
        {"level": "open"},
        {"status": "breaks_must", "clause": "1.2"},
        {"status": "breaks_must", "clause": "1.2", "level": "should"},
        {"status": "breaks_should", "level": "must", "clause": "1.1"},
        {"clause": "4.4"},
    ],
    ids=str,
)
def test_known_words_that_contradict_each_other_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    write_run(tmp_path / "run.parquet", run_of([verdict() | changes]))
    with pytest.raises(RunFileError, match=r"has status '\w+' at level '\w+' by clause"):
        read_run(tmp_path / "run.parquet")


def test_a_header_that_does_not_list_its_words_is_refused(tmp_path: Path) -> None:
    told = {name: value for name, value in header().items() if name != "operators"}
    write_run(tmp_path / "run.parquet", run_of([verdict()], told))
    with pytest.raises(RunFileError, match=r"its header is no run's \(operators is missing\)"):
        read_run(tmp_path / "run.parquet")


@pytest.fixture
def passing(tmp_path: Path) -> Path:
    """A run whose one fault is spelt as no fault is: the gate of before passed it."""
    rows = [verdict(), verdict(status="breaks_must", case="softmax/ordinary/spread1/float32/n3/r1")]
    rows[1]["status"] = "breaks_musu"
    write_run(tmp_path / "strange.parquet", run_of(rows))
    write_run(tmp_path / "good.parquet", run_of([verdict()]))
    return tmp_path / "strange.parquet"


@pytest.mark.parametrize("command", [("gate",), ("report",), ("causes",)], ids=" ".join)
def test_every_command_that_reads_it_ends_with_3(command: tuple[str, ...], passing: Path) -> None:
    done = conformance(*command, passing, status=3)
    assert "'breaks_musu'" in " ".join(done.output.split())


def test_as_a_baseline_too(passing: Path) -> None:
    done = conformance("gate", passing.with_name("good.parquet"), "--baseline", passing, status=3)
    assert "'breaks_musu'" in " ".join(done.output.split())


def test_pytest_does_not_collect_it(passing: Path) -> None:
    done = run_pytest(passing.parent, "--pyargs", "xent_conformance", f"--conformance-run={passing}")
    assert done.status != 0 and "'breaks_musu'" in done.text and "passed" not in done.text


def test_a_frame_without_verdicts_has_no_strange_word() -> None:
    assert closed.strange(pl.DataFrame(schema=run_of([verdict()]).verdicts.schema), {}, {}) == ""


# --- a verdict twice ---


@pytest.fixture
def doubled(tmp_path: Path) -> Path:
    """As two runs leave it that wrote one journal."""
    other = verdict(case="softmax/ordinary/spread1/float32/n3/r1")
    write_run(tmp_path / "doubled.parquet", run_of([verdict(), other, verdict(ulps=0.5)]))
    write_run(tmp_path / "good.parquet", run_of([verdict(), other]))
    return tmp_path / "doubled.parquet"


TWICE = "torch.softmax answers value of softmax/ordinary/spread1/float32/n3/r0 twice on cpu (eager)"


@pytest.mark.parametrize("command", [("gate",), ("report",), ("causes",)], ids=" ".join)
def test_a_verdict_twice_is_refused_by_every_command(command: tuple[str, ...], doubled: Path) -> None:
    assert TWICE in " ".join(conformance(*command, doubled, status=3).output.split())


def test_a_verdict_twice_is_refused_as_a_baseline_and_by_run(doubled: Path) -> None:
    done = conformance("gate", doubled.with_name("good.parquet"), "--baseline", doubled, status=3)
    assert TWICE in " ".join(done.output.split())
    conformance("run", "-o", doubled, status=2)  # it is no run file, and is not written over


def test_a_verdict_twice_is_refused_by_pytest(doubled: Path) -> None:
    done = run_pytest(doubled.parent, "--pyargs", "xent_conformance", f"--conformance-run={doubled}")
    assert done.status != 0 and TWICE in done.text and "passed" not in done.text
