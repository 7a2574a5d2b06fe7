"""What is the same is written once, and says for whom it stands: controls, cases, lines and columns."""

from __future__ import annotations

import math
from typing import Any

from tests.support.small_run import Page, header, page_of, verdict

NAN = math.nan
CASE = "softmax/ordinary/spread1/float32/n3/r0"


def section(page: Page, start: str, end: str) -> str:
    text = page.text
    begin = text.index(start)
    return text[begin : text.index(end, begin)]


def cases(page: Page) -> str:
    return section(page, "Cases behind the findings Inputs", "Environment torch")


def naive(**changes: Any) -> dict[str, Any]:
    usual = {"status": "breaks_must", "implementation": "torch.exp/sum", "formulation": "naive"}
    return verdict(**usual | changes)


def test_the_facts_of_one_answer_are_told_at_its_worst_finding() -> None:
    rows = [verdict(status="breaks_must", implementation=f"torch.{name}") for name in "abc"]
    rows.append(verdict(status="breaks_must", framework="jax", implementation="jax.d"))
    page, html = page_of(rows)
    # of another framework it is told again: a filter may hide the first
    assert page.text.count("Exact value 0.10000000000000000555, certified") == 2
    assert page.text.count("Worst row the same as of torch.a , with the same answer") == 2
    assert html.count("conformance explain softmax") == 2 * 4  # to see it, and to repeat it
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_the_note_of_a_clause_is_told_with_its_findings() -> None:
    """The rule stands in its own section, the note beside what breaks it; a file of before has none."""
    rows = [verdict(status="breaks_should"), verdict(status="breaks_must")]
    noted = header(notes={"1.2": "The honest can be here."})
    assert page_of(rows, noted)[0].text.count("Note The honest can be here.") == 1
    assert "Note " not in page_of(rows)[0].text


def test_different_words_are_different_facts() -> None:
    raised = {"status": "breaks_must", "outcome": "raised", "symptom": "raised", "grade": "none"}
    rows = [verdict(**raised, implementation=f"torch.{name}", message=f"no {name}") for name in "ab"]
    text = page_of(rows)[0].text
    assert "Message no a" in text and "Message no b" in text and "the same as of" not in text


def test_answers_that_read_alike_share_a_line() -> None:
    rows = [
        verdict(status="breaks_must", mode="eager"),
        verdict(status="breaks_must", mode="compile", bits="other"),
        verdict(status="breaks_must", implementation="torch.nn.Softmax"),
        verdict(status="breaks_must", framework="jax", implementation="jax.nn.softmax", mode="jit"),
        *(verdict(implementation=f"torch.good{i}", got=0.1 + i / 100) for i in range(4)),
        naive(),
    ]
    text = cases(page_of(rows)[0])
    assert (
        "✕ breaks must jax.nn.softmax jit · cpu torch.nn.Softmax eager · cpu "
        "torch.softmax compile · cpu; eager · cpu 1 0.25 0.1 2,000"
    ) in text or "torch.nn.Softmax eager · cpu torch.softmax eager · cpu; compile · cpu 1 0.25" in text
    assert text.count("● conforms") == 2 and "torch.good2" not in text
    assert "Not listed: 2 answers that conform and 1 answer of naive controls." in text


def exhibit(**changes: Any) -> dict[str, Any]:
    """Four numbers of float32 of each kind, but for ``changes``."""
    usual = {"dtype": "float32", "n": 4, "asked": "", "tangent": "0000803f00000040000040400000803f"}
    usual |= {"logits": "0000803f" * 4, "labels": "0000803f" * 4, "cotangent": "0000803f"}
    return usual | changes


def inputs(output: str, **changes: Any) -> str:
    rows = [verdict(status="breaks_must", output=output)]
    return cases(page_of(rows, header(exhibits={CASE: exhibit(**changes)}))[0])


def test_a_case_shows_the_inputs_that_its_outputs_depend_on() -> None:
    assert "cotangent" not in inputs("value") and "tangent" not in inputs("value")
    assert "cotangent 1 0x3f800000" in inputs("grad_labels") and " tangent" not in inputs("grad_labels")
    assert "tangent bits 0" in inputs("jvp") and "cotangent" not in inputs("jvp")
    assert "tangent bits 0" in inputs("hvp") and "cotangent 1 0x3f800000" in inputs("hvp")


def test_a_number_that_stands_everywhere_is_written_once() -> None:
    assert "logits bits 0 1 0x3f800000 1 1 0x3f800000" in inputs("value")  # logits always stand in full
    assert "labels, each 1 0x3f800000" in inputs("value")
    one_hot = "00000000" * 2 + "0000803f" + "00000000"
    assert "labels, each 0 0x00000000 but [2] 1 0x3f800000" in inputs("value", labels=one_hot)
    two = "0000803f" + "00000000" * 2 + "0000803f"
    assert "logits bits labels bits 0 1 0x3f800000 1 0x3f800000" in inputs("value", labels=two)
    short = {"n": 2, "logits": "0000803f" * 2, "labels": "0000803f00000000"}
    assert "logits bits labels bits" in inputs("value", **short)
    assert "labels, each of the first 4 1" in inputs("value", n=1000)
    assert "labels, each NaN 0x7fc00000" in inputs("value", labels="0000c07f" * 4)
