"""Causes in a terminal: a line each, worst first, at any width; nothing of theirs is obeyed."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.support.small_gate import decided
from tests.support.small_run import header, run_of, verdict
from xent_conformance.reports.run.words import Symptom
from xent_conformance.reports.terminal import causes as terminal
from xent_conformance.reports.terminal.gate import sentence
from xent_conformance.reports.views.causes import Cause, causes
from xent_conformance.reports.views.harm import Harm

EXPLAINED = {"offset-kept": {"hypothesis": "offset kept", "sentence": "x − (m + log S)", "source": "8.3"}}

NAN = {
    "symptom": "NaN",
    "grade": "wrong_special",
    "got": float("nan"),
    "ulps": float("inf"),
    "ratio": float("inf"),
}
FORMAT = {"symptom": "wrong dtype", "grade": "none", "clause": "1.4"}


def _causes(*rows: dict[str, Any], told: Any = EXPLAINED) -> list[Cause]:
    usual = {"status": "breaks_must", "cause": "offset-kept"}
    return causes(run_of([verdict(**usual | row) for row in rows], header(causes=told)))


def _printed(found: list[Cause], width: int = 160, **options: Any) -> str:
    file = io.StringIO()
    terminal.show(found, Console(file=file, width=width, highlight=False), **options)
    return file.getvalue()


# --- in which order ----------------------------------------------------------------------------------


def test_a_nan_for_a_plain_input_stands_before_a_wrong_number_before_another_format() -> None:
    """However many verdicts and ulps the others have."""
    formats = [{"case": f"f{i}", "cause": "1-format", **FORMAT} for i in range(9)]
    wrong = [{"case": f"w{i}", "cause": "2-wrong", "ulps": 1e300, "ratio": 1e298} for i in range(5)]
    found = _causes(*formats, *wrong, {"case": "n", "cause": "3-nan", **NAN})
    assert [c.id for c in found] == ["3-nan", "2-wrong", "1-format"]
    assert [c.harm for c in found] == [Harm.SPECIAL_OF_PLAIN, Harm.WRONG_OF_PLAIN, Harm.FORM]


def test_must_stands_before_should_whatever_the_harm() -> None:
    should = {"case": "s", "cause": "s", "status": "breaks_should", **NAN}
    found = _causes(should, {"case": "m", "cause": "m", **FORMAT})
    assert [c.id for c in found] == ["m", "s"]


def test_an_unusual_input_stands_after_a_plain_one() -> None:
    """NaN beside an excluded class (4.1) harms fewer than a wrong number for plain logits (1.1)."""
    excluded = {"case": "x", "cause": "x", "clause": "4.1", **NAN}
    found = _causes(
        excluded, {"case": "p", "cause": "p"}, {"case": "o", "cause": "o", "clause": "6.10", **NAN}
    )
    assert [c.id for c in found] == ["o", "p", "x"]


def test_of_one_cause_the_worst_harm_counts_and_shows() -> None:
    """Its worst case is one that is so bad, even where a row of a lighter clause has the larger share."""
    should = {"case": "s", "status": "breaks_should", "ratio": 1e9}
    (cause,) = _causes(should, {"case": "n", **NAN}, {"case": "w", "ratio": 1e12})
    assert (cause.harm, cause.worst, cause.level) == (Harm.SPECIAL_OF_PLAIN, "n", "must")


@pytest.mark.parametrize("symptom", [s for s in Symptom if s is not Symptom.NONE])
def test_every_symptom_has_a_harm_of_its_own_right(symptom: Symptom) -> None:
    """None is taken for the last one because nobody thought of it."""
    (cause,) = _causes({"symptom": symptom.value})
    assert (cause.harm is Harm.FORM) == (symptom in (Symptom.WRONG_DTYPE, Symptom.WRONG_SHAPE))
    assert cause.harm.about


# --- how it is printed -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [24, 40, 60, 80, 160])
def test_no_line_is_wider_than_the_terminal_and_each_cause_says_what_was_returned(width: int) -> None:
    """Where it has no room beside the title, below it."""
    told = {"offset-kept": {"hypothesis": "masked classes have a share of the smoothing", "sentence": ""}}
    text = _printed(_causes({"case": "a"}, told=told), width)
    _, _, *lines = text.splitlines()
    assert all(cell_len(line) <= width for line in lines) and lines[0].startswith("must    masked classes")
    assert "returned 0.25, right 0.1" in " ".join(" ".join(lines).split())
    assert (len(lines) == 1) == (width >= 80)


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_a_cause_is_one_line_that_is_no_wider_than_the_terminal(width: int) -> None:
    long = {"cause": "l" * 90, "framework": "y" * 90, "symptom": "z" * 90}
    text = _printed(_causes({"case": "a"}, {"case": "b", **long}), width)
    lines = [line for line in text.splitlines() if line.startswith("must ")]
    assert len(lines) == 2 and all(cell_len(line) <= width for line in lines)
    assert lines[0].startswith("must    offset kept · ")


def test_a_wide_line_says_who_how_many_and_the_name_that_lasts() -> None:
    text = _printed(_causes({"case": "a"}, {"case": "b", "framework": "jax"}))
    answer = "returned 0.25, right 0.1, 2,000 ulp"
    assert f"must    offset kept · {answer} · jax and torch · 2 verdicts · offset-kept\n" in text
    assert (
        "1 cause of 2 broken verdicts, worst first\n1 must, 0 should; hypotheses explain 2 verdicts\n" in text
    )


def test_what_nothing_explains_is_named_by_its_clause() -> None:
    text = _printed(_causes({"case": "a", "cause": "other"}))
    assert "must    clause 1.1, values of softmax: beyond the stable bound, unexplained" in text


def test_where_both_numbers_are_right_no_number_is_said_to_be_wrong() -> None:
    text = _printed(_causes({"symptom": "other bits", "clause": "7.4", "grade": "exact", "ulps": 0.2}))
    assert "must    offset kept · other bits · torch" in text and "returned" not in text


def test_where_nothing_is_wrong_that_is_said() -> None:
    assert (
        _printed(_causes({"status": "conforms", "cause": ""}))
        == "no cause: nothing that has a name is wrong\n"
    )


def test_the_list_is_short() -> None:
    found = _causes(*({"case": f"{i}", "cause": f"c{i}"} for i in range(9)))
    text = _printed(found, limit=3)
    assert text.count("must ") == 3 and "… 6 more causes: `--format json` has all" in text


def test_nothing_of_a_style_reaches_a_pipe() -> None:
    text = _printed(_causes({"case": "a"}), whole=True)
    assert "\x1b" not in text


def test_a_screen_gets_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves bold, which is none; the decision says in words whether it passed."""
    coloured = re.compile(r"\x1b\[[\d;]*3\d")

    def screen() -> str:
        file = io.StringIO()
        sentence(decided(run_of([verdict()])), Console(file=file, width=60, force_terminal=True))
        return file.getvalue()

    assert coloured.search(screen())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(screen()) and "gate passed" in screen()


MARKUP = "evil[red].softmax[/red]"


@pytest.mark.parametrize("column", ["implementation", "framework", "mode", "device", "case", "message"])
def test_names_that_look_like_markup_are_printed_as_they_are(column: str) -> None:
    """A variant reads ``cpu[isa=avx2]``: half of its name must not be taken for a style."""
    raised = {"grade": "none", "outcome": "raised", "symptom": "raised"}
    text = _printed(_causes(raised | {column: MARKUP}), whole=True)
    assert MARKUP in text


def test_control_characters_of_a_framework_do_not_reach_the_terminal() -> None:
    raised = {"grade": "none", "outcome": "raised", "symptom": "raised", "message": "a\x1b[31m[b]\x00\nc"}
    assert "raised: a [31m[b] c\n" in _printed(_causes(raised), whole=True)


def test_whole_it_says_what_gives_it_and_what_it_harms() -> None:
    text = _printed(_causes({"case": "a"}), whole=True)
    for words in ("x − (m + log S)", Harm.WRONG_OF_PLAIN.about, "torch.softmax eager cpu: returned 0.25"):
        assert words in text
