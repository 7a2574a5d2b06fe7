"""The page's causes: each thing that is wrong once, what gives it, whom it reaches, how to repeat it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.support.small_gate import CASE, broken, decided, waiver
from tests.support.small_run import Page, header, page_of, run_of, verdict
from xent_conformance.decision.policy import Policy
from xent_conformance.decision.waivers import KNOWN
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.section import Extras
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.causes import causes

CAUSES = {
    "offset-kept": {
        "hypothesis": "offset kept",
        "sentence": "x − (m + log S)",
        "source": "8.3",
        "conforming": 7,
    }
}


def _rows() -> list[dict[str, Any]]:
    return [
        verdict(case="a", status="breaks_must", cause="offset-kept", ratio=9.0),
        verdict(case="b", status="breaks_must", cause="offset-kept", ratio=3.0, framework="jax"),
        verdict(case="c", status="breaks_should", cause="1-2-softmax-value"),
        verdict(case="d", status="breaks_must", cause="", formulation="naive"),
        verdict(case="e"),
    ]


def test_causes_are_read_from_the_run_file() -> None:
    first, second = causes(run_of(_rows(), header(causes=CAUSES)))
    assert (first.id, first.hypothesis) == ("offset-kept", "offset kept")
    assert (first.verdicts, first.conforming) == (2, 7)
    assert first.frameworks == ("jax", "torch") and first.worst == "a" and first.level == "must"
    assert (second.hypothesis, second.sentence, second.verdicts) == ("", "", 1)


def test_the_page_says_each_once_with_what_gives_it_and_where_it_shows() -> None:
    page, html = page_of(_rows(), header(causes=CAUSES))
    assert "2 causes, the most harmful first" in page.text
    assert "explains 2 of 3 broken verdicts and is contradicted by none" in page.text
    assert "Offset kept: x − (m + log S). Predicts what was returned in 2 broken verdicts." in page.text
    assert "7 conforming rows of the same batches do not contradict it." in page.text
    assert "No hypothesis explains these rows" in page.text
    assert re.findall(r'<details class="cause" id="([^"]+)"', html) == [
        "cause-offset-kept",
        "cause-1-2-softmax-value",
    ]


def test_who_is_affected_stands_in_the_column_of_each_framework() -> None:
    rows = [
        *_rows(),
        verdict(case="a", framework="tensorflow", implementation="tf.nn.softmax"),
        verdict(case="b", implementation="torch.other"),
    ]
    _, html = page_of(rows, header(causes=CAUSES))
    line = html[html.index('id="cause-offset-kept"') :]
    line = line[: line.index("</summary>")]
    assert 'class="c all must" role="img" title="jax: 1 of 1 answer"' in line
    assert 'class="c right must" role="img" title="tensorflow: right in all 1"' in line
    assert 'class="c some must" role="img" title="torch: 1 of 2 answers"' in line


def test_a_must_verdict_is_counted_beside_the_others_of_its_cause() -> None:
    rows = [
        verdict(case="a", status="breaks_must", cause="one"),
        verdict(case="b", status="breaks_should", cause="one"),
    ]
    page, _ = page_of(rows)
    assert "2 findings · 1 must" in page.text


def test_the_command_names_the_variant_of_a_device() -> None:
    """A cause that shows under a setting alone is seen again under it."""
    rows = [verdict(case="a", status="breaks_must", cause="offset-kept", device="cpu[isa=avx2]")]
    page, _ = page_of(rows, header(causes=CAUSES))
    assert "conformance explain a --implementation torch.softmax --device 'cpu[isa=avx2]'" in page.text


def test_a_run_that_nobody_diagnosed_has_its_broken_verdicts_under_what_they_break() -> None:
    page, html = page_of([verdict(case="a", status="breaks_must"), verdict(case="b", status="breaks_should")])
    assert 'id="cause-1-1-softmax-value-beyond-the-stable-bound"' in html
    assert "2 causes" in page.text and "explains 0 of 2 broken verdicts" in page.text


def test_the_name_of_a_cause_is_foreign_text() -> None:
    _, html = page_of([verdict(status="breaks_must", cause='"><script>alert(1)</script>')])
    assert "<script>alert" not in html and re.search(r'<details class="cause" id="x-[a-z2-7]+"', html)


def test_the_gate_says_of_each_whether_it_is_accepted() -> None:
    rows = [broken(cause="known"), broken(cause="new", case="r1", clause="2.1", symptom="NaN")]
    run = run_of(rows, header(clauses={**header()["clauses"], "2.1": header()["clauses"]["1.1"]}))
    html = render(run, findings(run.verdicts), decided(run, [waiver()]))
    parts = re.split(r'(?=<details class="cause")', html)
    known, new = (next(p for p in parts if f'id="cause-{name}"' in p) for name in ("known", "new"))
    assert "waived" in known and "1 by <a" in known and "torch-known" in known and 'data-wv="waived"' in known
    assert "fails the gate: no waiver accepts it" in Page(html).text
    assert 'data-wv="blocks"' in new


def _gated(rows: Sequence[dict[str, Any]], **options: Any) -> tuple[str, str]:
    """What the page says of the gate at the cause, and by what a filter finds it."""
    run = run_of(list(rows))
    html = render(run, findings(run.verdicts), decided(run, **options))
    found = re.search(r"<h4>Gate</h4>(.*?)<h4>Take", html, re.DOTALL)
    state = re.search(r'data-wv="(\w+)"', html)
    assert found and state
    return Page(found[1]).text.strip(), state[1]


def test_what_breaks_a_should_clause_alone_is_nothing_that_is_left_to_accept() -> None:
    rows = [broken(cause="c"), *(verdict(status="breaks_should", cause="c", case=f"s{i}") for i in range(3))]
    told, state = _gated(rows, waivers=[waiver()])
    rest = "3 more verdicts break a should clause: they do not block, and nothing has to accept them"
    assert told.startswith(f"● waived: {rest}") and state == "waived"
    told, state = _gated(rows[1:2])
    assert told == "▲ a warning: it does not block, and nothing has to accept it" and state == "warns"


def test_what_is_left_to_accept_is_told_by_level() -> None:
    more = [broken(cause="c", case="r1", symptom="NaN"), verdict(status="breaks_should", cause="c", case="s")]
    rows = [broken(cause="c"), *more]
    told, state = _gated(rows, waivers=[waiver()])
    must = (
        "✕ fails the gate: 1 more verdict breaks a must clause: no waiver accepts it; 1 more verdict breaks"
    )
    assert told.startswith(f"{must} a should clause: it does not block, and nothing has to accept it")
    assert state == "blocks"
    should = "1 verdict breaks a should clause: no waiver accepts it"
    assert should in _gated(rows, policy=Policy(fail_on=frozenset({"should"})))[0]
    told, state = _gated(rows, waivers=[waiver()], baseline=run_of(rows))
    kept = "1 more verdict breaks a must clause: it does not block, and no waiver accepts it"
    assert told.startswith(f"▲ waived in part: {kept}")
    assert state == "partly"


def test_what_is_new_and_hidden_by_no_waiver_of_the_suite_is_not_told_as_waived() -> None:
    shipped, before = waiver(source=str(KNOWN / "torch.toml")), run_of([verdict(case=CASE)])
    told, state = _gated([broken(cause="c")], waivers=[shipped], baseline=before)
    assert told.startswith("✕ fails the gate: what is new against the baseline no waiver of the suite hides")
    assert state == "blocks"


def test_what_is_taken_away_is_on_the_page_where_it_was_made() -> None:
    run = run_of([broken(cause="known")])
    extras = Extras(scripts={"known": "print('here')"}, waivers={"known": 'name = "torch-known"'})
    text = Page(render(run, findings(run.verdicts), extras=extras)).text
    assert "print('here')" in text and 'name = "torch-known"' in text
    assert "copied with the script" in text
    without = Page(render(run, findings(run.verdicts))).text
    assert f"conformance explain {CASE} --implementation torch.softmax" in without and "--script" in without


def test_an_issue_of_another_row_is_not_copied_with_the_script() -> None:
    """The script shows the worst row, whose framework has no tracker here; the issue is torch's."""
    run = run_of([broken(cause="known", framework="mine", ratio=99.0), broken(cause="known", ratio=2.0)])
    html = render(run, findings(run.verdicts), extras=Extras(scripts={"known": "print('here')"}))
    assert "print(&#39;here&#39;)" in html and "Issue text <small>for upstream</small>" in html
    assert "copied with the script" not in html and "data-with=" not in html.partition("<script")[0]


def test_the_issue_for_upstream_is_there_without_asking_anybody() -> None:
    page, _ = page_of(_rows(), header(causes=CAUSES))
    assert "Issue text for upstream" in page.text
    assert "exactly" in page.text and "What gives such numbers: offset kept: x − (m + log S)." in page.text
