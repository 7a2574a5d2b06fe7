"""The gate on the page: the decision in words, what it means for each finding, every waiver, the command."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import invoke
from tests.support.small_gate import CASE, broken, decided, waiver
from tests.support.small_run import HOSTILE, Page, run_of, verdict
from xent_conformance.decision.compare import compare
from xent_conformance.reports.html.comparison import render_comparison
from xent_conformance.reports.html.page import LIMIT
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.gate import INVALID, SAID, Gate


def page_of(run: Run, gate: Gate, **limit: int) -> tuple[Page, str]:
    html = render(run, findings(run.verdicts), gate, **limit)
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    return page, html


def test_without_a_gate_the_page_decides_nothing() -> None:
    run = run_of([broken()])
    page = Page(render(run, findings(run.verdicts)))
    assert "gate" not in page.ids and "conformance gate" not in page.text
    assert not any(word in page.text for word in ("gate passed", "gate failed", "Waivers", "no decision"))


@pytest.mark.parametrize("link", ["javascript:alert('x')", " https://example.org", HOSTILE])
def test_foreign_text_of_waivers_and_reasons_stays_text(link: str) -> None:
    run = run_of([broken(implementation=HOSTILE, message=HOSTILE)])
    gate = decided(run, [waiver(name=HOSTILE, reason=HOSTILE, link=link, source=HOSTILE)])
    page, html = page_of(run, replace(gate, files=Files((HOSTILE,), (HOSTILE,), (HOSTILE,))))
    assert "alert('x')" not in html.replace("javascript:alert(&#39;x&#39;)", "")
    assert all(href.startswith("#") for href in page.links)
    assert [tag for tag, _ in page.tags].count("script") == 1


def test_the_page_stays_below_its_limit_with_a_gate() -> None:
    rows = [
        broken(
            implementation=f"torch.nn.functional.implementation_{i}", case=f"{CASE}{i}", cause=f"cause-{i}"
        )
        for i in range(500)
    ]
    run = run_of(rows)
    page, html = page_of(run, decided(run, [waiver(name=f"waiver {i}") for i in range(100)]))
    assert len(html.encode()) <= LIMIT
    assert "Shortened: to keep this page below 1.5 MB" in page.text


@pytest.mark.parametrize(
    ("now", "spelt"),
    [
        ([verdict()], "gate passed"),
        ([verdict(status="breaks_must")], "gate failed"),
        ([], "no decision"),
    ],
)
def test_every_page_spells_a_decision_alike(now: list[dict[str, Any]], spelt: str) -> None:
    """The page of a run, its upgrade section, the page of an upgrade, and its line."""
    run, before = run_of(now), run_of([verdict()])
    gate = decided(run, baseline=before)
    pages = [page_of(run, gate)[0], Page(render_comparison(compare(before, run).told(), gate))]
    of_run, of_upgrade = (re.findall(rf"[●✕◆] {spelt}", page.text, re.IGNORECASE) for page in pages)
    assert len(of_run) > 1 and of_upgrade and len({*of_run, *of_upgrade}) == 1
    assert of_run[0].endswith(SAID[gate.status]) and SAID[gate.status] == spelt
    assert gate.headline.startswith(spelt) or gate.status == INVALID


# --- conformance report --------------------------------------------------------------------------------


@pytest.fixture
def run_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_run(Path("run.parquet"), run_of([broken(), verdict(case="b")]))
    return Path("run.parquet")


def reported(*options: str, status: int = 0) -> str:
    result = invoke("report", "run.parquet", *options)
    assert result.exit_code == status, result.output
    return Page(Path("report.html").read_text(encoding="utf-8")).text if status == 0 else result.stderr


def test_a_report_shows_the_decision_and_still_succeeds(run_file: Path) -> None:
    text = reported("--no-known")
    assert "✕ gate failed 1 reason blocks." in text
    assert "Decide again: conformance gate run.parquet --no-known" in text
    assert "conformance waive run.parquet --no-known -o new-waivers.toml" in text


def test_a_report_without_the_gate(run_file: Path) -> None:
    assert "gate failed" not in reported("--no-gate")


def test_a_report_takes_the_waivers_that_come_with_the_suite(run_file: Path) -> None:
    assert "not evaluated" in reported() and "not evaluated" not in reported("--no-known")


def test_a_report_against_a_baseline(run_file: Path) -> None:
    write_run(Path("old.parquet"), run_of([verdict(case=CASE), verdict(case="b"), verdict(case="c")]))
    text = reported("--no-known", "--baseline", "old.parquet")
    assert "◆ no decision" in text and "less accurate: torch.softmax value: less accurate: " in text
    assert "conformance gate run.parquet --baseline old.parquet --no-known" in text


def test_a_report_refuses_what_it_cannot_use(run_file: Path) -> None:
    Path("bad.toml").write_text("[[waiver]]\nname = 'x'\n", encoding="utf-8")
    assert "'framework' is missing" in reported("--waivers", "bad.toml", status=2)
    assert "no such file" in reported("--baseline", "gone.parquet", status=3)
    assert "is read by the same command" in reported("-o", "run.parquet", status=2)
    assert not Path("report.html").exists()
