"""Framework against framework, formulations, refusals: right numbers, foreign text, nothing to show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.small_run import CLAUSES, HOSTILE, Page, distance, header, page_of, verdict

NAN, INF = math.nan, math.inf
JAX = {"framework": "jax", "version": "0.10.2", "implementation": "jax.nn.softmax", "mode": "jit"}
NAIVE = {"implementation": "torch.exp/sum", "formulation": "naive"}
COMPOSED = {"implementation": "torch.log_softmax.exp", "formulation": "composed"}


def section(page: Page, start: str, end: str) -> str:
    text = page.text
    begin = text.index(start)
    return text[begin : text.index(end, begin)]


def against(rows: list[dict[str, Any]], *distances: Mapping[str, Any]) -> str:
    page, _ = page_of(rows, header(distances=list(distances)))
    return section(page, "Framework against framework The", "What a formulation costs Why")


def test_the_worst_of_two_frameworks_says_which_two_what_and_where() -> None:
    rows = [verdict(status="breaks_must"), verdict(**JAX)]
    text = against(rows, distance(), distance(output="grad_logits", ulps=2.0))
    assert "softmax value float32 cpu 3.00" in text
    assert text.index("Gradients of two frameworks") < text.index("softmax grad logits float32 cpu 2.00")
    assert "0.5 jax.nn.softmax ● conforms · jit · cpu" in text
    assert "0.25 torch.softmax ✕ breaks must · eager · cpu" in text
    assert "0.1 softmax/ordinary/spread1/float32/n3/r0 element 1" in text  # rounded exact value
    assert "softmax jax ↔ torch on cpu 3.00 value" in text


def test_two_devices_of_one_framework_stand_apart() -> None:
    same = {"framework_a": "torch", "implementation_a": "torch.softmax", "mode_a": "eager"}
    variant = {**same, "device_b": "cpu[isa=avx2]"}
    text = against(
        [verdict()],
        distance(**variant),
        distance(**variant, dtype="float64", ulps=0.0),
        distance(**variant, output="grad_logits", ulps=0.0),
    )
    assert "No two frameworks answered the same case" in text
    assert "Of 3 comparisons" in text and "2 found the same numbers throughout" in text
    assert "float32 cpu ↔ cpu[isa=avx2] 3.00" in text
    assert "torch: cpu ↔ cpu[isa=avx2] 3.00 value 0 value" in text


def test_nan_against_a_number_has_no_distance() -> None:
    text = against(
        [verdict()],
        distance(ulps=INF, got_a=NAN),
        distance(ulps=1e30),
        distance(ulps=INF, got_b=-INF, dtype="float64"),
    )
    assert "float32 cpu one is NaN NaN jax.nn.softmax" in text
    assert "float64 cpu one is infinite 0.5 jax.nn.softmax" in text


def test_a_case_links_only_where_the_page_shows_it() -> None:
    rows = [verdict(status="breaks_must")]
    page, _ = page_of(rows, header(distances=[distance(), distance(dtype="float64", case="elsewhere")]))
    assert "elsewhere" in page.text
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_no_distances_is_a_sentence() -> None:
    old = header()
    del old["distances"], old["not_installed"]
    page, _ = page_of([verdict(family="shapes")], old)
    assert "so there is no distance to show" in page.text
    assert "No framework was asked on more than one device" in page.text
    assert "The family of ordinary logits was not part of this run." in page.text


WRONG = {"6.4": "must", "6.5": "must", "6.1": "must", "6.2": "should", "6.13": "open"}


def refused(rows: list[dict[str, Any]]) -> str:
    more = {c: {"level": level, "title": f"Title {c}", "text": "Text."} for c, level in WRONG.items()}
    page, _ = page_of(rows, header(clauses=CLAUSES | more))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    return section(page, "Accepts and refuses What", "Open: recorded, not judged")


def asks(clause: str, variant: str, **changes: Any) -> dict[str, Any]:
    family = {"6.4": "index_range", "6.5": "label_types", "6.13": "refusals"}.get(clause, "soft_labels")
    row = verdict(**{"symptom": "none", **changes})
    return row | {"clause": clause, "level": WRONG[clause], "family": family, "variant": variant}


RAISED = {"outcome": "raised", "grade": "none", "got": NAN, "ulps": NAN}


def test_a_finite_number_for_an_index_out_of_range_breaks_a_must() -> None:
    rows = [
        asks("6.4", "minus_one", **RAISED, message="IndexError: Target -1 is out of bounds."),
        asks("6.4", "classes", got=NAN, **JAX, case="c"),
        asks("6.4", "classes", got=NAN, **JAX, case="c2"),
        asks("6.4", "minus_one", **JAX, case="d", status="breaks_must", grade="wrong_special", got=2.5),
        asks("6.4", "minus_one", **JAX, case="e", got=NAN),
    ]
    text = refused(rows)
    assert (
        "Of 2 implementations asked, 1 always raises an error; 1 at least once gave a finite number or an "
        "infinity silently (jax.nn.softmax)."
    ) in text
    assert "Implementation −1 N jax.nn.softmax" in text
    assert "✕ a finite number 1 of 2 ● NaN 1 of 2 ● NaN torch.softmax" in text
    assert "● raised IndexError: Target -1 is out of bounds. not asked" in text


def test_arguments_that_do_not_fit_are_raised_or_returned() -> None:
    returned = {"grade": "none", "got": NAN, "ulps": NAN, "status": "open", "symptom": "wrong shape"}
    words = {"status": "open", "symptom": "raised", "message": f"ValueError: {'shapes ' * 40}"}
    rows = [
        asks("6.13", "labels_extra_axis", **{**RAISED, **words}),
        asks("6.13", "labels_extra_axis", **JAX, **returned, message="returned shape (4,), finite"),
        asks("6.13", "labels_floats", **JAX, **returned, message="returned shape (4, 4), NaN"),
        asks("6.13", "labels_floats", **{**RAISED, **words, "message": "TypeError: {{node x/y}} 1"}),
        asks("6.13", "labels_floats", **{**RAISED, **words, "message": "TypeError: 2"}, case="r1"),
        asks("6.13", "labels_floats", **{**RAISED, **words, "message": "other"}, case="r2"),
    ]
    text = refused(rows)
    assert "1 always raises an error; 1 at least once returned finite numbers instead of an error" in text
    assert "labels with an axis too many floats as index labels" in text
    assert "○ a finite number shape (4,) ○ NaN shape (4, 4)" in text
    assert "shapes… ○ raised TypeError: 1 (and 1 other)" in text


def test_labels_off_the_simplex_and_of_another_type_are_measured() -> None:
    accuracy = asks("6.1", "zero", status="breaks_should", symptom="lost relative accuracy", case="b")
    rows = [
        asks("6.1", "zero"),
        accuracy | {"clause": "1.2"},  # broke another clause, but tested this one
        asks("6.1", "sum_two", status="breaks_must", symptom="beyond the stable bound"),
        asks("6.2", "sum_two", output="grad_logits", status="breaks_should", got=NAN, symptom="NaN"),
        asks("6.5", "index_int8", status="breaks_must", grade="none", got=NAN, symptom="wrong dtype")
        | {"message": "returned float64, the logits are float32"},
        asks("6.5", "index_int16", status="unsupported"),
    ]
    text = refused(rows)
    assert "sum 2 all zero torch.softmax torch · softmax ✕ another number" in text
    assert "▲ as the formula, inaccurate 1 of 2 ● as the formula 1 of 2" in text
    assert "▲ NaN" in text and "index int16" not in text
    assert "✕ wrong dtype float64, the logits are float32" in text


def test_implementations_that_answer_alike_share_a_line() -> None:
    rows = [asks("6.4", "classes", **RAISED, message="out", implementation=f"torch.{i}") for i in range(3)]
    assert "torch.0 torch.1 torch.2 torch · softmax ● raised out" in refused(rows)


def test_no_wrong_input_is_a_sentence() -> None:
    assert "No wrong input was asked in this run" in refused([verdict()])


def test_what_was_not_installed_is_in_the_environment_and_leaves_the_run_complete() -> None:
    missing = [
        {"framework": "paddle", "message": "No module named 'paddle'", "install": "pip install paddle"}
    ]
    text = page_of([verdict()], header(not_installed=missing))[0].text
    assert "● complete" in text
    assert "Not installed, so not asked" in text
    assert "paddle No module named 'paddle' Add it: pip install paddle" in text
    assert "Not installed" not in page_of([verdict()])[0].text


def test_variants_are_named_with_their_environment() -> None:
    plain = header()["frameworks"][0]
    setting = {"variant": "isa=avx2", "environment": {**plain["environment"], "ATEN_CPU_CAPABILITY": "avx2"}}
    text = page_of([verdict()], header(frameworks=[plain | setting, plain]))[0].text
    assert "torch 2.13.0 on cpu[isa=avx2]; torch 2.13.0 on cpu" in text
    environment = text[text.index("Environment torch") :]
    assert environment.index("on cpu;") < environment.index("variant isa=avx2 on cpu[isa=avx2];")
    assert "ATEN_CPU_CAPABILITY avx2" in environment


@pytest.fixture(scope="module")
def hostile() -> tuple[Page, str]:
    names = {"framework": HOSTILE, "implementation": HOSTILE, "device": HOSTILE, "mode": HOSTILE}
    bad = dict.fromkeys(
        (f"{key}_{side}" for key in ("framework", "implementation", "mode", "device") for side in "ab"),
        HOSTILE,
    )
    rows = [
        verdict(**names, family="ordinary", variant="unit", formulation=HOSTILE, symptom=HOSTILE),
        verdict(**names, family="ordinary", variant="spread8", status="breaks_must", symptom=HOSTILE),
        verdict(**names, variant=HOSTILE, outcome="raised", message=HOSTILE, grade="none")
        | {"clause": "6.4", "level": "must", "family": "index_range"},
        verdict(**names, variant=HOSTILE, grade="none", message=HOSTILE, status="open")
        | {"clause": "6.13", "level": "open", "family": "refusals"},
    ]
    worker = header()["frameworks"][0] | {"variant": HOSTILE, "devices": [HOSTILE]}
    missing = [{"framework": HOSTILE, "message": HOSTILE, "install": HOSTILE}]
    more = {c: {"level": "must", "title": HOSTILE, "text": HOSTILE} for c in ("6.4", "6.13")}
    distances = [distance(**bad, case=HOSTILE, operator=HOSTILE), distance(case=HOSTILE, output=HOSTILE)]
    return page_of(
        rows,
        header(distances=distances, not_installed=missing, frameworks=[worker], clauses={**CLAUSES, **more}),
    )


def test_foreign_text_is_escaped_in_every_section(hostile: tuple[Page, str]) -> None:
    page, html = hostile
    assert [tag for tag, _ in page.tags].count("script") == 1  # ours
    assert "alert('x')" not in html
    assert page.text.count(HOSTILE) > 20
    assert len(page.ids) == len(set(page.ids))
