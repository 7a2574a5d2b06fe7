"""A framework that answered nothing does not pass, and least of all beside one that did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance, invoke
from tests.support.gating import gated, kinds
from tests.support.small_gate import decided
from tests.support.small_run import header, run_of, verdict
from xent_conformance.reports.views.reasons import Kind

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ("--profile", "quick", "--operator", "softmax", "--family", "two_classes")


def _made(install: Install, out: Path, fake: str, *asked: str, beside: bool = True) -> Path:
    """A run of the fake, beside one that is right."""
    install(**({"good": "Exact"} if beside else {}), odd=fake)
    invoke("run", *SMALL, *asked, "-o", out)
    assert out.is_file()
    return out


@pytest.mark.parametrize(
    ("fake", "status", "kind", "told"),
    [
        ("NoDevices", 3, Kind.ABSENT, "odd was asked for and is absent"),
        ("RaisesAlways", 1, Kind.UNANSWERED, "odd answered none of 80 verdicts that it offers"),
        ("OnlyBinary64", 1, Kind.UNANSWERED, "odd answered none of 80 verdicts that it offers"),
    ],
)
def test_what_answers_nothing_does_not_pass_beside_what_does(
    fake: str, status: int, kind: Kind, told: str, install: Install, tmp_path: Path
) -> None:
    run = _made(install, tmp_path / "run.parquet", fake, "--dtype", "float32")
    found, data, _ = gated(run)
    assert found == status and kind in kinds(data)
    assert told in {r["title"] for r in data["reasons"] if r["blocking"]}
    assert {"framework": "good", "answered": 80, "offered": 80} in data["answered"]
    assert [a["answered"] for a in data["answered"] if a["framework"] == "odd"] == [0]


def test_what_answers_one_format_of_two_says_how_much_that_is(install: Install, tmp_path: Path) -> None:
    formats = ("--dtype", "float32", "--dtype", "float64", "--family", "ordinary")
    run = _made(install, tmp_path / "run.parquet", "OnlyBinary64", *formats, beside=False)
    status, data, lines = gated(run)
    (told,) = data["answered"]
    assert status == 1 and Kind.MUST in kinds(data) and 0 < told["answered"] < told["offered"]
    assert f"answered of what was offered: odd {told['answered']:,} of {told['offered']:,}" in " ".join(lines)


def test_what_declares_that_it_has_not_the_format_is_told_and_blocks_where_it_was_named(
    install: Install, tmp_path: Path
) -> None:
    run = _made(install, tmp_path / "run.parquet", "DeclaresWhatItLacks", "--dtype", "bfloat16")
    status, data, _ = gated(run)
    assert status == 0 and kinds(data) == {Kind.NO_VERDICTS}
    named = ("--framework", "odd", "--framework", "good")
    run = _made(install, tmp_path / "named.parquet", "DeclaresWhatItLacks", "--dtype", "bfloat16", *named)
    status, data, _ = gated(run)
    assert status == 3 and "odd offers nothing of what was asked" in data["headline"]


def test_an_error_where_one_is_right_is_an_answer() -> None:
    rows = [verdict(), verdict(framework="jax", implementation="jax.nn.softmax", outcome="raised")]
    gate = decided(run_of(rows, header(planned={"torch": 4, "jax": 1}, finished={"torch": 4, "jax": 1})))
    assert gate.status == 0 and gate.answered_of_offered == "torch 1 of 1, jax 1 of 1"


def test_pytest_of_a_run_file_says_so(install: Install, tmp_path: Path) -> None:
    from tests.support.pytest_inside import run_pytest

    run = _made(install, tmp_path / "run.parquet", "NoDevices", "--dtype", "float32")
    done = run_pytest(tmp_path, "--pyargs", "xent_conformance", "-rA", f"--conformance-run={run}")
    assert done.told["run-file"] == "FAILED" and "odd" in done.text


def test_the_summary_and_the_page_say_how_much(install: Install, tmp_path: Path) -> None:
    run = _made(install, tmp_path / "run.parquet", "RaisesAlways", "--dtype", "float32")
    summary, page = tmp_path / "summary.md", tmp_path / "page.html"
    conformance("gate", run, "--markdown", summary, "--no-known", status=1)
    conformance("report", run, "-o", page)
    for text in (summary.read_text("utf-8"), page.read_text("utf-8")):
        assert "Answered of what was offered: good 80 of 80, odd 0 of 80." in text
