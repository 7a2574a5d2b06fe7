"""The section on which to use: marks with their words, shares that do not round up, links to causes."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan
from typing import Any

from tests.support.small_run import HOSTILE, Page, header, run_of, verdict
from xent_conformance.reports.html import page
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Material
from xent_conformance.reports.html.sections import doors
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.views.causes import named

CAUSES = {"offset-kept": {"hypothesis": "offset kept", "sentence": "x − (m + log S)", "source": "8.3"}}
NAN = {"status": "breaks_must", "symptom": "NaN", "grade": "wrong_special", "ulps": inf, "got": nan}
BCE = {"operator": "sigmoid_cross_entropy", "dtype": "float16"}


def section(*rows: Mapping[str, Any], **head: Any) -> tuple[Page, str]:
    run = named(run_of(rows, header(**head)))
    view = doors.view(Material(run, findings(run.verdicts), Naming.of(run)))
    html = page.environment().get_template(doors.SECTION.template).render(view=view)
    return Page(html), html


def test_which_binary_cross_entropy_to_use_in_a_format() -> None:
    rows = [
        verdict(**BCE, implementation="torch.nn.MultiLabelSoftMarginLoss", ulps=0.49, case=c) for c in "ab"
    ]
    rows.append(verdict(**BCE, implementation="torch.nn.BCEWithLogitsLoss", ulps=3.57, case="a"))
    rows.append(verdict(**BCE, implementation="torch.nn.BCEWithLogitsLoss", status="breaks_should", case="b"))
    shown, _ = section(*rows)
    assert "sigmoid_cross_entropy binary cross-entropy of logits · 2 implementations" in shown.text
    assert "torch.nn.MultiLabelSoftMarginLoss ★ 0.49 ● 100 % ● nothing" in shown.text
    assert "torch.nn.BCEWithLogitsLoss 3.57 1 lost ▲ should 50 % ▲" in shown.text


def test_which_softmax_is_least_accurate_and_by_how_much() -> None:
    rows = [verdict(dtype="bfloat16", ulps=0.5)]
    for name, error in (("jax", 36.7), ("onnx", 87.4), ("keras", 36.7)):
        rows.append(verdict(dtype="bfloat16", framework=name, implementation=f"{name}.softmax", ulps=error))
    shown, _ = section(*rows)
    assert "bfloat16 torch 0.50 · jax, keras 36.7 · onnx 87.4, of 1 row each" in shown.text


def test_where_no_row_was_asked_of_all_each_has_its_own_number() -> None:
    rows = [verdict(case=c, implementation=f"torch.{i}") for c, i in (("1", "a"), ("1", "b"), ("2", "a"))]
    rows.append(verdict(case="2", framework="jax", implementation="jax.a", ulps=3.0))
    assert "float32 torch 0.25 · jax 3.00, of 1 to 2 rows each" in section(*rows)[0].text


def test_one_framework_alone_stands_beside_none() -> None:
    assert "Framework against framework" not in section(verdict())[0].text


def test_what_it_gets_wrong_leads_to_the_cause() -> None:
    rows = [verdict(), verdict(dtype="float16")]
    rows.append(verdict(case="b", status="breaks_must", cause="offset-kept"))
    shown, html = section(*rows, causes=CAUSES)
    assert 'href="#cause-offset-kept">✕&#160;offset kept</a>' in html
    assert "✕ offset kept (f32)" in shown.text.replace("\xa0", " ")


def test_a_cause_of_one_on_a_line_names_it() -> None:
    rows = [verdict(implementation=f"torch.{name}") for name in "ab"]
    rows.append(verdict(implementation="torch.b", case="b", status="breaks_must", cause="offset-kept"))
    assert "offset kept (b only)" in section(*rows, causes=CAUSES)[0].text
    same = [row | {"implementation": f"{row['implementation']}.f"} for row in rows]
    assert "offset kept (torch.b.f only)" in section(*same, causes=CAUSES)[0].text


def test_all_but_one_is_not_all_and_one_is_not_none() -> None:
    hard = [verdict(family="hard", case=str(i)) for i in range(1000)]
    assert "▲ should > 99 %" in section(*hard, verdict(status="breaks_should"))[0].text
    wrong = [verdict(family="hard", case=str(i), status="breaks_must") for i in range(1000)]
    assert "✕ must < 1 %" in section(*wrong, verdict())[0].text
    assert "✕ must 0 %" in section(*wrong)[0].text


def test_nan_on_ordinary_logits_is_counted_and_no_error() -> None:
    shown, _ = section(verdict(**NAN), verdict(case="b", ulps=0.5))
    assert "torch.softmax 0.50 1 NaN or ∞ ✕ must 50 %" in shown.text


def test_versions_and_machines_that_differ_are_named() -> None:
    shown, _ = section(verdict(machine="one"), verdict(machine="two", ulps=4.0))
    assert "torch 2.13.0 · eager · cpu · one" in shown.text
    assert "torch one 0.25 · torch two 4.00, of 1 row each" in shown.text


def test_foreign_names_are_escaped() -> None:
    shown, html = section(verdict(implementation=HOSTILE, framework=HOSTILE, operator=HOSTILE))
    assert HOSTILE in shown.text and "<script" not in html


def test_nothing_judged_is_a_sentence() -> None:
    assert "Nothing was answered and judged in this run." in section(verdict(status="open"))[0].text
