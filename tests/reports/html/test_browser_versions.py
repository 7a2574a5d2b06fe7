"""Modes, versions and what is folded, in a browser: nothing spills over, all is there without a script, in
print and in forced colours, and an automated check of accessibility (axe-core, where it is here) is clean."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_gate import broken, decided, of_every_change, waiver
from tests.support.small_run import CLAUSES, header, run_of, verdict
from tests.support.small_versions import TABLE
from xent_conformance.reports.html.comparison import render_comparison
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.versions import render as render_versions
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.findings import findings

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]

PAGES = ("run.html", "compare.html", "versions.html")
OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
LONG = "torch.nn.functional.binary_cross_entropy_with_logits:of_probabilities_and_weights"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    raised = {"outcome": "raised", "grade": "none", "message": "SaysWhyInOneWord" * 8}
    rows = [
        broken(implementation=LONG),
        broken(implementation=LONG, mode="compile"),
        verdict(case="a"),
        verdict(case="a", mode="compile", bits="other"),
        verdict(case="a", device="cuda", status="breaks_should", bits="other"),
        verdict(case="o", status="open", implementation=LONG),
        verdict(case="o", status="open", got=0.0),
        verdict(case="u", status="unsupported", message="x" * 200),
        verdict(case="n", status="breaks_must", formulation="naive", implementation="torch.exp/sum"),
        *(
            verdict(case=f"r{i}", variant=f"kind_{i}", family="index_range", **raised) | {"clause": "6.4"}
            for i in range(7)
        ),
    ]
    clauses = {**CLAUSES, "6.4": {"level": "must", "title": "Out of range", "text": "Never `silent`."}}
    run = run_of(rows, header(clauses=clauses))
    before = run_of([row | {"version": "2.12.0"} for row in rows[1:]], header(clauses=clauses))
    gate = decided(run, [waiver(), waiver(name="of-jax" * 20, framework="mlx")], baseline=before)
    gate = replace(gate, files=Files((f"{'a_long_folder_name/' * 20}run.parquet",), ("old.parquet",)))
    made = tmp_path_factory.mktemp("pages")
    pages = (
        render(run, findings(run.verdicts), gate),
        render_comparison(of_every_change()),
        render_versions(TABLE),
    )
    for name, html in zip(PAGES, pages, strict=True):
        (made / name).write_text(html, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.mark.parametrize("name", PAGES)
def test_with_everything_open_no_page_scrolls_sideways(browser: Any, folder: Path, name: str) -> None:
    page = browser.new_page()
    page.goto((folder / name).as_uri())
    page.evaluate(OPEN_ALL)
    page.add_style_tag(content=".ops{content-visibility:visible!important}")
    for width in (390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_an_automated_check_finds_no_barrier(
    browser: Any, folder: Path, name: str, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto((folder / name).as_uri())
    page.evaluate(OPEN_ALL)
    page.add_style_tag(content=".ops{content-visibility:visible!important}")
    found = axe.Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_the_theme_changes_on_a_telephone_and_no_link_that_is_gone_to_lies_below_it(
    browser: Any, folder: Path, name: str
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((folder / name).as_uri())
    button = page.locator("#theme")
    for link in page.locator(".bar nav a").all():
        link.scroll_into_view_if_needed()
        there, here = button.bounding_box(), link.bounding_box()
        assert there["x"] >= 0 and there["x"] + there["width"] <= 390
        assert here["x"] >= 0 and here["x"] + here["width"] <= there["x"]
    button.click(timeout=1000)
    assert button.inner_text() == "Theme: light"
    page.close()


@pytest.mark.parametrize(
    ("name", "beside"), [("run.html", ".hero"), ("compare.html", "#regressed"), ("versions.html", "#upgrade")]
)
def test_a_command_is_copied_from_every_page(browser: Any, folder: Path, name: str, beside: str) -> None:
    page = browser.new_page()
    page.goto((folder / name).as_uri())
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.evaluate(OPEN_ALL)
    command = page.locator(f"{beside} .cmd").first
    command.locator(".copy").click()
    page.wait_for_function("window.copied")
    copied = page.evaluate("window.copied")
    assert copied.startswith("conformance ") and copied == command.locator("code").inner_text()
    page.close()


@pytest.mark.parametrize(
    ("name", "inside"),
    [("run.html", "#clauses dt"), ("compare.html", "#drifted td"), ("versions.html", "#environment td")],
)
def test_what_is_folded_opens_without_a_script_and_is_there_in_print(
    browser: Any, folder: Path, name: str, inside: str
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / name).as_uri())
    line = page.locator(inside).first
    assert not line.is_visible()
    page.emulate_media(media="print")
    assert line.is_visible()
    page.emulate_media(media="screen")
    page.locator(f"{inside.split()[0]} > summary").click()
    assert line.is_visible()
    page.close()


def test_a_name_opens_its_worst_case_and_a_tile_leads_to_its_rows(browser: Any, folder: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / "compare.html").as_uri())
    page.locator("#regressed summary").first.click()
    assert page.locator("#regressed dl").first.is_visible()
    page.locator(".tile[href='#fixed']").click()
    assert page.locator("#fixed:target").is_visible()
    page.close()


def test_forced_colours_leave_glyphs_words_and_edges(browser: Any, folder: Path) -> None:
    page = browser.new_page(forced_colors="active")
    page.goto((folder / "compare.html").as_uri())
    page.evaluate(OPEN_ALL)
    worse = page.locator(".became td", has_text="▼ worse")
    assert worse.count() == 1
    assert worse.evaluate("e => getComputedStyle(e).borderTopWidth") == "2px"
    page.close()
