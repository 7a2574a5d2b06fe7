"""The gate on the page: the decision in words, what it means for each finding, every waiver, the command."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import invoke
from tests.support.small_gate import CASE, broken, decided, waiver
from tests.support.small_run import HOSTILE, Page, header, run_of, verdict
from xent_conformance.decision.policy import Policy
from xent_conformance.reports.html.page import LIMIT
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.sections.gate import IN_THE_BANNER, LISTED, decision
from xent_conformance.reports.html.standing import standings
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.gate import Gate, Kind


def page_of(run: Run, gate: Gate, **limit: int) -> tuple[Page, str]:
    html = render(run, findings(run.verdicts), gate, **limit)
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    return page, html


def said(page: Page) -> str:
    """All text, with punctuation where it belongs: the reader puts a space behind every link."""
    return re.sub(r" ([,;:)])", r"\1", page.text)


def banner(page: Page) -> str:
    return page.text[: page.text.index("cases asked of") if "cases asked of" in page.text else 2000]


def test_without_a_gate_the_page_speaks_of_none() -> None:
    run = run_of([broken()])
    text = Page(render(run, findings(run.verdicts))).text
    assert "gate" not in text.lower().replace("gate nothing", "") and "waive" not in text


def test_a_pass_says_what_held() -> None:
    run = run_of([verdict(), verdict(status="breaks_should", case="b")])
    page, _ = page_of(run, decided(run))
    assert (
        "● gate passed In the implementations users call, every must clause holds and nothing that was asked "
        "is missing. 1 warning."
    ) in banner(page)
    assert "Decide again: conformance gate RUN.parquet" in banner(page)
    assert "1 should clause broken, the first: torch.softmax value: lost relative accuracy" in said(page)
    assert "What blocks" not in page.text


def test_a_pass_with_a_baseline_says_against_what() -> None:
    run, before = run_of([verdict()]), run_of([verdict(version="2.12.0", bits="other")])
    page, _ = page_of(run, decided(run, baseline=before))
    assert "no verdict is worse than in the baseline (torch 2.13.0)" in banner(page)
    assert "Against the baseline: torch 2.13.0 1 bits changed" in page.text


def test_a_failure_says_why_and_leads_to_the_finding() -> None:
    run = run_of([broken(), verdict(case="b")])
    page, html = page_of(run, decided(run))
    assert "✕ gate failed 1 reason blocks." in banner(page)
    assert (
        "must clause broken: torch.softmax value: beyond the stable bound (must 1.1 Stable accuracy) "
        "(1 verdict)"
    ) in banner(page)
    (finding,) = [i for i in page.ids if i.startswith("f-")]
    assert html.count(f'<b>must clause broken:</b> <a href="#{finding}">') == 2  # in the banner, in the list
    assert "Worst: returned 0.25, right 0.1, 2,000 ulp" in page.text
    assert "✕ must fails the gate" in page.text
    assert "Gate fails the gate: no waiver accepts it" in page.text


def test_missing_evidence_is_no_decision() -> None:
    run = run_of([verdict(), verdict(status="undecided", case="b")], header(finished={"torch": 3}))
    page, _ = page_of(run, decided(run))
    assert "◆ no decision Evidence is missing, so nothing is decided: 2 reasons." in banner(page)
    assert "unfinished: torch answered 3 of 4 batches" in banner(page)
    assert "#unjudged" in page.links[: page.links.index("#counters")]
    assert "passed" not in page.text and "failed" not in banner(page)


def test_the_banner_shows_the_first_reasons_and_says_how_many_more() -> None:
    run = run_of([broken(implementation=f"torch.f{i:03}") for i in range(LISTED + 3)])
    gate = decided(run)
    page, html = page_of(run, gate)
    assert f"{LISTED + 3 - IN_THE_BANNER} more reasons, warnings and waivers are under" in said(page)
    assert banner(page).count("must clause broken:") == IN_THE_BANNER
    assert "Shortened: 3 more reasons; the command above tells all." in page.text
    assert html.count("<b>must clause broken:</b>") == IN_THE_BANNER + LISTED


def test_a_detail_that_many_reasons_share_is_said_once() -> None:
    run = run_of([verdict()])
    gate = decided(run, baseline=run_of([verdict(implementation=f"torch.gone{i}") for i in range(3)]))
    said = [why.detail for why in decision(gate, findings(run.verdicts)).blocking]
    assert len(said) == 3 and said[0].startswith("the baseline has verdicts") and said[1:] == ["", ""]


def test_a_waived_finding_says_so_with_name_state_reason_and_link() -> None:
    run = run_of([broken(), broken(mode="compile"), verdict(case="b")])
    gate = decided(run, [waiver()])
    page, html = page_of(run, gate)
    assert "● gate passed" in banner(page)
    assert "every must clause holds or is waived" in banner(page)
    assert "Waivers accept 2 verdicts." in banner(page)
    assert "✕ must waived" in page.text
    assert (
        "2 of 2 rows waived by torch-known, which accepts them: it rounds once more, as upstream documents "
        "(https://example.org/issue/1)"
    ) in said(page)
    assert '<a href="https://example.org/issue/1" rel="noreferrer">' in html
    assert "Accept it" not in page.text  # there is nothing left to accept
    assert "● accepts 1 Waiver" in page.text
    (w,) = [i for i in page.ids if i.startswith("w-")]
    assert f"#{w}" in page.links


def test_a_finding_that_is_waived_in_part_says_what_is_not() -> None:
    run = run_of([broken(), broken(case="other", ulps=9e6), broken(case="third", ulps=8e6)])
    gate = decided(run, [waiver(cases=(CASE,))])
    page, _ = page_of(run, gate)
    assert "✕ must fails the gate" in page.text
    assert "fails the gate: no waiver accepts the other 2 rows" in page.text
    assert "1 of 3 rows waived by torch-known" in said(page)
    assert "Accept it conformance waive RUN.parquet -o new-waivers.toml" in page.text
    run = run_of([broken(status="breaks_should"), broken(status="breaks_should", case="other")])
    gate = decided(run, [waiver(clause="1.2", symptom="lost relative accuracy", cases=(CASE,))])
    page, _ = page_of(run, gate)
    assert "▲ should waived in part" in page.text and "is a warning: no waiver accepts the other 1 row" in (
        page.text
    )
    assert "conformance waive RUN.parquet -o new-waivers.toml --level should" in page.text


def test_a_finding_that_a_policy_blocks_fails_the_gate() -> None:
    run = run_of([verdict(status="breaks_should")])
    assert [s.word for s in standings(decided(run), findings(run.verdicts)).values()] == [""]
    strict = decided(run, policy=Policy(frozenset({"should"})))
    assert [s.word for s in standings(strict, findings(run.verdicts)).values()] == ["fails the gate"]


def test_a_decision_on_another_run_says_nothing_of_these_findings() -> None:
    gate = decided(run_of([verdict()]))
    assert standings(gate, findings(run_of([broken()]).verdicts)) == {}


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
    names = [{"framework": "torch", "name": n, "note": ""} for n in ("torch.softmax", "torch.nn.Softmax")]
    run = run_of(
        [broken(), verdict(case=CASE, implementation="torch.nn.Softmax")], header(implementations=names)
    )
    gate = decided(run, waivers)
    page, html = page_of(run, gate)
    text = page.text[page.text.index("Waivers 7 Reviewed") : page.text.index("Matrix The mark")]
    states = [w.state for w in gate.waivers]
    assert {"accepts", "expired", "not evaluated", "unmatched", "stale"} <= set(states)
    order = [text.index(f" {s} {states.count(s)} ") for s in ("expired", "stale", "unmatched", "accepts")]
    assert order == sorted(order)
    assert "– not evaluated 2 jax was not run: gone, gone too" in said(page)
    assert all(w.reason in text for w in waivers[:2])
    assert "nobody upstream documents or tracks it" in text
    # a reason that is a waiver leads to it, and what blocks is not folded
    assert html.count("<b>waiver expired:</b> <a") >= 1 and html.count('<details class="fold" open>') == 3


def test_a_worsened_waiver_blocks_and_shows_its_place() -> None:
    run = run_of([broken(), broken(case="other", ulps=9e6)])
    gate = decided(run, [waiver()])
    assert {r.kind for r in gate.reasons} == {Kind.MUST, Kind.WORSENED}
    page, _ = page_of(run, gate)
    assert "waiver worsened: waiver torch-known: worsened" in banner(page)
    assert "1 of 2 rows waived by torch-known, which is worsened" in said(page)


@pytest.mark.parametrize("link", ["javascript:alert('x')", " https://example.org", HOSTILE])
def test_foreign_text_of_waivers_and_reasons_stays_text(link: str) -> None:
    run = run_of([broken(implementation=HOSTILE, message=HOSTILE)])
    gate = decided(run, [waiver(name=HOSTILE, reason=HOSTILE, link=link, source=HOSTILE)])
    page, html = page_of(run, replace(gate, files=Files((HOSTILE,), (HOSTILE,), (HOSTILE,))))
    assert "alert('x')" not in html.replace("javascript:alert(&#39;x&#39;)", "")
    assert all(href.startswith("#") for href in page.links)
    assert [tag for tag, _ in page.tags].count("script") == 1


def test_a_drill_down_says_how_to_repeat_it() -> None:
    selection = header()["selection"] | {"plugins": ["mine.py"]}
    run = run_of([broken(implementation="mine[fast]")], header(selection=selection))
    text = page_of(run, decided(run))[0].text
    assert f"See it conformance explain {CASE} --implementation 'mine[[]fast]' --plugin mine.py" in text
    target = "--implementation 'mine[fast]' --framework torch --mode eager --output value"
    assert f"Repeat it conformance explain {CASE} {target} --plugin mine.py --script" in text
    assert "Accept it conformance waive RUN.parquet -o new-waivers.toml" in text


def test_the_page_stays_below_its_limit_with_a_gate() -> None:
    rows = [
        broken(implementation=f"torch.nn.functional.implementation_{i}", case=f"{CASE}{i}", ulps=1e7 - i)
        for i in range(2000)
    ]
    run = run_of(rows)
    page, html = page_of(run, decided(run, [waiver(name=f"waiver {i}") for i in range(100)]))
    assert len(html.encode()) <= LIMIT
    assert "Shortened: to keep this page below 2 MB" in page.text


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
