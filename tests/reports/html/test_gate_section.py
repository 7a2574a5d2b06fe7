"""Gate and waivers, folded: the decision in words, what blocks, the warnings, every waiver by its state."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import pytest

from tests.support.small_gate import CASE, broken, decided, waiver
from tests.support.small_run import HOSTILE, Page, header, run_of, verdict
from tests.support.small_sections import section_of_run
from xent_conformance.reports.html.sections.gate import LISTED, decision
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind


def said(run: Run, gate: Gate) -> str:
    """All text, with punctuation where it belongs: the reader puts a space behind every link."""
    return re.sub(r" ([,;:)])", r"\1", section_of_run("gate", run, gate)[0])


def test_a_pass_says_what_held() -> None:
    run = run_of([verdict(), verdict(status="breaks_should", case="b")])
    text = said(run, decided(run))
    assert (
        "● gate passed In the implementations users call, every answer conforms to the must clauses and "
        "nothing that was asked is missing. 1 warning."
    ) in text
    assert "Decide again: conformance gate RUN.parquet" in text
    assert "1 × should clause broken, the first: torch.softmax value: lost relative accuracy" in text
    assert "What blocks" not in text


def test_a_pass_with_a_baseline_says_against_what() -> None:
    run, before = run_of([verdict()]), run_of([verdict(version="2.12.0", bits="other")])
    text = said(run, decided(run, baseline=before))
    assert "no verdict is worse than in the baseline (torch 2.13.0)" in text
    assert "Against the baseline: torch 2.13.0 1 bits changed" in text


def test_a_failure_says_why_and_what_shows_it() -> None:
    run = run_of([broken(), verdict(case="b")])
    text = said(run, decided(run))
    assert "✕ gate failed 1 reason blocks." in text and "What blocks 1" in text
    assert (
        "must clause broken: torch.softmax value: beyond the stable bound (must 1.1 Stable accuracy) "
        "(1 verdict)"
    ) in text
    assert "Worst: returned 0.25, right 0.1, 2,000 ulp" in text
    assert f"conformance explain {CASE} --implementation torch.softmax" in text
    assert "conformance waive RUN.parquet -o new-waivers.toml writes stubs" in text


def test_missing_evidence_is_no_decision() -> None:
    run = run_of([verdict(), verdict(status="undecided", case="b")], header(finished={"torch": 3}))
    text, source = section_of_run("gate", run, decided(run))
    assert "◆ no decision Evidence is missing, so nothing is decided: 2 reasons." in text
    assert "unfinished: torch answered 3 of 4 batches" in text
    assert 'href="#unjudged"' in source
    assert "passed" not in text


def test_reasons_that_are_not_listed_are_counted() -> None:
    names = [f"torch.f{i:03}" for i in range(LISTED + 3)]
    run = run_of([broken(implementation=n, cause=n) for n in names])
    text, source = section_of_run("gate", run, decided(run))
    assert "Shortened: 3 more reasons; the command above tells all." in text
    assert source.count("<b>must clause broken:</b>") == LISTED


def test_a_detail_that_many_reasons_share_is_said_once() -> None:
    run = run_of([verdict()])
    gate = decided(run, baseline=run_of([verdict(implementation=f"torch.gone{i}") for i in range(3)]))
    details = [why.detail for why in decision(gate, ()).blocking]
    assert len(details) == 3 and details[0].startswith("the baseline has verdicts")
    assert details[1:] == ["", ""]


def test_an_accepting_waiver_stands_with_reason_and_link() -> None:
    run = run_of([broken(), broken(mode="compile"), verdict(case="b")])
    text, source = section_of_run("gate", run, decided(run, [waiver()]))
    assert "Gate and waivers gate passed; 1 waiver accepts 2 verdicts" in text
    assert (
        "every answer conforms to the must clauses or is waived" in text
        and "Your waivers accept 2 verdicts." in text
    )
    assert "torch-known accepts 2 verdicts" in text
    assert "it rounds once more, as upstream documents" in text
    assert '<a href="https://example.org/issue/1" rel="noreferrer">' in source


def test_a_decision_says_by_whose_waivers_it_accepts_and_by_how_many() -> None:
    """One that was not evaluated accepts nothing, and is not counted as if it did."""
    run = run_of([broken(), broken(mode="compile"), verdict(case="b")])
    gate = decided(run, [waiver(), waiver(name="mended", implementations=("torch.nn.Softmax",))])
    assert len(gate.waivers) == 2
    text = said(run, replace(gate, by_suite=gate.waived))
    assert "Gate and waivers gate passed; 1 waiver accepts 2 verdicts" in text
    assert "This suite's waivers accept 2 verdicts." in text


def test_what_waivers_accept_is_counted_once_and_by_level_and_where_not_it_is_said() -> None:
    kept = verdict(status="breaks_should", case=CASE)
    other = waiver(name="other", clause=kept["clause"], symptom=kept["symptom"])
    run = run_of([broken(), kept])
    text = said(run, decided(run, [waiver(), other]))
    assert "Your waivers accept 2 verdicts, 1 of them of a should clause." in text
    assert "Together they accept 2 verdicts. One that has expired" in text
    run = run_of([broken()])
    text = said(run, decided(run, [waiver(), waiver(name="again")]))
    assert "Together they accept 1 verdict. One that several accept is counted once here" in text
    assert text.count("accepts 1 verdict") == 2 and "of a should clause" not in text


def test_every_waiver_is_listed_by_state() -> None:
    other = {"implementations": ("torch.nn.Softmax",)}
    waivers = [
        waiver(),
        waiver(name="over", expires=datetime.date(2020, 1, 1)),
        waiver(name="gone", framework="jax"),
        waiver(name="gone too", framework="jax"),
        waiver(name="stranger", implementations=("torch.nobody",)),
        waiver(name="mended", **other),
        waiver(name="nobody tracks it", link="none"),
    ]
    names = [
        {"framework": "torch", "name": name, "operator": "softmax", "note": ""}
        for name in ("torch.softmax", "torch.nn.Softmax")
    ]
    run = run_of(
        [broken(), verdict(case=CASE, implementation="torch.nn.Softmax")], header(implementations=names)
    )
    gate = decided(run, waivers)
    text, source = section_of_run("gate", run, gate)
    text = text[text.index("Waivers 5 Reviewed") :]
    states = [w.state for w in gate.waivers]
    assert {"accepts", "expired", "not evaluated", "unmatched", "stale"} <= set(states)
    order = [text.index(f" {s} {states.count(s)} ") for s in ("expired", "stale", "unmatched", "accepts")]
    assert order == sorted(order)
    assert "2 more are of what was not asked (jax)." in text and "gone too" not in text
    assert all(w.reason in text for w in waivers[:2])
    assert "nobody upstream documents or tracks it" in text
    # a reason that is a waiver leads to it, and what blocks is not folded
    assert source.count("<b>waiver expired:</b> <a") >= 1 and source.count('<details class="fold" open>') == 3


def test_a_worsened_waiver_blocks_and_shows_its_place() -> None:
    run = run_of([broken(), broken(case="other", ulps=9e6)])
    gate = decided(run, [waiver()])
    assert {r.kind for r in gate.reasons} == {Kind.MUST, Kind.WORSENED}
    text = said(run, gate)
    assert "waiver worsened: waiver torch-known: worsened" in text and "✕ worsened 1" in text


@pytest.mark.parametrize("link", ["javascript:alert('x')", " https://example.org", HOSTILE])
def test_foreign_text_of_waivers_and_reasons_stays_text(link: str) -> None:
    run = run_of([broken(implementation=HOSTILE, message=HOSTILE)])
    gate = decided(run, [waiver(name=HOSTILE, reason=HOSTILE, link=link, source=HOSTILE)])
    source = section_of_run("gate", run, replace(gate, files=Files((HOSTILE,), (HOSTILE,), (HOSTILE,))))[1]
    assert "alert('x')" not in source.replace("javascript:alert(&#39;x&#39;)", "")
    assert all(href.startswith("#") for href in Page(source).links) and "<script" not in source
