"""One run from selection to run file, with fakes for frameworks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.by_hand import SMALL_OPERATORS, Install, selection
from xent_conformance.cases.corpus import digest
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reference.sources import of_reference as reference_version
from xent_conformance.reports.run.file import HELD, SCHEMA, SCHEMA_VERSION, Run, read_run
from xent_conformance.reports.run.words import Status
from xent_conformance.running import engine, paged, plan
from xent_conformance.running.columns import filed
from xent_conformance.running.engine import run
from xent_conformance.running.pages import Pages

pytestmark = pytest.mark.usefixtures("forked")


def _run(out: Path, **changes: Any) -> Run:
    return run(selection(**changes), out, force=True, oracle=Oracle())


def _statuses(result: Run, framework: str = "fake") -> set[str]:
    return set(result.verdicts.filter(framework=framework)["status"])


def test_exact_conforms_everywhere(install: Install, tmp_path: Path) -> None:
    install(fake="Exact")
    result = _run(tmp_path / "run.parquet")
    assert _statuses(result) == {"conforms", "open"}
    assert set(result.verdicts.filter(status="conforms")["grade"]) == {"exact"}
    rows = sum(len(b.inputs) for b in selection().batches())
    assert result.verdicts.height == rows * 2  # value and gradient
    assert result.complete


def test_the_run_file_is_what_was_returned(install: Install, tmp_path: Path) -> None:
    install(fake="OneUlpOff", other="Exact")
    result = _run(tmp_path / "deep" / "run.parquet")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["run.parquet"]  # no journal is left
    found = read_run(tmp_path / "deep" / "run.parquet")
    assert found.verdicts.equals(result.verdicts)
    assert dict(found.verdicts.schema) == HELD
    returned = json.loads(json.dumps(result.header))
    assert found.header == returned | {"schema": SCHEMA_VERSION, "rows": result.verdicts.height}


def test_of_a_large_corpus_the_table_lies_in_a_file(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is the same, and is written as the same."""
    install(fake="OneUlpOff", other="Exact")
    in_memory = _run(tmp_path / "small.parquet")
    put: list[str] = []

    def seen(column: pl.Series, pages: Pages) -> pl.Series:
        put.append(column.name)
        return filed(column, pages)

    let_go: list[Pages] = []
    monkeypatch.setattr(Pages, "let_go", lambda self: let_go.append(self))
    monkeypatch.setattr(paged, "filed", seen)
    monkeypatch.setattr(engine, "Paged", lambda folder: paged.Paged(folder, 0, 1))
    # of tests the corpus is one for all
    monkeypatch.setattr(plan.batches_of, "forget", lambda: None, raising=False)
    large = _run(tmp_path / "large.parquet")
    texts = [name for name, kind in HELD.items() if kind == pl.String()]
    # texts once more, before they are in order; what is charged anew; and what is broken, which is kept too
    once = sorted([*put[: len(SCHEMA) + len(texts)]])
    assert once == sorted([*SCHEMA, *texts]) and texts == ["bits"]
    assert put[len(once) :] == ["clause", "level", "status", "cause", *SCHEMA]
    assert large.faults.height and large.faults.equals(in_memory.faults)
    assert len(let_go) > len(SCHEMA), "what was hashed and written stays in memory"
    assert large.verdicts.equals(in_memory.verdicts) and large.causes == in_memory.causes
    assert read_run(tmp_path / "large.parquet").verdicts.equals(in_memory.verdicts)
    assert {p.name for p in tmp_path.iterdir()} == {"small.parquet", "large.parquet"}


def test_counters_sum(install: Install, tmp_path: Path) -> None:
    install(fake="AlwaysNan", other="Exact", third="DeclaresWhatItLacks")
    result = _run(tmp_path / "run.parquet", dtypes=("bfloat16",))
    counts = dict(result.verdicts["status"].value_counts().iter_rows())
    assert set(counts) <= {s.value for s in Status}
    assert sum(counts.values()) == result.verdicts.height
    assert counts["unsupported"] == result.verdicts.filter(framework="third").height
    heights = result.verdicts.group_by("framework").len()["len"]
    assert heights.n_unique() == 1
    asked = ["framework", "implementation", "mode", "device", "case", "output"]
    assert not result.verdicts.select(asked).is_duplicated().any()


def test_the_header_says_what_a_report_needs(install: Install, tmp_path: Path) -> None:
    install(fake="OneUlpOff", gone="Absent")
    header = _run(tmp_path / "run.parquet", frameworks=("fake", "gone")).header
    assert header["selection"] == {
        "profile": "quick",
        "frameworks": ("fake", "gone"),
        "operators": SMALL_OPERATORS,
        "dtypes": ("float32",),
        "families": ("special_values", "two_classes"),
        "implementation": (),
        "devices": (),
        "plugins": (),
        "cases": (),
        "exclude": (),
    }
    assert header["excluded"] == []
    assert header["corpus"] == digest("quick")
    assert header["reference"] == reference_version()
    assert header["planned"] == {"fake": 4, "gone": 4}
    assert header["finished"] == {"fake": 4, "gone": 0}
    (framework,) = header["frameworks"]
    assert (framework["framework"], framework["version"], framework["starts"]) == ("fake", "1.0", 1)
    assert framework["environment"]["flavour"] == "OneUlpOff"
    assert set(header["clauses"]) == set(clauses())
    assert header["notes"] == {c.id: c.note for c in clauses().values() if c.note} != {}
    assert {"import", "kernels", "reference", "judging", "total"} <= set(header["seconds"])
    assert set(header["seconds_by_mode"]) == {"fake eager"}
    assert {i["framework"] for i in header["implementations"]} == {"fake", "gone"}
    assert header["created"].startswith("20")


def test_what_findings_point_at_is_exhibited(install: Install, tmp_path: Path) -> None:
    install(fake="AlwaysNan")
    result = _run(tmp_path / "run.parquet")
    faults = result.verdicts.filter(pl.col("status").is_in(["breaks_must", "breaks_should"]))
    assert set(result.header["exhibits"]) <= set(faults["case"])
    assert result.header["exhibits"]


def test_two_runs_agree(install: Install, tmp_path: Path) -> None:
    """Whichever worker was faster."""
    install(fake="OneUlpOff", other="Raises", third="NoAutodiff")
    first, second = (_run(tmp_path / f"{i}.parquet") for i in range(2))
    assert first.verdicts.equals(second.verdicts)
    assert first.header["exhibits"] == second.header["exhibits"]


def test_an_absent_framework_is_recorded_and_the_rest_runs(install: Install, tmp_path: Path) -> None:
    install(gone="Absent", fake="Exact")
    result = _run(tmp_path / "run.parquet", frameworks=("gone", "fake"))
    assert set(result.verdicts["framework"]) == {"fake"}
    (gap,) = result.header["absent"]
    assert gap == {
        "framework": "gone",
        "message": "ModuleNotFoundError: No module named 'no_such_framework'",
        "install": "pip install 'gone'",
    }
    assert not result.complete
    assert not read_run(tmp_path / "run.parquet").complete


def test_what_is_installed_is_asked_where_nothing_is_named(install: Install, tmp_path: Path) -> None:
    """What nobody named and is not there is told, and nothing is missing; what breaks is missing."""
    install(gone="Absent", fake="Exact")
    result = _run(tmp_path / "run.parquet")
    assert result.complete and not result.header["absent"]
    assert [gap["framework"] for gap in result.header["not_installed"]] == ["gone"]
    assert set(result.header["planned"]) == {"fake"}


@pytest.mark.usefixtures("opened")
def test_a_framework_that_breaks_on_import_is_absent(install: Install, tmp_path: Path) -> None:
    install(broken="BreaksOnImport", fake="Exact")
    result = _run(tmp_path / "run.parquet")
    (gap,) = result.header["absent"]
    assert gap["message"].startswith("the worker does not start: worker exited with status 1")
    assert "AttributeError: module 'numpy' has no attribute 'bool8'" in gap["message"]
    assert set(result.verdicts["framework"]) == {"fake"} and not result.complete


def test_only_values_are_asked_without_autodiff(install: Install, tmp_path: Path) -> None:
    install(fake="NoAutodiff")
    result = _run(tmp_path / "run.parquet")
    assert set(result.verdicts["output"]) == {"value"}
    assert result.complete


@pytest.mark.parametrize(
    ("fake", "family", "symptom", "clause"),
    [
        ("AlwaysNan", "two_classes", "NaN", "2.5"),
        ("WrongShape", "two_classes", "wrong shape", "1.4"),
        ("WrongDtype", "two_classes", "wrong dtype", "1.4"),
        ("ScalarValue", "two_classes", "wrong shape", "1.4"),
        ("OneUlpOff", "special_values", "beyond the stable bound", "4.1"),
        ("Raises", "special_values", "raised", "3.2"),
        ("Crashes", "special_values", "crashed", "3.2"),
    ],
)
def test_a_fault_is_found(
    fake: str, family: str, symptom: str, clause: str, install: Install, tmp_path: Path
) -> None:
    install(fake=fake)
    result = _run(tmp_path / "run.parquet", operators=("softmax",), families=(family,))
    value = result.verdicts.filter(output="value", status="breaks_must")
    assert (symptom, clause) in set(value.select("symptom", "clause").iter_rows())
    assert result.complete, "a finding is not a gap"


@pytest.mark.parametrize("fake", ["OneUlpOff", "Chatty"])
def test_what_is_no_fault_is_not_found(fake: str, install: Install, tmp_path: Path) -> None:
    """One ulp is within the accurate bound."""
    install(fake=fake)
    result = _run(tmp_path / "run.parquet", operators=("softmax",), families=("two_classes",))
    assert _statuses(result) == {"conforms"}
    grades = set(result.verdicts.filter(status="conforms")["grade"])
    assert grades == ({"faithful", "accurate"} if fake == "OneUlpOff" else {"exact"})


def test_what_is_offered_and_refused_is_found(install: Install, tmp_path: Path) -> None:
    """A derivative that nobody registered, and a format: once both were passed over in silence."""
    install(fake="GradientRaises", other="ClaimsWhatItLacks")
    asked: dict[str, Any] = {"operators": ("softmax",), "families": ("two_classes",)}
    found = _run(tmp_path / "run.parquet", **asked, dtypes=("float32", "bfloat16")).verdicts
    refused = found.filter(clause="1.7", status="breaks_must", symptom="refused", outcome="refused")
    gradients = found.filter(framework="fake", output="grad_logits")
    halves = found.filter(framework="other", dtype="bfloat16")
    assert refused.height == gradients.height + halves.height > 0
    assert set(found.filter(pl.col("clause") != "1.7")["status"]) == {"conforms"}


def test_a_kernel_that_breaks_down_is_found(install: Install, tmp_path: Path) -> None:
    """Harmless rows fail as well then, which was once taken for a lack of support."""
    install(fake="BreaksDown")
    result = _run(tmp_path / "run.parquet", operators=("softmax",), dtypes=("float32",))
    broken = result.verdicts.filter(status="breaks_must")
    assert broken.height and "illegal memory access" in broken["message"][0]
    assert set(broken["outcome"]) == {"raised"}


def test_rows_of_a_call_that_raises_are_charged_alone(install: Install, tmp_path: Path) -> None:
    install(fake="Raises")
    result = _run(tmp_path / "run.parquet", operators=("softmax",), families=("special_values",))
    raised = result.verdicts.filter(outcome="raised")
    assert all("/nan_" in case for case in raised["case"])
    assert set(raised["message"]) == {"ValueError: I do not like NaN"}
    others = result.verdicts.filter(outcome="returned")
    assert set(others["status"]) == {"conforms", "open"}
    assert raised.height and others.height


def test_progress_counts_up_to_the_plan(install: Install, tmp_path: Path) -> None:
    install(fake="Exact", other="Exact")
    seen: dict[str, list[tuple[int, int]]] = {"fake": [], "other": []}
    run(
        selection(),
        tmp_path / "run.parquet",
        oracle=Oracle(),
        progress=lambda name, done, planned: seen[name].append((done, planned)),
    )
    for counts in seen.values():
        assert counts == sorted(counts)
        assert counts[-1] == (4, 4)


def test_a_batch_is_certified_once_for_all_frameworks(install: Install, tmp_path: Path) -> None:
    install(fake="Exact", other="Exact", third="NoAutodiff")
    oracle = Oracle()
    run(selection(), tmp_path / "run.parquet", oracle=oracle)
    assert oracle.computed == 4


def test_a_device_that_nobody_has_leaves_a_run_incomplete(install: Install, tmp_path: Path) -> None:
    """Asked for by name and not there: nothing was answered, which is no success."""
    install(fake="Exact")
    result = _run(tmp_path / "run.parquet", devices=("cuda", "cpu"))
    assert not result.complete and result.verdicts.height > 0
    (gap,) = result.header["absent"]
    assert gap["message"] == "no framework that was asked has the device cuda"
    assert _run(tmp_path / "run.parquet", devices=("cpu",)).complete


def test_judges_that_are_let_go_of_come_back_the_same(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much is held in memory changes no verdict, only how often a truth is looked up."""
    install(fake="OneUlpOff", other="Exact")
    oracles = [Oracle(tmp_path / "cache") for _ in range(3)]
    # what hypotheses say is remembered too from here on: no diagnosis looks up a truth
    first = run(selection(), tmp_path / "first.parquet", oracle=oracles[0])
    held = run(selection(), tmp_path / "held.parquet", oracle=oracles[1])
    monkeypatch.setattr("xent_conformance.running.bench.HELD_ELEMENTS", 0)
    fetched = run(selection(), tmp_path / "fetched.parquet", oracle=oracles[2])
    assert fetched.verdicts.equals(held.verdicts) and held.verdicts.equals(first.verdicts)
    batches = len(list(selection().batches()))
    assert oracles[0].computed == batches
    assert [(o.computed, o.remembered) for o in oracles[1:]] == [(0, batches), (0, 2 * batches)]
