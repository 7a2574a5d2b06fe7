"""The section on accuracy: what its charts draw stands in words beside them, foreign text is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf, nan
from typing import Any

from tests.support.small_run import HOSTILE, Page, run_of, verdict
from xent_conformance.reports.html import page
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Material
from xent_conformance.reports.html.sections import accuracy
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.causes import named

JAX = {"framework": "jax", "version": "0.10.2", "implementation": "jax.nn.softmax"}
NAIVE = {"implementation": "torch.exp/sum", "formulation": "naive"}
COMPOSED = {"implementation": "torch.log_softmax.exp", "formulation": "composed"}
NAN = {"status": "breaks_must", "symptom": "NaN", "grade": "wrong_special", "ulps": inf, "got": nan}
FLUSHED = {"status": "breaks_should", "symptom": "flushed to zero", "grade": "divergent", "ulps": 1e6}


def section(*rows: Mapping[str, Any]) -> tuple[Page, str]:
    run = named(run_of(rows))
    view = accuracy.view(Material(run, findings(run.verdicts), Naming.of(run)))
    html = page.environment().get_template(accuracy.SECTION.template).render(view=view)
    return Page(html), html


def unit(**changes: Any) -> dict[str, Any]:
    return verdict(**{"variant": "unit", "case": "a"} | changes)


def numbers_in_chart(html: str) -> list[str]:
    """What stands in the cells of the strips, lane by lane."""
    cells = re.findall(r"<text x=.\d+.>([^<]+)</text>", html)
    return [number.replace("&lt;", "<") for number in cells]


def test_a_lane_says_in_words_what_it_draws() -> None:
    rows = [verdict(case=str(i), ulps=0.1) for i in range(5)]
    rows += [
        verdict(case="f", **FLUSHED),
        verdict(case="n", **NAN),
        verdict(case="l", status="breaks_should"),
    ]
    shown, html = section(*rows)
    assert "f32 torch 0.10 ≤ ¼ 62 %, lost 12 %, flushed 12 %, NaN 12 % of 8 rows" in shown.text
    assert numbers_in_chart(html) == ["62", "12", "12", "12"]


def test_nan_is_drawn_in_its_gutter_and_not_as_a_large_error() -> None:
    shown, html = section(verdict(**NAN))
    assert "— NaN 100 % of 1 row" in shown.text
    assert html.count('class="e3 o6"') == 1 and 'class="e1' not in html


def test_a_few_of_many_rows_are_not_nothing() -> None:
    rows = [verdict(case=str(i)) for i in range(400)] + [verdict(case="x", ulps=60.0)]
    shown, html = section(*rows, verdict(case="y", **FLUSHED))
    assert "≤ ¼ 100 %, ≤ 64 <1 %, flushed <1 % of 402 rows" in shown.text
    assert numbers_in_chart(html) == ["100", "<1"]


def test_every_picture_has_its_words_and_nothing_in_it_takes_the_focus() -> None:
    shown, html = section(unit(), unit(**NAIVE), unit(operator="sigmoid"))
    pictures = [a for tag, a in shown.tags if tag == "svg"]
    assert len(pictures) == 3 and all(a["role"] == "img" and a["aria-label"] for a in pictures)
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert "tabindex" not in drawn and "<a" not in drawn and "style=" not in html


def test_a_figure_leads_to_the_causes_behind_it() -> None:
    _, html = section(unit(), unit(case="b", status="breaks_should", cause="in-fewer-bits"))
    assert html.count('<a href="#cause-in-fewer-bits">') == 2  # of the strips, and of the formulations


def test_two_machines_have_a_lane_each_and_foreign_names_are_escaped() -> None:
    rows = [verdict(framework=HOSTILE), verdict(framework=HOSTILE, machine="another")]
    shown, html = section(*rows, verdict(framework=HOSTILE, variant="unit", implementation=HOSTILE))
    assert f"{HOSTILE} AMD EPYC" in shown.text and f"{HOSTILE} another" in shown.text
    assert "<script" not in html


def test_formulations_by_magnitude() -> None:
    rows = []
    for way in ({}, COMPOSED, NAIVE):
        rows.append(unit(ulps=0.5, **way))
        rows.append(unit(variant="spread32", case="b", ulps=2.5, **way) if way is not NAIVE else {})
    rows = [row for row in rows if row]
    rows.append(unit(variant="spread32", case="b", **NAIVE, **{**NAN, "symptom": "infinite where finite"}))
    huge: dict[str, Any] = {"family": "huge_logits"}
    rows += [unit(**huge, variant="largest", case="c", **way) for way in ({}, COMPOSED)]
    rows.append(unit(**huge, variant="largest", case="c", **NAIVE, **NAN))
    rows.append(unit(**huge, variant="at_exp_overflow", case="d", **NAIVE, status="breaks_must"))
    rows.append(unit(**huge, variant="at_exp_overflow", case="d", status="breaks_should"))
    rows.append(unit(**huge, variant="at_exp_overflow", case="d", **COMPOSED, ulps=7.0))
    shown, html = section(*rows)
    assert (
        "The only composed way stays accurate at every magnitude; the only fused way breaks no must clause, "
        "but with relative accuracy lost or results flushed to zero; the only naive way breaks down, "
        "first at |x| about 32 (infinite)."
    ) in shown.text
    assert "Way Formulation |x| about 1 |x| about 32 the thresholds of exp the largest numbers" in shown.text
    assert (
        "torch 2.13.0 · eager · cpu torch.softmax fused 0.50 ● exact 2.50 ● exact — ▲ lost accuracy 1 of 1"
        in shown.text
    )
    naive = shown.text[shown.text.index("torch.exp/sum naive") :]
    assert "— ✕ infinite 1 of 1 2,000 ✕ beyond the bound 1 of 1 — ✕ NaN 1 of 1" in naive
    # the bands count implementations: two of the naive way's classes are NaN or infinite, one fused way lost
    assert html.count('class="bad"') == 2 and html.count('class="warn"') == 1


def test_several_naive_ways_break_down_at_different_magnitudes() -> None:
    broken = {"status": "breaks_must", "formulation": "naive"}
    rows = [unit(variant=v, case=v) for v in ("unit", "spread8")]
    rows += [unit(variant=v, case=v, implementation="first", **broken) for v in ("unit", "spread8")]
    rows += [
        unit(variant="unit", case="unit", implementation="second", formulation="naive"),
        unit(variant="spread8", case="spread8", implementation="second", **broken),
    ]
    found = "both naive ways break down, 1 first at |x| about 1 (beyond the bound) and 1 first at |x| about 8"
    assert found in section(*rows)[0].text


def test_ways_that_fared_alike_share_a_line_and_are_counted_apart() -> None:
    shown, _ = section(*(unit(implementation=f"torch.{name}") for name in "ab"))
    assert "torch.a, torch.b fused 0.25 ● exact" in shown.text
    assert "Both fused ways stay accurate at every magnitude; no naive way was asked." in shown.text


def test_a_magnitude_that_was_not_asked_says_so() -> None:
    shown, _ = section(unit(), unit(variant="spread8", case="b"), unit(**JAX))
    assert "jax.nn.softmax fused 0.25 ● exact not asked" in shown.text


def test_nothing_to_show_is_a_sentence() -> None:
    shown, html = section(verdict(status="open"))
    assert "No value of two classes or more was answered and judged in this run." in shown.text
    assert "<svg" not in html


def test_lanes_and_lines_of_two_devices_are_told_apart() -> None:
    """A name is cut where all are alike, and whole in the tooltip, as the devices of a line of equals are."""
    devices = [f"cpu[runtime=openvino,precision={name}]" for name in ("f32", "bf16")]
    _, html = section(*(unit(framework="openvino", device=device) for device in devices))
    labels = re.findall(r"<title>([^<]+)</title>(openvino [^<]+)</text>", html)
    assert labels == [(f"openvino {devices[1]}", "openvino bf16"), (f"openvino {devices[0]}", "openvino f32")]
    assert f"torch.softmax ({devices[1]}), torch.softmax ({devices[0]}): |x| about 1" in html
    _, alone = section(unit())
    assert "<title>torch.softmax: |x| about 1" in alone
