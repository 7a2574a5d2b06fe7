"""The page in a browser, where there is one: nothing is fetched, nothing spills over, filters work bare,
and an automated check of accessibility (axe-core, where it is installed) finds nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_gate import broken, decided, waiver
from tests.support.small_run import distance, header, run_of, verdict
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.findings import findings

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]


MAGNITUDES = [
    ("ordinary", "unit"),
    ("ordinary", "spread8"),
    ("ordinary", "spread32"),
    ("two_classes", "confident_right"),
    ("huge_logits", "at_exp_overflow"),
    ("huge_logits", "largest"),
]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        verdict(status="breaks_must", implementation="torch.nn.functional.cross_entropy:probabilities"),
        verdict(status="breaks_should", framework="jax", implementation="jax.nn.softmax"),
        verdict(status="breaks_should", mode="compile"),
        *(
            verdict(dtype=d, output=o)
            for d in ("bfloat16", "float64")
            for o in ("grad_logits", "grad_labels")
        ),
    ]
    rows += [
        verdict(
            family=family, variant=variant, formulation=formulation, implementation=f"torch.{formulation}"
        )
        for family, variant in MAGNITUDES
        for formulation in ("fused", "composed", "naive")
    ]
    rows += [
        verdict(
            status=s, family="historical", formulation="naive", implementation="torch.softmax.clamp.log*p"
        )
        for s in ("breaks_must", "breaks_should")
    ]
    rows += [
        verdict(clause="6.4", variant=f"kind_{i}", outcome="raised", grade="none", message="says why " * 20)
        for i in range(7)
    ]
    far = [distance(got_a=-4.4501477170140194e-308, device_b="cpu[isa=avx2]")]
    run = run_of(rows, header(distances=far))
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(run, findings(run.verdicts)), encoding="utf-8")
    path.with_name("short.html").write_text(render(run, findings(run.verdicts), limit=1), encoding="utf-8")
    rows += [broken(), broken(mode="compile"), verdict(status="undecided", message="x" * 200)]
    run = run_of(rows, header(distances=far))
    gate = decided(run, [waiver(), waiver(name="of-jax" * 20, framework="mlx")])
    gate = replace(gate, files=Files((f"{'a_long_folder_name/' * 20}run.parquet",)))
    path.with_name("gate.html").write_text(render(run, findings(run.verdicts), gate), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.mark.parametrize("name", ["report.html", "gate.html"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_it_fits_and_fetches_nothing(browser: Any, page_file: Path, width: int, name: str) -> None:
    page_file = page_file.with_name(name)
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    assert asked == [page_file.as_uri()]
    assert errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("width", [390, 820, 1280])
@pytest.mark.parametrize("name", ["report.html", "short.html"])
def test_what_opens_and_what_was_shortened_fits_too(
    browser: Any, page_file: Path, width: int, name: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.with_name(name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.locator(".naives tr:visible").count() == 4
    assert page.locator(".cut:visible").count() == (3 if name == "short.html" else 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_filters_need_no_script(browser: Any, page_file: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(page_file.as_uri())
    assert page.locator(".f:visible").count() == 3
    page.get_by_label("jax").check()
    assert page.locator(".f:visible").count() == 1
    page.get_by_label("must", exact=True).check()
    assert page.locator(".f:visible").count() == 0
    page.close()


def test_a_counter_filters_and_a_link_opens_its_finding(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    page.locator(".counters a[href='#must']").click()
    assert page.locator("#shown").inner_text() == "1 of 3 findings shown"
    page.get_by_label("all").last.check()
    page.locator(".mx td a").first.click()
    assert page.locator(".b:target").is_visible()
    page.locator(".mx .naive td a").first.click()
    assert page.locator(".naives tbody:target").is_visible()
    page.close()


def test_what_is_waived_can_be_hidden_and_its_waiver_opens(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.with_name("gate.html").as_uri())
    shown = page.locator("#must .f:visible, #should .f:visible").count()
    hidden = page.locator(".waived").count()
    page.get_by_label("not waived").check()
    assert page.locator(".f.waived:visible").count() == 0 < hidden
    assert page.locator("#must .f:visible, #should .f:visible").count() == shown - hidden
    page.get_by_label("all").last.check()
    page.locator(".waived summary").first.click()
    page.locator(".waived dd a[href^='#w-']").first.click()
    assert page.locator("tr:target").is_visible()
    page.close()


@pytest.mark.parametrize("name", ["gate.html"])
def test_what_opens_fits_on_every_width(browser: Any, page_file: Path, name: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(page_file.with_name(name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for width in (390, 820, 1060, 1280):  # at 1060 the columns of a list are narrowest
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


# --- accessibility -------------------------------------------------------------------------------------


def violations(page: Any) -> list[tuple[str, str]]:
    """What axe-core finds wrong: the rule, and the first element that breaks it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"]) for v in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["gate.html", "short.html"])
def test_an_automated_check_finds_no_barrier(
    browser: Any, page_file: Path, name: str, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(page_file.with_name(name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert violations(page) == []
    page.close()


def test_the_automated_check_sees(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(
        "<html lang='en'><title>t</title><main><h1>h</h1><p style='color:#ccc'>pale</p><img></main>"
    )
    assert {rule for rule, _ in violations(page)} == {"color-contrast", "image-alt"}
    page.close()
