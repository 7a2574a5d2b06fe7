"""What is folded: how to read, specification, environment, verdicts, controls, gate; each with its number."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.support.small_gate import broken, decided
from tests.support.small_run import CLAUSES, HOSTILE, Page, header, run_of, verdict
from tests.support.small_sections import section, section_of_run
from xent_conformance.reports.html.marks import STATUS, cause_id, clause_anchor
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.sections import SECTIONS, reading
from xent_conformance.reports.html.sections.counters import counters
from xent_conformance.reports.run.file import merge
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.words import OUTPUTS, Grade, Outcome, Status

NAN = math.nan


def naive(**changes: Any) -> dict[str, Any]:
    usual = {"status": "breaks_must", "implementation": "torch.exp/sum", "formulation": "naive"}
    return verdict(**usual | changes)


def test_every_folded_section_says_how_much_there_is() -> None:
    run = run_of([broken(), verdict(case="b", status="open"), naive()])
    html = render(run, findings(run.verdicts), decided(run))
    for folded in (s for s in SECTIONS if s.folded):
        start = html.index(f'<details class="ops" id="{folded.id}"><summary>{folded.title} <small>')
        told = html[start : html.index("</small>", start)].rpartition("<small>")[2]
        assert told.strip(), folded.id


# --- how to read ---


def test_every_word_that_the_page_uses_is_explained() -> None:
    assert set(reading.GRADES) == set(Grade) and set(reading.STATUSES) == set(Status)
    assert set(reading.OUTCOMES) == set(Outcome) and set(reading.LEVELS) == {"must", "should", "open"}
    rows = [verdict(output=o, dtype=d) for o in OUTPUTS for d in ("bfloat16", "float64")]
    text, _ = section("reading", rows)
    assert "How to read a verdict ulps, 6 grades, 3 levels" in text
    assert "✕ must leaves no choice" in text and "wrong special NaN or an infinity" in text
    assert all(f"{name.replace('_', ' ')} " in text for name in OUTPUTS)
    assert "bf16 bfloat16 f64 float64" in text and "f16 float16" not in text


# --- the specification ---


def test_each_clause_says_how_many_causes_break_it() -> None:
    rows = [
        verdict(status="breaks_must", cause="one"),
        verdict(status="breaks_must", cause="one", implementation="torch.b"),
        verdict(status="breaks_must", cause="two", output="grad_logits"),
        naive(cause="three"),
    ]
    text, source = section("clauses", rows)
    assert "Specification 3 clauses, in full; 1 of them broken" in text
    assert "1.1 ✕ must Stable accuracy. Within the stable bound. 2 causes, 3 findings" in text
    assert 'data-find="cl=1.1"' in source and "cl=1.2" not in source
    assert f'id="{clause_anchor("1.1")}"' in source
    assert "1.2 ▲ should Relative accuracy. Within the accurate bound. 4.4 ○ open" in text


def test_the_note_of_a_clause_stands_with_it() -> None:
    noted = header(notes={"1.2": "The honest can be here."})
    assert section("clauses", [verdict()], noted)[0].count("The honest can be here.") == 1


# --- run and environment ---


def test_what_all_workers_have_in_common_stands_once() -> None:
    plain = header()["frameworks"][0]
    setting = {"variant": "isa=avx2", "environment": {**plain["environment"], "ATEN_CPU_CAPABILITY": "avx2"}}
    text, _ = section("environment", [verdict()], header(frameworks=[plain | setting, plain]))
    assert "Run and environment 2 workers; corpus c0ffee" in text
    assert "Every worker python 3.11.7 processor AMD EPYC" in text and text.count("3.11.7") == 1
    assert text.index("torch 2.13.0 on cpu; import 1.5 s –") < text.index("torch 2.13.0 isa=avx2")
    assert "on cpu[isa=avx2]; import 1.5 s ATEN_CPU_CAPABILITY avx2" in text


def test_a_value_that_one_worker_has_otherwise_is_not_common() -> None:
    plain = header()["frameworks"][0]
    other = plain | {"framework": "jax", "environment": {"python": "3.12.1", "processor": "AMD"}}
    text, _ = section("environment", [verdict()], header(frameworks=[plain, other]))
    assert "Every worker" not in text
    assert "python 3.12.1; processor AMD torch" in text and "python 3.11.7; processor AMD EPYC" in text


def test_the_run_can_be_asked_again_and_says_what_is_missing() -> None:
    absent = [{"framework": "jax", "message": "No module named 'jax'", "install": "pip install jax"}]
    text, _ = section("environment", [verdict()], header(absent=absent, finished={"torch": 3}))
    assert "again conformance run --profile quick" in text
    assert "batches answered torch 3 of 4" in text
    assert "absent jax: No module named 'jax' Add it: pip install jax" in text
    assert "time spent import 1.5 s, total 9.0 s" in text
    assert "suite, reference 0.1.0, ed822e1f corpus c0ffee" in text


def test_merged_files_stand_one_after_another() -> None:
    runs = [run_of([verdict(machine=m)], header(created=m)) for m in ("here", "there")]
    text, _ = section_of_run("environment", merge(runs))
    assert text.index("Run 1") < text.index("date here") < text.index("Run 2") < text.index("date there")


def test_what_was_not_installed_is_told_with_what_to_do() -> None:
    missing = [
        {"framework": "paddle", "message": "No module named 'paddle'", "install": "pip install paddle"}
    ]
    text, _ = section("environment", [verdict()], header(not_installed=missing))
    assert "Not installed, so not asked" in text
    assert "paddle No module named 'paddle' Add it: pip install paddle" in text
    assert "Not installed" not in section("environment", [verdict()])[0]


def test_a_note_that_several_share_stands_once() -> None:
    notes = [{"framework": "torch", "name": n, "operator": "softmax", "note": "to read"} for n in "ab"]
    text, _ = section("environment", [verdict()], header(implementations=notes))
    assert "Notes on implementations to read a, b" in text


# --- verdicts ---


def mixed() -> list[dict[str, Any]]:
    """One verdict of each status, and a naive control."""
    rows = [verdict(status=s, case=f"softmax/ordinary/spread1/float32/n3/r{i}") for i, s in enumerate(STATUS)]
    return [*rows, naive(framework="numpy", implementation="numpy:softmax-naive", version="2.4.6")]


def test_counters_sum_to_the_total() -> None:
    found = counters(run_of(mixed()).verdicts)
    assert [c.number for c in found.counters] == ["1", "2", "1", "1", "1", "1"]
    assert found.equation == "1 + 2 + 1 + 1 + 1 + 1 = 7"
    assert [numbers for _, numbers in found.split] == [
        ("1", "1", "1", "1", "1", "1", "6"),
        ("0", "1", "0", "0", "0", "0", "1"),
        ("1", "2", "1", "1", "1", "1", "7"),
    ]
    text, _ = section("counters", mixed())
    assert "Verdicts 7 verdicts, by what they say" in text and "1 + 2 + 1 + 1 + 1 + 1 = 7 verdicts" in text


def test_a_status_without_a_counter_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown status excused"):
        counters(run_of([verdict(status="excused")]).verdicts)


# --- not judged ---


def test_reasons_not_to_judge_that_differ_in_a_type_share_a_line() -> None:
    rows = [
        verdict(
            status="unsupported", implementation=f"torch.{name}", message=f"no {t} here {'x' * 200}", case=t
        )
        for name in "ab"
        for t in ("uint8", "int16")
    ]
    rows.append(verdict(status="unsupported", message="not offered"))
    text, _ = section("unjudged", rows)
    assert "Not judged 2 reasons not to judge 5 verdicts Not offered" in text
    assert "torch.a, torch.b eager · cpu float32 no int16 here" in text
    assert "x… (and 1 with other types) 4" in text
    assert "torch.softmax eager · cpu float32 not offered 1" in text
    text, _ = section("unjudged", [*rows, verdict(status="unsupported", formulation="naive", message="no")])
    assert "Not judged 3 reasons not to judge 5 verdicts, and 1 of naive controls" in text


def test_a_run_that_was_judged_throughout_says_so() -> None:
    assert "Not judged all were asked and certified Every verdict was" in section("unjudged", [verdict()])[0]


# --- controls ---


def test_a_control_has_one_line_with_the_clauses_that_it_breaks() -> None:
    wrong = {"symptom": "NaN", "got": NAN, "grade": "wrong_special", "ulps": math.inf}
    rows = [
        naive(),
        naive(output="grad_logits", case="b", dtype="bfloat16", rounded=0.1, **wrong),
        naive(output="grad_logits", case="c", status="conforms"),
        naive(status="breaks_should", case="d"),
        naive(status="breaks_should", case="e", mode="compile", ulps=90.0),
        naive(implementation="torch.right", status="conforms", case="f"),
    ]
    text, source = section("controls", rows)
    assert "Naive controls 1 of 2 naive formulations seen to be wrong" in text
    assert "3 findings, one line for each control" in text
    assert "torch.exp/sum softmax · compile · cpu; eager · cpu value, grad logits; bf16 f32" in text
    assert "✕ must 1.1 in 2 of 5 ▲ should 1.2 in 2 of 3" in text
    assert "returned NaN, right 0.1 conformance explain b --implementation torch.exp/sum" in text
    assert source.count('<tr id="n-') == 1


def test_without_a_control_there_is_a_sentence() -> None:
    assert "Naive controls none was asked No naive formulation breaks" in section("controls", [verdict()])[0]


# --- the gate ---


def test_a_reason_leads_to_its_cause_where_the_page_has_it() -> None:
    run = run_of([broken(cause="one")])
    gate = decided(run)
    text, source = section_of_run("gate", run, gate)
    assert "Gate and waivers gate failed; 0 waivers accept 0 verdicts" in text
    assert f'<b>must clause broken:</b> <a href="#{cause_id("one")}">' in source
    elsewhere = replace(gate, reasons=tuple(replace(r, cause="elsewhere") for r in gate.reasons))
    assert "<b>must clause broken:</b> <a " not in section_of_run("gate", run, elsewhere)[1]


# --- all of them ---


def test_foreign_text_is_escaped_in_every_folded_section() -> None:
    names = dict.fromkeys(("implementation", "operator", "symptom", "mode", "framework", "device"), HOSTILE)
    rows = [naive(**names), verdict(**names, status="unsupported", message=HOSTILE)]
    worker = header()["frameworks"][0] | {"variant": HOSTILE, "devices": [HOSTILE], "framework": HOSTILE}
    worker["environment"] = {HOSTILE: HOSTILE, "processor": HOSTILE}
    missing = [{"framework": HOSTILE, "message": HOSTILE, "install": HOSTILE}]
    note = [{"framework": HOSTILE, "name": HOSTILE, "operator": "softmax", "note": HOSTILE}]
    hostile = header(
        frameworks=[worker, header()["frameworks"][0]],
        not_installed=missing,
        implementations=note,
        families={HOSTILE: HOSTILE},
        clauses={**CLAUSES, "6.4": {"level": "must", "title": HOSTILE, "text": HOSTILE}},
    )
    run = run_of(rows, hostile)
    html = render(run, findings(run.verdicts))
    page = Page(html)
    assert "alert('x')" not in html and [tag for tag, _ in page.tags].count("script") == 1  # ours
    for name, least in (("environment", 8), ("clauses", 2), ("controls", 4), ("unjudged", 3)):
        assert section_of_run(name, run)[0].count(HOSTILE) >= least, name
