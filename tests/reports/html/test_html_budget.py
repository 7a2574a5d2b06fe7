"""However large the run, the page stays below its limit or says that it does not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.small_run import Page, distance, header, run_of, verdict
from xent_conformance.reports.html.page import LIMIT, Budget, fitted
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings

LINE = 10


def lengths(budget: Budget) -> str:
    """A page of ``LINE`` bytes an entry that shows all, and one for each that does not."""
    return "x" * (LINE * budget.opened + budget.cut) + "over" * budget.over


def test_all_open_where_they_fit() -> None:
    assert len(fitted(lengths, 7, 7 * LINE)) == 7 * LINE
    assert fitted(lengths, 0, 0) == ""


@pytest.mark.parametrize("limit", range(7, 7 * LINE))
def test_as_many_open_as_fit(limit: int) -> None:
    page = fitted(lengths, 7, limit)
    assert limit - LINE < len(page) <= limit


def test_a_page_that_cannot_fit_is_told_that_it_is_too_large() -> None:
    assert fitted(lengths, 7, 6) == "x" * 7 + "over"
    assert fitted(lambda budget: f"{budget.over}", 0, 1) == "True"


def test_bytes_are_counted_and_not_characters() -> None:
    assert len(fitted(lambda budget: "é" * budget.opened, 10, 9)) == 4


def faulty(must: int, should: int) -> Run:
    """So many causes, each of a case of its own with inputs of 64 numbers."""
    rows = [
        verdict(
            status=status,
            implementation=f"torch.nn.functional.implementation_number_{i}",
            case=f"softmax/ordinary/spread1/float64/n64/{status}{i}",
            cause=f"{status.replace('_', '-')}-{i}",
            ulps=1e6 - i,
            ratio=1e4 - i,
            dtype="float64",
        )
        for status, number in (("breaks_must", must), ("breaks_should", should))
        for i in range(number)
    ]
    exhibit = {"dtype": "float64", "n": 64, "asked": "label_smoothing = 0.1; memory layout: strided"}
    exhibit |= dict.fromkeys(("logits", "labels", "cotangent", "tangent"), "00" * 256 + "01" * 256)
    far = [distance(case=row["case"], operator=f"operator {i}") for i, row in enumerate(rows[-9:])]
    return run_of(rows, header(exhibits={row["case"]: exhibit for row in rows}, distances=far))


def page_of(run: Run, **limit: int) -> tuple[str, Page]:
    html = render(run, findings(run.verdicts), **limit)
    return html, Page(html)


def lines(html: str) -> list[str]:
    """What the page has of each cause."""
    return re.split(r'(?=<details class="cause")', html)[1:]


def whole(line: str) -> bool:
    return "What is asked" in line


def test_should_causes_give_way_before_must_causes_and_the_mild_before_the_worst() -> None:
    run = faulty(must=12, should=12)
    all_, _ = page_of(run)
    none, _ = page_of(run, limit=1)
    limit = len(none.encode()) + (len(all_.encode()) - len(none.encode())) * 3 // 4
    html, page = page_of(run, limit=limit)
    assert len(html.encode()) <= limit < len(all_.encode())
    opens = [whole(line) for line in lines(html)]
    opened = sum(opens)
    assert opens == [True] * opened + [False] * (24 - opened) and 12 < opened < 24
    assert f"the first {opened} causes show all and the other {24 - opened} their line" in page.text
    assert "Shortened" not in Page(all_).text


def test_a_line_that_is_shortened_still_says_what_and_which_case() -> None:
    run = faulty(must=2, should=2)
    html, page = page_of(run, limit=1)
    cut = lines(html)
    assert len(cut) == 4 and not any(map(whole, cut))
    for line, row in zip(cut, findings(run.verdicts).iter_rows(named=True), strict=True):
        assert row["case"] in line and "0.25<br><i>right</i>" in line
    # what pointed at the cause or at its case still leads somewhere, or is no link
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_a_page_above_its_limit_says_so() -> None:
    assert "each cause shows its line and a command" in page_of(faulty(1, 2), limit=1)[1].text
    assert "Even so the page is larger than that" in page_of(faulty(1, 2), limit=1)[1].text
    assert "Large: this page is above 1e-06 MB" in page_of(run_of([verdict()]), limit=1)[1].text
    assert "Even so" not in page_of(faulty(1, 2))[1].text


@pytest.mark.parametrize(("must", "should"), [(100, 0), (50, 450)], ids=["many", "too many"])
def test_a_run_with_very_many_causes_stays_below_a_megabyte_and_a_half(must: int, should: int) -> None:
    html, page = page_of(faulty(must, should))
    assert len(html.encode()) <= LIMIT == 1_500_000
    opened = sum(map(whole, lines(html)))
    assert len(lines(html)) == must + should and opened >= must
    assert ("Shortened: to keep this page below 1.5 MB" in page.text) == (opened < must + should)


def asks(i: int, name: str) -> dict[str, Any]:
    said = f"ValueError: {name} " + "has much to say " * 9
    raised = {"outcome": "raised", "grade": "none", "clause": "6.4", "family": "index_range"}
    return verdict(**raised, variant=f"variant_{i}", message=said, implementation=name, case=f"w{i}")


def test_every_section_of_a_large_run_is_small() -> None:
    """100 causes, 60 implementations in every section, 400 distances."""
    faults = faulty(100, 0)
    rows = faults.verdicts.to_dicts()
    for name in [row["implementation"] for row in rows[:60]]:
        rows += [verdict(implementation=name, variant=v, case=v) for v in ("unit", "spread8", "spread32")]
        rows += [asks(i, name) for i in range(7)]
    far = [
        distance(framework_a=f"framework {i % 28}", operator=f"operator {i % 9}", case=row["case"])
        for i, row in enumerate(rows[:400])
    ]
    html, _ = page_of(run_of(rows, {**faults.header, "distances": far}))
    assert all(map(whole, lines(html)))
