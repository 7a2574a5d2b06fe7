"""The HTML report: complete, honest about what is missing, self-contained, and safe with foreign text."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from tests.support.small_run import CLAUSES, HOSTILE, Page, header, page_of, run_of, verdict
from xent_conformance.reports.html.marks import STATUS
from xent_conformance.reports.html.page import breakable, coded
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.findings import findings


def mixed() -> list[dict[str, Any]]:
    """One verdict of each status, a naive control among them, two frameworks."""
    rows = [verdict(status=s, output=o) for s, o in zip(STATUS, ["value"] * 6, strict=True)]
    for i, row in enumerate(rows):
        row["case"] = f"softmax/ordinary/spread1/float32/n3/r{i}"
    naive = verdict(
        status="breaks_must",
        framework="numpy",
        implementation="numpy:softmax-naive",
        formulation="naive",
        version="2.4.6",
    )
    return [*rows, naive]


def section(page: Page, name: str) -> str:
    """The text from the heading of the causes on, without what is folded."""
    assert name == "Causes"
    return page.text[page.text.index("What is asked") : page.text.index("All the rest Folded")]


def test_the_same_run_gives_the_same_text() -> None:
    assert page_of(mixed())[1] == page_of(mixed())[1]


def test_the_result_counts_naive_controls_apart() -> None:
    text = page_of(mixed())[0].text
    assert "1 cause of a broken must clause, 1 of a should clause. No gate was asked." in text
    assert (
        "1 conforms + 1 breaks must + 1 breaks should + 1 open + 1 unsupported + 1 undecided = 6 verdicts "
        "of the implementations that users call. Naive controls: 1 more, counted apart."
    ) in text
    assert "gate passed" not in text.lower()


def test_a_cause_says_what_was_returned_what_is_right_and_how_to_see_it() -> None:
    text = page_of([verdict(status="breaks_must")])[0].text
    for words in (
        "from torch.softmax · eager · cpu · softmax value, element 1",
        "returned 0.25 0x3e800000 right 0.1 0x3dcccccd",
        "exact 0.10000000000000000555, certified",
        "error 2,000 ulp, divergent",
        "1 -2 0xc0000000",
        "float32; N = 3",
        "1.1 Stable accuracy (must). Within the stable bound.",
        "conformance explain softmax/ordinary/spread1/float32/n3/r0 --implementation torch.softmax",
    ):
        assert words in text, words


def test_of_a_loss_with_one_value_a_row_no_element_is_said() -> None:
    """A run file does not say how many elements an output has; the first is named nowhere."""
    one = verdict(status="breaks_must", operator="softmax_cross_entropy", n=10, index=0)
    text = page_of([one])[0].text
    assert "softmax_cross_entropy value returned 0.25" in text and "element 0" not in text


def test_what_breaks_a_should_clause_beside_a_must_clause_has_its_own_mark() -> None:
    rows = [
        verdict(clause="4.1", status="breaks_must", cause="leak"),
        verdict(clause="4.2", status="breaks_should", level="should", symptom="NaN", cause="zero"),
    ]
    clauses = dict.fromkeys(("4.1", "4.2"), CLAUSES["1.1"])
    assert "✕ wrong ▲ NaN too" in page_of(rows, header(clauses=clauses))[0].text


def test_a_wrong_special_value_has_no_distance() -> None:
    row = verdict(
        status="breaks_must", grade="wrong_special", symptom="NaN", got=float("nan"), ulps=float("inf")
    )
    page, html = page_of([row])
    # no bits: the run file does not keep which NaN it was
    assert "returned NaN right 0.1 0x3dcccccd exact" in page.text
    assert "<dt>error</dt>" not in html and "✕ breaks must [1] NaN —" in page.text


def test_an_exception_is_shown_in_the_framework_s_own_words() -> None:
    row = verdict(
        status="breaks_must", outcome="raised", symptom="raised", grade="none", message="no kernel\nfor this"
    )
    page, _ = page_of([row])
    assert "returned raised message no kernel for this" in page.text
    assert "raised right —" in page.text and "certified" not in section(page, "Causes")


def test_every_answer_to_a_row_stands_beside_it() -> None:
    rows = [
        verdict(status="breaks_must"),
        verdict(status="breaks_must", mode="compile"),
        verdict(framework="jax", implementation="jax.nn.softmax", version="0.10.2", bits="00", got=0.1),
    ]
    page, _ = page_of(rows)
    assert "✕ breaks must [1] 0.25 2,000 torch.softmax · compile · cpu; eager · cpu" in page.text
    assert "● conforms [1] 0.1" in page.text and "jax.nn.softmax · eager · cpu" in page.text
    assert "i logits, bits 0 1 0x3f800000 1 -2 0xc0000000" in page.text
    assert "● jax.nn.softmax, 1 answer" in page.text


def test_foreign_text_is_escaped() -> None:
    rows = [
        verdict(
            status="breaks_must",
            implementation=HOSTILE,
            message=HOSTILE,
            outcome="raised",
            symptom=HOSTILE,
            framework=HOSTILE,
            version=HOSTILE,
            mode=HOSTILE,
            device=HOSTILE,
            variant=HOSTILE,
        ),
        verdict(status="unsupported", message=HOSTILE, framework=HOSTILE, implementation=HOSTILE),
        verdict(status="open", variant=HOSTILE, framework=HOSTILE, implementation=HOSTILE),
    ]
    absent = [{"framework": HOSTILE, "message": HOSTILE, "install": HOSTILE}]
    notes = [{"framework": HOSTILE, "name": HOSTILE, "operator": "softmax", "note": HOSTILE}]
    page, html = page_of(rows, header(absent=absent, implementations=notes, planned={HOSTILE: 1}))
    assert [tag for tag, _ in page.tags].count("script") == 1  # ours
    assert "alert('x')" not in html
    assert HOSTILE in page.text
    assert "cls" not in html and not re.search(r'(class|id)="[^"]*[<>&;]', html)


def test_filters_escape_and_lose_nothing() -> None:
    assert str(breakable("torch.nn.functional.<c>")) == "torch.nn.functional.&lt;c&gt;"
    assert str(breakable("a.b_<c>.sigmoid_cross_entropy")) == "a.b_&lt;c&gt;.sigmoid_<wbr>cross_entropy"
    assert str(breakable("two\nlines_of_a_name")) == "two\nlines_of_<wbr>a_name"
    assert str(breakable("")) == ""
    assert str(coded("a `<b>` c")) == "a <code>&lt;b&gt;</code> c"
    assert str(coded("a ` b")) == "a ` b"


def test_an_absent_framework_is_shown_with_what_to_do() -> None:
    absent = [{"framework": "jax", "message": "No module named 'jax'", "install": "pip install jax"}]
    rows = [verdict()]
    text = page_of(
        rows, header(absent=absent, planned={"torch": 4, "jax": 4}, finished={"torch": 4, "jax": 0})
    )[0].text
    assert "✕ incomplete" in text
    assert "jax was absent" in text and "No module named 'jax'" in text and "Add it: pip install jax" in text
    assert "What is missing is not shown to conform." in text


def test_an_unfinished_run_says_so() -> None:
    text = page_of([verdict()], header(finished={"torch": 3}))[0].text
    assert "✕ incomplete" in text and "torch answered 3 of 4 batches" in text


def test_a_complete_run_says_so() -> None:
    text = page_of([verdict()])[0].text
    assert "100 % of 4 planned batches were answered, by 1 worker" in text and "incomplete" not in text


def test_workers_are_counted_alike_above_and_in_the_fold() -> None:
    """One process may answer two parts of the plan; what was not answered is no part of all."""
    parts = header(planned={"torch": 1429, "torch compile": 2}, finished={"torch": 1428, "torch compile": 2})
    text = page_of([verdict()], parts)[0].text
    assert "99.9 % of 1,431 planned batches were answered, by 1 worker" in text
    assert "Run and environment 1 worker;" in text


def test_merged_runs_are_all_named() -> None:
    gpu = header(created="2026-12-01T00:00:00+00:00", exhibits={}, finished={"torch": 1})
    rows = [verdict(), verdict(machine="Xeon", device="cuda:0", status="breaks_must")]
    text = page_of(rows, header(), gpu)[0].text
    assert "2026-11-21" in text and "2026-12-01" in text
    assert "torch answered 1 of 4 batches" in text
    assert "eager · cuda:0 · Xeon" in text  # machines are named where there is more than one


def test_the_first_lines_say_how_many_labels_the_devices_have() -> None:
    """Where there are more than devices: a device under settings has several."""
    devices = ("cpu", "cpu[isa=avx2]", "cpu[isa=default]")
    assert "AMD EPYC, cpu (3 device labels) ·" in page_of([verdict(device=d) for d in devices])[0].text
    assert "AMD EPYC, cpu ·" in page_of([verdict()])[0].text


def test_a_cell_of_the_scorecard_says_what_is_wrong_beside_a_right_number() -> None:
    wrong = {"clause": "7.11", "level": "must", "symptom": "changed inputs", "grade": "exact"}
    told = {"7.11": {"level": "must", "title": "Arguments stay", "text": "No call writes on them."}}
    row = verdict(status="breaks_must", **wrong, cause="writes") | {"ulps": 0.5}
    html = page_of([row], header(clauses=CLAUSES | told))[1]
    assert re.search(r"✕</span> 0\.50<small>changed inputs</small>", html)
    assert "the number is within its bounds, what is wrong is: changed inputs" in html


def test_a_run_without_findings_says_so() -> None:
    text = page_of([verdict()])[0].text
    assert "No implementation that users call breaks a clause." in text and "0 causes" in text
    assert "No implementation that users call breaks a clause in this run." in text


def test_an_empty_run_is_not_a_clean_run() -> None:
    run = run_of([], header(planned={}, finished={}, frameworks=[]))
    text = Page(render(run, findings(run.verdicts))).text
    assert "No verdict was reached, so nothing is shown to conform." in text
    assert "✕ incomplete" in text and "No findings" not in text


def test_only_controls_is_not_a_clean_run() -> None:
    text = page_of([verdict(formulation="naive")])[0].text
    assert "Only naive controls were asked." in text and "No must clause is broken" not in text


def test_the_command_repeats_the_selection() -> None:
    selection = {
        "profile": "standard",
        "frameworks": ["torch"],
        "operators": ["softmax"],
        "dtypes": ["float32"],
        "families": ["ordinary"],
        "implementation": "torch.*",
        "devices": [],
        "plugins": [],
    }
    text = page_of([verdict()], header(selection=selection))[0].text
    assert (
        "conformance run --profile standard --framework torch --operator softmax --dtype float32 "
        "--family ordinary --implementation 'torch.*'"
    ) in text


@pytest.fixture(scope="module")
def everything() -> tuple[Page, str]:
    return page_of(mixed())


def test_it_is_self_contained(everything: tuple[Page, str]) -> None:
    page, html = everything
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "base", "embed"}
    assert all(not {"src", "srcset", "action", "style"} & set(a) for _, a in page.tags)
    assert "http:" not in html and "https:" not in html and "@import" not in html and "url(" not in html
    assert all(link.startswith("#") for link in page.links)


def test_ids_are_unique_and_every_link_has_its_target(everything: tuple[Page, str]) -> None:
    page, _ = everything
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    referred = {str(a["aria-labelledby"]) for _, a in page.tags if "aria-labelledby" in a}
    assert referred <= set(page.ids)


def test_headings_go_down_one_level_at_a_time(everything: tuple[Page, str]) -> None:
    levels = [int(tag[1]) for tag, _ in everything[0].tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
