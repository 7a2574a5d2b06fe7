"""The page of a comparison: every change by itself, worst first, bounded, and safe with foreign text."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

from tests.support.cli import invoke
from tests.support.small_gate import decided, newer, now_header, of_every_change, view_of
from tests.support.small_run import HOSTILE, Page, run_of, verdict
from xent_conformance.decision.compare import compare
from xent_conformance.reports.html.comparison import render_comparison
from xent_conformance.reports.html.comparison_head import CHANGES
from xent_conformance.reports.html.page import LIMIT
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.reports.views.comparison import Change, Told

NAN = math.nan

ROW = '<th scope="row"><details>'
"""What a group begins with."""


def page_of(told: Told, **limit: int) -> tuple[Page, str]:
    html = render_comparison(told, **limit)
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    return page, html


def test_every_change_has_a_mark_and_they_sum() -> None:
    assert set(CHANGES) == set(Change)
    text = page_of(of_every_change())[0].text
    assert "1 + 1 + 1 + 1 + 2 + 1 + 1 + 1 + 1 = 10 pairs" in text


def test_the_first_screen_says_what_against_what_and_nets_nothing() -> None:
    text = page_of(of_every_change())[0].text
    assert "Two runs side by side: torch 2.13.0 → torch 2.14.0 Some verdicts are worse." in text
    assert "✕ worse 1 verdict regressed; they stand first." in text
    assert (
        "1 regressed, 1 missing, 1 not comparable, 1 drifted, 2 fixed, 1 improved, 1 bits changed, 1 added "
        "and 1 same. None makes up for another."
    ) in text
    assert "▼ 1 verdicts are worse; 1 break a must clause that did not ● 2 verdicts are better" in text
    assert "10.0 % of 10 verdicts have the same bits" in text
    assert "3 stand apart: 1 missing, 1 not comparable, 1 added" in text
    assert "Before torch 2.13.0 2026-11-21T07:21:44+00:00 quick 0.1.0 9" in text
    assert "Now torch 2.14.0 2026-12-24T00:00:00+00:00" in text


def test_what_differs_in_the_environment_is_counted_and_listed() -> None:
    environment = {"python": "3.12.1", "processor": "AMD EPYC", "build": "x" * 5000}
    text = page_of(view_of([verdict()], [newer()], now_header(environment=environment)))[0].text
    part = text[text.index("What else is not the same 3 differences") : text.index("Verdicts before and now")]
    assert "torch version 2.13.0 2.14.0" in part and "torch python 3.11.7 3.12.1" in part
    assert "processor" not in part and len(part) < 1000 and "xx…" in part
    same = compare(run_of([verdict()]), run_of([verdict()])).told()
    assert (
        "Nothing: suite, corpus, reference, versions and environments are the same." in page_of(same)[0].text
    )


def test_the_table_of_transitions_marks_the_worse_side() -> None:
    page, html = page_of(of_every_change())
    start = page.text.index("Verdicts before and now 7 pairs")
    table = page.text[start : page.text.index("Every change, counted", start)]
    assert "1 missing, 1 added and 1 not comparable stand apart" in table
    assert "Before, and now: ● conforms ▲ breaks should ✕ breaks must together" in table
    assert "● conforms 4 0 1 ▼ worse 5 ▲ breaks should 2 ▲ better 0 0 2 ✕ breaks must 0 0 0 0" in table
    assert "together 6 0 1 7" in table
    assert html.count('<td class="r q m">') == 2  # of the worse side, and nothing is there


def test_what_is_another_verdict_stands_open_and_the_rest_is_folded() -> None:
    page, html = page_of(of_every_change())
    assert re.findall(r'<tbody id="([a-z-]+)"', html) == ["regressed", "missing", "not-comparable", "fixed"]
    assert re.findall(r'<details class="ops" id="([a-z-]+)"', html) == [
        "environment", "transitions", "counts", "drifted", "improved", "bits-changed", "added", "same",
        "runs",
    ]  # fmt: skip
    assert "1 verdict as before" in page.text


def test_a_must_clause_stands_before_more_verdicts_of_a_should_clause() -> None:
    names = {"torch.a": "breaks_should", "torch.b": "breaks_should", "torch.must": "breaks_must"}
    before = [verdict(implementation=n, case=c) for n in names for c in "xyz"]
    now = [
        newer(implementation=n, case=c, status=status if c == "x" or n != "torch.must" else "conforms")
        for n, status in names.items()
        for c in "xyz"
    ]
    text = page_of(view_of(before, now))[0].text
    order = [text.index(f"conforms → {word} {name}") for word, name in (
        ("breaks must", "torch.must"), ("breaks should", "torch.a"), ("breaks should", "torch.b")
    )]  # fmt: skip
    assert order == sorted(order)


def test_a_row_has_both_values_and_opens_its_worst_case() -> None:
    text = page_of(of_every_change())[0].text
    assert "▼ regressed conforms → breaks must torch.softmax worst case regressed, eager on cpu" in text
    assert "softmax value must 1.1 Stable accuracy nothing → NaN f32 1 0.25 NaN 0.1 0.25 → —" in text
    assert "before ● conforms: 0.25, right 0.1, 0.25 ulp (exact) 2.13.0 on AMD EPYC" in text
    assert "now ✕ breaks must: NaN, right 0.1 (wrong special) 2.14.0 on AMD EPYC" in text
    assert "see it conformance explain regressed --implementation torch.softmax" in text
    assert "2.00 → 32.0" in text  # drifted
    assert "f32 2 0.25 0.25 0.1 40.0 → 0.25" in text  # fixed
    assert "conforms → none" in text and "none → conforms" in text


OTHER = {"index": 3, "got": 0.095703125, "rounded": 0.095458984375, "dtype": "float16"}
RIGHT = 0.1302490234375


def test_numbers_of_different_elements_stand_with_their_own_right_results() -> None:
    """The worst element is another one now: ``0.1301 | 0.0957 | 0.09546`` would read as better."""
    before = [verdict(got=0.130126953125, rounded=RIGHT, dtype="float16", ulps=1.0)]
    text = page_of(view_of(before, [newer(status="breaks_should", **OTHER)]))[0].text
    assert "1 0.1301 right 0.1302 0.0957 right 0.09546 another element now 1.00 → 40.0" in text
    assert "conforms: element 1 0.1301, right 0.1302, 1.00 ulp" in text
    assert "lost relative accuracy: element 3 0.0957, right 0.09546, 40.0 ulp" in text
    beside = OTHER | {"index": 1, "rounded": RIGHT}
    same = page_of(view_of(before, [newer(status="breaks_should", **beside)]))[0].text
    assert "1 0.1301 0.0957 0.1302 1.00 → 40.0" in same and "element 1" not in same
    rule = page_of(view_of(before, [newer(hash="two", **OTHER | {"index": 1})]))[0].text
    assert "0.1301 right 0.1302 0.0957 right 0.09546 another right result now" in rule


def test_no_answer_is_told_in_the_framework_s_words() -> None:
    raised = {"outcome": "raised", "symptom": "raised", "grade": "none", "ulps": NAN, "message": "no kernel"}
    text = page_of(view_of([verdict()], [newer(status="breaks_must", **raised)]))[0].text
    assert "now ✕ breaks must: raised 2.14.0 on AMD EPYC no kernel" in text
    assert "0.25 raised 0.1 0.25 → —" in text


def test_nothing_changed() -> None:
    text = page_of(compare(run_of([verdict()]), run_of([verdict()])).told())[0].text
    assert "torch 2.13.0: the same versions in two runs" in text
    assert "● no worse No verdict regressed, is missing or is not comparable." in text
    assert "The same, to the bit: 1 verdict." in text


def test_what_is_missing_is_not_shown_to_be_as_good() -> None:
    text = page_of(view_of([verdict(), verdict(case="b")], [newer()]))[0].text
    assert "✕ not all is there What is missing or not comparable is not shown" in text


def test_two_empty_runs_are_nothing_to_compare() -> None:
    text = page_of(view_of([], []))[0].text
    assert "✕ nothing to compare Neither run has a verdict." in text and "no worse" not in text
    assert "No pair is in both runs and comparable." in text


def many(number: int) -> Told:
    names = [f"torch.nn.functional.implementation_number_{i:04}" for i in range(number)]
    broken = [newer(status="breaks_must", implementation=n, message="m" * 500, bits=n) for n in names]
    fixed = [verdict(status="breaks_should", implementation=f"{n}.fixed") for n in names]
    before = [verdict(implementation=n) for n in names] + fixed
    now = broken + [newer(implementation=f"{n}.fixed", bits="other") for n in names]
    return view_of(before, now, limit=number)


def test_groups_that_are_not_listed_are_counted() -> None:
    view = view_of(
        [verdict(implementation=f"torch.f{i}") for i in range(9)],
        [newer(implementation=f"torch.f{i}", status="breaks_must") for i in range(9)],
        limit=4,
    )
    page, html = page_of(view)
    assert html.count(ROW) == 4
    assert (
        "▼ Regressed 9" in page.text and "Shortened: 5 groups of 9 regressed are not listed here" in page.text
    )


def test_a_page_of_very_many_groups_stays_below_its_limit_and_keeps_the_regressions() -> None:
    view = many(1500)
    page, html = page_of(view)
    assert len(html.encode()) <= LIMIT
    kept = html[html.index('id="regressed"') : html.index('id="fixed"')].count(ROW)
    listed = html.count(ROW)
    assert 0 < kept == min(listed, 1500)
    assert "▼ Regressed 1,500" in page.text and "● Fixed 1,500" in page.text
    assert f"Shortened: {3000 - max(1500, listed):,} group" in page.text
    small, _ = page_of(many(3), limit=1)
    assert "3 groups of 3 regressed are not listed" in small.text and "worst case " not in small.text


def test_foreign_text_is_escaped() -> None:
    hostile = dict.fromkeys(("implementation", "mode", "device", "case", "framework", "operator"), HOSTILE)
    now = newer(**hostile, status="breaks_must", symptom=HOSTILE, message=HOSTILE, machine=HOSTILE)
    environment = {HOSTILE: HOSTILE}
    headers = now_header(framework=HOSTILE, version=HOSTILE, environment=environment)
    page, html = page_of(view_of([verdict(**hostile)], [now], headers))
    assert "alert('x')" not in html
    assert [tag for tag, _ in page.tags].count("script") == 1  # ours
    assert HOSTILE in page.text
    assert not re.search(r'(class|id)="[^"]*script', html)


def test_it_is_self_contained_and_its_headings_go_down_one_level_at_a_time() -> None:
    page, html = page_of(of_every_change())
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "base", "embed"}
    assert "http:" not in html and "https:" not in html and "@import" not in html and "url(" not in html
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert html == page_of(of_every_change())[1]


def test_the_command_writes_it(tmp_path: Path) -> None:
    for name, run in (("old", run_of([verdict()])), ("new", run_of([newer(bits="x")], now_header()))):
        _write(tmp_path / f"{name}.parquet", run)
    files = [str(tmp_path / name) for name in ("old.parquet", "new.parquet")]
    result = invoke("compare", *files, "--html", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    assert "1 bits changed" in Page((tmp_path / "page.html").read_text(encoding="utf-8")).text


def _write(path: Path, run: Run) -> None:
    write_run(path, run)


def test_an_upgrade_opens_with_its_decision() -> None:
    """The answer, the sentence, what blocks, and what shows it, first of all; a comparison has none."""
    before, now = (
        [verdict(case="a")],
        [verdict(case="a", status="breaks_must", symptom="NaN", grade="wrong_special")],
    )
    gate = decided(run_of(now), baseline=run_of(before))
    again = "conformance upgrade torch==2.13.0 torch==2.14.0"
    text = Page(render_comparison(view_of(before, now), gate, again)).text
    assert "May I upgrade? torch 2.13.0 → torch 2.14.0 No: 1 reason against it." in text
    assert f"✕ gate failed {gate.sentence}" in text and "This page decides nothing" not in text
    assert text.index(again) < text.index(gate.blocking[0].command) < text.index("What is worse, and what")
    alone = Page(render_comparison(view_of(before, now))).text
    assert "This page decides nothing: conformance gate NEW.parquet --baseline OLD.parquet does." in alone
    assert "gate failed" not in alone and "Yes:" not in alone and "No:" not in alone


def test_an_upgrade_that_passes_says_yes_and_one_without_evidence_neither() -> None:
    rows = [verdict(case="a"), verdict(case="b")]
    passed = decided(run_of(rows), baseline=run_of(rows))
    assert "Yes: nothing is worse." in Page(render_comparison(view_of(rows, rows), passed)).text
    fewer = decided(run_of(rows[:1]), baseline=run_of(rows))
    text = Page(render_comparison(view_of(rows, rows[:1]), fewer)).text
    assert "Not known: evidence is missing." in text and "Yes:" not in text


def test_how_many_break_a_must_clause_counts_what_is_not_listed() -> None:
    names = [f"torch.f{i}" for i in range(9)]
    before = [verdict(implementation=n) for n in names]
    view = view_of(before, [newer(implementation=n, status="breaks_must") for n in names], limit=2)
    assert "9 break a must clause that did not" in page_of(view)[0].text
    as_before = {"status": "breaks_must", "case": "as before"}
    view = view_of(
        [*before, verdict(**as_before)],
        [newer(status="breaks_must", implementation=names[0]), newer(**as_before)],
    )
    assert "1 verdicts are worse; 1 break a must clause that did not" in page_of(view)[0].text.replace(
        "▼ ", ""
    )


def test_an_error_larger_than_the_number_is_told_as_a_share_of_its_bound() -> None:
    before = [verdict(ulps=0.25, ratio=0.001)]
    text = page_of(view_of(before, [newer(status="breaks_should", ulps=1e30, ratio=0.03)]))[0].text
    assert "0.25 → 0.03 of the stable bound" in text and "10³⁰" not in text
