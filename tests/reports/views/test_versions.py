"""Versions side by side: the page, and the same in a terminal."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace

import pytest
from rich.console import Console

from tests.support.decisions import answer
from tests.support.small_run import HOSTILE, Page
from tests.support.small_versions import LINE, TABLE, cell, life
from xent_conformance.reports.html.versions import render
from xent_conformance.reports.terminal.versions import show
from xent_conformance.reports.views.versions import Line, Versions

INF, NAN = float("inf"), float("nan")


def _terminal(table: Versions) -> str:
    out = io.StringIO()
    show(table, Console(file=out, width=160, highlight=False))
    return out.getvalue()


# --- the page ---


def test_what_the_page_says() -> None:
    page = Page(render(TABLE))
    assert "fake: 1.0 → 2.0 → 10.0" in page.text
    assert "1 of 2 findings are not the same in every version." in page.text
    assert "✕ must 1.1 fake.softmax softmax value: beyond the stable bound 2.0 10.0 0 4 0" in page.text
    assert "returned 0.5, right 0.25, 2,000 ulp softmax/ordinary/unit/float32/n3/r0" in page.text
    assert "conformance matrix fake==1.0 fake==2.0 fake==10.0" in page.text
    assert "In every version 1 finding, in the same verdicts" in page.text


def test_every_number_of_a_chart_is_in_the_table_beside_it() -> None:
    text = Page(render(TABLE)).text
    for row in (
        "break must 0 4 0",
        "break should 3 3 3",
        "bits changed — 17 0",
        "regressed — 4 0",
        "fixed — 0 0",
        "verdicts 1,200 1,200 1,200",
        "worst ulps, bfloat16 36.7 36.7 36.7",
        "worst ulps, float32 1.50 1.50 1.50",
    ):
        assert row in text


def test_a_chart_is_described_in_words_and_told_apart_by_shape() -> None:
    html = render(TABLE)
    assert 'aria-label="verdicts that break a clause in 1.0, 2.0, 10.0: must: 0, 4.00, 0; should:' in html
    assert html.count('role="img"') == 3
    assert 'stroke-dasharray="none"' in html and 'stroke-dasharray="5 3"' in html
    assert all(f'<span aria-hidden="true">{shape}</span>' in html for shape in "●■▮")
    assert not re.search(r'(fill|stroke)="(?!none|currentColor)', html), "colour is the sheet's"


def test_the_environment_shows_what_differs() -> None:
    page = Page(render(TABLE))
    assert "python 3.11.7 3.11.7 3.11.7" in page.text and "numpy 2.4.6 2.4.6 2.4.7" in page.text
    assert "isa — — avx2" in page.text and "threads 1 1 —" in page.text


def test_each_step_says_what_is_worse_and_what_decides() -> None:
    text = Page(render(TABLE)).text
    assert (
        "1.0 → 2.0 ▼ 4 verdicts worse 1,200 98.6 % 4 0 1, 1 must 0 conformance upgrade fake==1.0 fake==2.0"
    ) in text
    assert (
        "2.0 → 10.0 ● no verdict worse 1,200 100 % 0 0 0 1 conformance upgrade fake==2.0 fake==10.0" in text
    )
    named = replace(TABLE, command="conformance matrix other==1.0 other==2.0 --framework fake")
    text = Page(render(named)).text
    assert "conformance upgrade other==1.0 other==2.0 --framework fake" in text
    # of a version that the command does not name there is no command, and no guess
    assert text.count("conformance upgrade") == 1


def test_naive_controls_are_no_part_of_a_step() -> None:
    naive = replace(LINE, formulation="naive")
    table = replace(TABLE, lines=(naive,), lifetimes=(life(formulation="naive"),))
    assert [(s.compared, s.regressed, s.came, s.went) for s in table.steps] == [(0, 0, 0, 0)] * 2
    assert "1.0 → 2.0 – nothing to compare 0 — 0 0 0 0" in Page(render(table)).text


def test_the_headings_go_down_one_level_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in Page(render(TABLE)).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_same_table_gives_the_same_page() -> None:
    assert render(TABLE) == render(TABLE)


def test_it_needs_no_network() -> None:
    html = render(TABLE)
    assert "http" not in html and "@import" not in html
    assert "prefers-color-scheme:dark" in html
    page = Page(html)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_foreign_text_stays_text() -> None:
    hostile = replace(
        TABLE,
        framework=HOSTILE,
        versions=(HOSTILE, "2.0", HOSTILE),
        environments=({HOSTILE: HOSTILE}, {}, {}),
        lines=(replace(LINE, implementation=HOSTILE),),
        lifetimes=(life(implementation=HOSTILE, answer=answer(HOSTILE), case=HOSTILE),),
        command=HOSTILE,
    )
    html = render(hostile)
    assert html.count("<script") == 1  # ours
    assert HOSTILE in Page(html).text


def test_what_no_version_has_is_said() -> None:
    empty = Page(render(replace(TABLE, lines=(), lifetimes=()))).text
    assert "Every finding is in every version" in empty and "None was asked." in empty


def test_an_incomplete_version_is_said_at_the_top() -> None:
    text = Page(render(replace(TABLE, complete=(True, False, True)))).text
    assert "✕ 2.0 is incomplete: it did not answer all that it was asked." in text


@pytest.mark.parametrize("worst", [{}, {"float32": 0.0}, {"float32": INF}, {"float32": 1e300}])
def test_charts_of_odd_numbers(worst: dict[str, float]) -> None:
    odd = Line("odd", "fused", (None, cell(worst=worst), None))
    html = render(replace(TABLE, lines=(odd,)))
    assert "nan" not in html.lower().split("<main>")[1] and "inf" not in html.split("<svg")[-1]
    assert "break must — 0 —" in Page(html).text


def test_controls_are_apart() -> None:
    naive = Line("fake.naive", "naive", LINE.cells)
    table = replace(TABLE, lines=(LINE, naive), lifetimes=(life(formulation="naive"),))
    text = Page(render(table)).text
    assert "0 of 0 findings" in text and "1 naive formulation" in text


# --- the terminal ---


def test_what_the_terminal_says() -> None:
    text = " ".join(_terminal(TABLE).split())
    assert "fake.softmax │ 0 / 3 │ 4 / 3 · 17 of 1200 · 4 worse, 0 better │ 0 / 3 · 0 of 1200 · 0" in text
    assert "the same in every version for 2 of 2 implementations and formats" in text
    assert "findings: 2 in any version, 1 of them alike in all" in text
    assert (
        "1.1 must fake.softmax value: beyond the stable bound; new in 2.0, gone in 10.0 (0 → 4 → 0 verd"
        in text
    )


def test_the_terminal_shows_an_error_that_moved_and_a_gap() -> None:
    line = replace(LINE, cells=(None, cell(worst={"float32": 2.0}), cell(worst={"float32": NAN})))
    text = _terminal(replace(TABLE, lines=(line,), complete=(False, True, True)))
    assert "fake.softmax float32: — → 2.00 → — ulp" in text
    assert "not answered" in text
    assert "incomplete: 1.0 did not answer all that it was asked" in text


def test_the_terminal_takes_foreign_text_as_it_is() -> None:
    line = replace(LINE, implementation="fake[bold]x")
    assert "fake[bold]x" in _terminal(replace(TABLE, lines=(line,)))
