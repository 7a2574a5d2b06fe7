"""One section of the page of a small run: its source, and its text as a reader finds it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.small_run import Page, run_of
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.gate import Gate


def source_of(html: str, name: str) -> str:
    """The source of the section ``name``, folded or open; raises AssertionError where there is none."""
    found = re.search(rf'<(details class="ops"|section class="wrap") id="{name}">', html)
    assert found, f"no section {name}"
    end = "</div></details>\n" if found[1].startswith("details") else "</section>"
    return html[found.start() : html.index(end, found.start()) + len(end)]


def section_of_run(name: str, run: Run, gate: Gate | None = None) -> tuple[str, str]:
    """The text and the source of one section; the page's own ids and links are sound."""
    html = render(run, findings(run.verdicts), gate)
    page, source = Page(html), source_of(html, name)
    inside = {link.removeprefix("#") for link in Page(source).links if link.startswith("#")}
    assert inside <= set(page.ids) and len(page.ids) == len(set(page.ids))
    return Page(source).text, source


def section(name: str, rows: Sequence[Mapping[str, Any]], *headers: Mapping[str, Any]) -> tuple[str, str]:
    """The same of a run of ``rows``."""
    return section_of_run(name, run_of(rows, *headers))
