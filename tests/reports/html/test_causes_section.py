"""The page's causes: each thing that is wrong once, with what gives it and where it shows."""

from __future__ import annotations

from typing import Any

from tests.support.small_run import header, page_of, run_of, verdict
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


def test_the_page_says_each_once_and_leads_to_its_findings() -> None:
    page, html = page_of(_rows(), header(causes=CAUSES))
    assert "What is wrong, each thing once 2" in page.text
    assert "explains 2 of 3 broken verdicts and is contradicted by none" in page.text
    assert "offset kept" in page.text and "x − (m + log S)" in page.text and "unexplained" in page.text
    section = html[html.index('id="causes"') : html.index('id="findings"')]
    assert section.count('href="#f-') == 3


def test_the_command_names_the_variant_of_a_device() -> None:
    """A cause that shows under a setting alone is seen again under it."""
    rows = [verdict(case="a", status="breaks_must", cause="offset-kept", device="cpu[isa=avx2]")]
    page, _ = page_of(rows, header(causes=CAUSES))
    section = page.text[
        page.text.index("What is wrong, each thing once") : page.text.index("Findings, worst")
    ]
    assert "conformance explain a --implementation torch.softmax --device" in section


def test_a_run_file_that_names_no_causes_has_no_such_section() -> None:
    _, html = page_of([verdict(case="a", status="breaks_must")])
    assert 'id="causes"' not in html
