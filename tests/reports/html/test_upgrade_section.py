"""May I upgrade? on the page of a run, where the gate has a baseline; and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from tests.support.small_gate import decided, newer, now_header
from tests.support.small_run import HOSTILE, Page, run_of, verdict
from xent_conformance.reports.html.marks import cause_id
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind


def shown(run: Run, gate: Gate | None) -> tuple[Page, str, str]:
    """The page, the text of the section, and its source."""
    html = render(run, findings(run.verdicts), gate)
    start = html.find('<section class="wrap" id="versions">')
    part = html[start : html.index("</section>", start) + len("</section>")] if start >= 0 else ""
    return Page(html), Page(part).text, part


def test_without_a_baseline_there_is_no_such_section() -> None:
    run = run_of([verdict()])
    for gate in (None, decided(run)):
        page, text, _ = shown(run, gate)
        assert text == "" and "versions" not in page.ids and "#versions" not in page.links


def test_what_is_worse_stands_with_its_values_and_leads_to_its_cause() -> None:
    before = run_of([verdict(case="a"), verdict(case="b", status="breaks_should")])
    worse = {"status": "breaks_must", "symptom": "infinite where finite", "cause": "fused", "ulps": 1e9}
    now = run_of([newer(case="a", **worse), newer(case="b")], now_header())
    gate = replace(decided(now, baseline=before), files=Files(("new.parquet",), ("old.parquet",)))
    page, text, part = shown(now, gate)
    assert "May I upgrade? torch 2.13.0 → torch 2.14.0" in text
    assert "✕ gate failed No: 1 reason against it." in text
    assert "1 regressed, 1 fixed" in text
    assert "✕ blocks regressed torch.softmax softmax value must 1.1 infinite where finite f32 1" in text
    assert "returned 0.25, right 0.1" in text
    assert f'href="#{cause_id("fused")}"' in part and cause_id("fused") in page.ids
    assert "conformance gate new.parquet --baseline old.parquet" in text
    assert "conformance compare old.parquet new.parquet --html FILE.html" in text


def test_nothing_worse_is_a_yes() -> None:
    before, now = run_of([verdict()]), run_of([newer()], now_header())
    text = shown(now, decided(now, baseline=before))[1]
    assert "● gate passed Yes: nothing is worse." in text
    assert "Nothing is missing, worse or less accurate than in the baseline." in text


def test_missing_evidence_is_neither_yes_nor_no() -> None:
    before = run_of([verdict(case="a"), verdict(case="b")])
    now = run_of([newer(case="a")], now_header())
    text = shown(now, decided(now, baseline=before))[1]
    assert "◆ no decision Not known: evidence is missing." in text
    assert "✕ blocks missing since the baseline" in text and "Yes:" not in text


def test_the_same_versions_again_are_no_upgrade() -> None:
    run = run_of([verdict()])
    assert "The same versions again: torch 2.13.0" in shown(run, decided(run, baseline=run))[1]


def test_what_blocks_stands_first_and_what_is_left_out_is_counted() -> None:
    names = [f"torch.f{i:03}" for i in range(70)]
    before = run_of([verdict(implementation=n) for n in names])
    now = run_of([newer(implementation=n, status="breaks_must", cause=n) for n in names], now_header())
    gate = decided(now, baseline=before)
    assert sum(r.kind is Kind.LESS_ACCURATE for r in gate.reasons) == 70
    gate = replace(gate, reasons=(replace(gate.reasons[-1], blocking=False), *gate.reasons[:-1]))
    text = shown(now, gate)[1]
    assert "Shortened: 10 more reasons" in text and "▲ warns" not in text


def test_a_cause_that_the_page_does_not_show_is_no_link() -> None:
    before, now = run_of([verdict()]), run_of([newer(status="breaks_must")], now_header())
    gate = decided(now, baseline=before)
    gate = replace(gate, reasons=tuple(replace(r, cause="elsewhere") for r in gate.reasons))
    _, text, part = shown(now, gate)
    assert "✕ blocks less accurate torch.softmax" in text and "<a " not in part


def test_foreign_text_stays_text() -> None:
    before = run_of([verdict(implementation=HOSTILE)])
    now = run_of([newer(implementation=HOSTILE, status="breaks_must", message=HOSTILE)], now_header())
    _, text, part = shown(now, decided(now, baseline=before))
    assert HOSTILE in text and "<script" not in part
