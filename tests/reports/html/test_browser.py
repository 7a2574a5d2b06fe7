"""The page of a run in a browser: nothing is fetched, nothing spills over, filters and keys work, links open
what they lead to, and an automated check of accessibility (axe-core, where it is installed) finds nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.published import HERE
from tests.support.small_gate import broken, decided, waiver
from tests.support.small_run import CLAUSES, header, run_of, verdict
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.section import Extras
from xent_conformance.reports.run.findings import findings

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]
OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
LONG = "torch.nn.functional.binary_cross_entropy_with_logits:of_probabilities_and_weights"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a gate, and one that is shortened."""
    rows = [
        broken(cause="one", implementation=LONG),
        broken(cause="one", case="r1"),
        verdict(status="breaks_should", cause="two", framework="jax", implementation="jax.nn.softmax"),
        verdict(status="breaks_should", cause="two", mode="compile", dtype="float16", case="r2"),
        verdict(status="breaks_must", cause="three", clause="6.4", symptom="NaN", device="cuda", case="r3"),
        verdict(status="breaks_must", formulation="naive", implementation="torch.exp/sum"),
        *(verdict(case=f"o{i}", framework=f, ulps=float(i)) for i in range(3) for f in ("torch", "jax")),
    ]
    told = {**CLAUSES, "6.4": {"level": "must", "title": "Out of range", "text": "Never `silent`."}}
    run = run_of(rows, header(clauses=told))
    gate = decided(run, [waiver(implementations=(LONG,), cases=("*",))])
    extras = Extras(scripts={"one": "print('a script')\n"}, waivers={"three": 'name = "x"\n'})
    made = tmp_path_factory.mktemp("page")
    (made / "gate.html").write_text(render(run, findings(run.verdicts), gate, extras), encoding="utf-8")
    (made / "short.html").write_text(render(run, findings(run.verdicts), limit=1), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, folder: Path) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((folder / "gate.html").as_uri())
    yield page
    page.close()


def shown(page: Any) -> list[str]:
    """The causes that the filters leave."""
    return [str(c.get_attribute("id")) for c in page.locator(".cause:visible").all()]


@pytest.mark.parametrize("name", ["gate.html", "short.html"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_it_fits_and_fetches_nothing(browser: Any, folder: Path, width: int, name: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((folder / name).as_uri())
    assert asked == [(folder / name).as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(OPEN_ALL)
    page.add_style_tag(content=".ops{content-visibility:visible!important}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []
    page.close()


def test_a_filter_narrows_and_lives_in_the_address(page: Any) -> None:
    assert shown(page) == ["cause-one", "cause-three", "cause-two"]
    page.locator("select[name=lv]").select_option("must")
    assert shown(page) == ["cause-one", "cause-three"]
    page.locator("select[name=dv]").select_option("cuda")
    assert shown(page) == ["cause-three"] and page.url.endswith("#?lv=must&dv=cuda")
    assert page.locator("#shown").inner_text() == "1 of 3 causes"
    assert page.locator(".level:visible .many").all_inner_texts() == ["1 of 2 causes"]
    page.reload()
    assert shown(page) == ["cause-three"]
    page.locator("#clear").click()
    assert len(shown(page)) == 3 and "#" not in page.url
    assert page.locator(".level:visible .many").all_inner_texts() == ["2 causes", "1 cause"]


def test_a_cause_is_named_whole_where_its_column_is_narrow(page: Any) -> None:
    names = "[...document.querySelectorAll('.cause .ti b')]"
    page.evaluate(
        f"{names}.forEach((b) => {{ b.textContent = 'derivatives of ' + 'cross_entropy_'.repeat(15); }})"
    )
    right = "getBoundingClientRect().right"
    beyond = f"b.{right} - b.closest('.ti').{right}, b.scrollWidth - b.clientWidth"
    over = f"{names}.map((b) => Math.max({beyond}))"
    for width in (1280, 900, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert max(page.evaluate(over)) <= 1


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("dt", "float16", ["cause-two"]),
        ("cl", "6.4", ["cause-three"]),
        ("wv", "waived", []),
        ("wv", "partly", []),
        ("lv", "should", ["cause-two"]),
    ],
)
def test_each_filter_asks_its_own(page: Any, name: str, value: str, left: list[str]) -> None:
    control = page.locator(f"select[name={name}]")
    if control.locator(f"option[value='{value}'], option:text-is('{value}')").count():
        control.select_option(value)
        assert shown(page) == left or (
            name == "wv" and shown(page) != ["cause-one", "cause-three", "cause-two"]
        )
    else:
        assert left == []


def test_frameworks_and_words_narrow_too(page: Any) -> None:
    page.locator(".chips button", has_text="jax").click()
    assert shown(page) == ["cause-two"]
    page.locator(".chips button", has_text="jax").click()
    page.keyboard.press("/")
    page.keyboard.type("binary_cross_entropy")
    assert shown(page) == ["cause-one"]
    page.locator("input[type=search]").fill("nobody says this")
    assert shown(page) == [] and page.locator("#none").is_visible()


def test_keys_go_from_cause_to_cause(page: Any) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.locator("#cause-three").get_attribute("open") is not None
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    assert page.locator("#cause-one").get_attribute("open") is not None
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()


def test_a_link_opens_what_is_folded_or_filtered_away(page: Any) -> None:
    page.locator("select[name=lv]").select_option("must")
    page.evaluate("location.hash = 'cause-two'")
    page.wait_for_function("document.querySelector('#cause-two').open")
    assert page.locator("#cause-two .body").is_visible()
    page.locator("#cause-two blockquote a").first.click()
    assert page.locator("#clauses dl:visible").count() >= 1


def test_an_issue_is_copied_with_its_script(page: Any) -> None:
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.locator("#cause-one > summary").click()
    page.locator("#cause-one .foldw", has_text="Issue text").locator(".copy").click()
    page.wait_for_function("window.copied")
    assert "print('a script')" in page.evaluate("window.copied")
    assert "conformance explain" not in page.evaluate("window.copied")


def test_the_theme_is_the_readers(page: Any) -> None:
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.locator("#theme").inner_text() == "Theme: dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_without_a_script_everything_opens_and_is_printed(browser: Any, folder: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / "gate.html").as_uri())
    assert not page.locator(".filters").is_visible() and page.locator(".cause:visible").count() == 3
    assert not page.locator("#cause-one .body").is_visible()
    page.locator("#cause-one > summary").click()
    assert page.locator("#cause-one .body").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#cause-two .body").is_visible()
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
    browser: Any, folder: Path, name: str, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto((folder / name).as_uri())
    page.evaluate(OPEN_ALL)
    page.add_style_tag(content=".ops{content-visibility:visible!important}")
    assert violations(page) == []
    page.close()


def test_the_automated_check_sees(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(
        "<html lang='en'><title>t</title><main><h1>h</h1><p style='color:#ccc'>pale</p><img></main>"
    )
    assert {rule for rule, _ in violations(page)} == {"color-contrast", "image-alt"}
    page.close()


# --- what is published -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HERE / "report.html").as_uri())
    yield page
    page.close()


def test_the_published_page_keeps_its_budgets(published: Any) -> None:
    assert published.evaluate("document.querySelectorAll('*').length") <= 25_000
    assert published.evaluate("document.documentElement.scrollHeight") <= 8_000
    (paint,) = published.evaluate(
        "performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)"
    )
    assert paint > 0


def test_what_every_number_was_asked_is_folded_and_its_numbers_are_whole(published: Any) -> None:
    """Two dozen rows that nobody has to pass on the way down; no number of them is broken over two lines."""
    folded = published.locator("#accuracy .ops", has=published.locator(".swept"))
    assert folded.get_attribute("open") is None and "4,294,967,296" in (
        folded.locator("summary").text_content() or ""
    )
    folded.locator("summary").click()
    broken = "(cells) => cells.filter((c) => { const r = document.createRange(); r.selectNodeContents(c);"
    broken += "return r.getClientRects().length > 1; }).map((c) => c.textContent)"
    assert published.locator(".swept td.r").evaluate_all(broken) == []
    folded.locator("summary").click()


def test_what_is_folded_is_named_in_one_line_on_a_telephone(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((HERE / "report.html").as_uri())
    page.evaluate(OPEN_ALL)
    lines = "(all) => Math.max(...all.map((s) => { const r = document.createRange();"
    lines += "r.selectNode(s.firstChild); return r.getClientRects().length; }))"
    assert page.locator(".fold > summary", has_text="Where it shows").evaluate_all(lines) == 1
    page.close()


def test_plain_questions_are_answered_on_the_first_screen(published: Any) -> None:
    """Which bfloat16 softmax is least accurate, and which losses are NaN for a masked class."""
    for what in ("bfloat16 softmax", "A masked class makes a loss NaN"):
        line = published.locator(".know li", has_text=what)
        assert line.count() == 1 and line.bounding_box()["y"] < 900


def test_column_heads_stick_whole_below_the_filters(published: Any) -> None:
    """Wherever one is in the causes; and a cause that is linked to is not behind them."""
    hidden = "[...document.querySelectorAll('.heads')].map((h) => { const s = getComputedStyle(h).position;"
    hidden += "const f = document.querySelector('.filters').getBoundingClientRect().bottom;"
    hidden += (
        "const t = [...h.children].filter((c) => c.textContent).map((c) => c.getBoundingClientRect().top);"
    )
    hidden += "return [s, f - Math.min(...t)]; })[0]"
    for row in (0, 5, 12):
        published.evaluate(f"scrollTo(0, document.querySelectorAll('.cause')[{row}].offsetTop - 200)")
        position, behind = published.evaluate(hidden)
        assert position == "sticky" and behind <= 1, row
    last = published.locator(".cause").nth(8)
    published.evaluate("(id) => document.getElementById(id).scrollIntoView()", last.get_attribute("id"))
    heads = published.locator(".heads").first.bounding_box()
    assert last.bounding_box()["y"] >= heads["y"] + heads["height"] - 1
    published.evaluate("scrollTo(0, 0)")


def test_a_question_is_one_click_from_its_evidence(published: Any) -> None:
    published.locator(".know a", has_text="A masked class").click()
    cause = published.locator(".cause:target")
    cause.locator(".body").wait_for()
    assert cause.locator("text=What every implementation answers to this row").is_visible()
    published.locator("nav a", has_text="Modes and devices").click()
    xla = published.locator("#modes tr", has_text="eager → xla")
    assert xla.is_visible() and "%" in xla.inner_text()
    published.locator("nav a", has_text="Which to use").click()
    table = published.locator("#doors details", has_text="sigmoid_cross_entropy").first
    if table.get_attribute("open") is None:
        table.locator("summary").first.click()
    row = table.locator("tr", has_text="torch.nn.MultiLabelSoftMarginLoss")
    assert row.first.is_visible() and "★" in row.first.inner_text()


def test_may_i_upgrade_and_does_my_gpu_differ(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HERE / "upgrade-jax.html").as_uri())
    assert page.locator("h1").inner_text() == "No: 1 reason against it."
    page.goto((HERE / "gpu.html").as_uri())
    page.locator("nav a", has_text="Modes and devices").click()
    rows = page.locator("#modes tr", has_text="cuda:0")
    assert rows.count() == 2 and all("%" in row.inner_text() for row in rows.all())
    page.close()


def test_on_a_narrow_screen_a_change_is_read_without_scrolling_aside(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto((HERE / "upgrade-jax.html").as_uri())
    table = page.locator("#changes .t")
    assert table.evaluate("(t) => t.scrollWidth <= t.clientWidth")
    row = "[...document.querySelector('#regressed').rows[2].cells].slice(4)"
    heads = page.evaluate(f"{row}.map((c) => getComputedStyle(c, '::before').content)")
    assert heads[:4] == ['"formats "', '"verdicts "', '"before "', '"now "'] and heads[5] == '"ulp "'
    page.close()


def test_touch_reaches_what_hover_shows(browser: Any, folder: Path) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 900})
    page = context.new_page()
    page.goto((folder / "gate.html").as_uri())
    cell = page.locator(".card td[title]").first
    cell.scroll_into_view_if_needed()
    cell.tap()
    assert page.locator("#tip").inner_text() == cell.get_attribute("title")
    context.close()
