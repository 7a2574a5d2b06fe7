"""The summary of a job, the comment on a pull request, annotations: whole, bounded, and never markup."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.decisions import HOSTILE, HOSTILE_GATE, answer, changes, gate, missing, reason, waiver
from xent_conformance.reports.ci.markdown import (
    ANNOTATIONS,
    COMMENT_CHARACTERS,
    MARK,
    SUMMARY_BYTES,
    code,
    comment,
    plain,
    summary,
    workflow_commands,
)
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Finding, Kind, Reason
from xent_conformance.reports.views.waivers import State


def _rows(text: str) -> list[list[str]]:
    """Cells of the rows of tables, without headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    found = [line[1:-1].split("|") for line in lines if not re.fullmatch(r"[|-]+", line)]
    return [cells for cells in found if cells[0] not in ("why", "implementation", "waiver")]


def test_a_failure_is_told_whole() -> None:
    text = summary(gate(reason(), reason(Kind.DRIFTED, blocking=False, output="grad_logits")))
    for words in (
        "## ❌ gate failed",
        "torch.softmax value",
        "Show the first: `conformance explain softmax/x/y/float32/n2/r0",
        "### 1 blocking",
        "### 1 warning: 1 × drifted",
        "returned NaN, right 0.5",
    ):
        assert words in text
    assert [len(cells) for cells in _rows(text)] == [10, 9]


def test_a_pass_and_no_decision() -> None:
    assert summary(gate()).startswith("## ✅ gate passed")
    unfinished = missing(Kind.UNFINISHED, implementation="", title="torch answered 1 of 2")
    assert summary(gate(unfinished)).startswith("## ⚠️ gate without a decision")


@pytest.mark.parametrize(("by_suite", "whose"), [(0, "your"), (3, "this suite's")])
def test_accepted_verdicts_say_by_whose_waivers(by_suite: int, whose: str) -> None:
    assert f"; 3 accepted by {whose} waivers." in summary(gate(waived=3, by_suite=by_suite))


def test_waivers_and_changes() -> None:
    text = summary(
        gate(
            changes=changes(regressed=2, fixed=1),
            waivers=(
                waiver(),
                waiver("old", State.STALE, message="conforms now", next="conformance explain a"),
                *(waiver(f"n{i}", State.NOT_EVALUATED, message="jax was not run") for i in range(40)),
            ),
        )
    )
    assert "### Waivers: 1 accepts, 1 stale, 40 not evaluated" in text
    assert "|`old`|stale|conforms now|`conformance explain a`|" in text
    assert "- 40 not evaluated: jax was not run" in text, "what was not run is no forty rows"
    assert "2 regressed" in text and "1 fixed" in text and "0 missing" in text


# --- foreign text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [summary, comment])
def test_foreign_text_is_never_markup(write: Any) -> None:
    text = write(HOSTILE_GATE)
    assert "<script" not in text and "\x1b" not in text and "\x00" not in text
    assert "**b**" not in re.sub(r"`[^`]*`", "", text)
    assert "@all" not in re.sub(r"<code>.*?</code>|`[^`]*`", "", text)
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert {len(cells) for cells in _rows(text)} <= {4, 9, 10}, "no foreign bar ends a cell"
    tags = set(re.findall(r"<[^>]*>", text))
    assert tags <= {"<code>", "</code>", MARK}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jax.nn.log_softmax", "jax.nn.log_softmax"),
        ("_private_", "&#95;private&#95;"),
        ("a|b", "a&#124;b"),
        ("a\n b\r\x1b[0m", "a b &#91;0m"),
        ("<b>&", "&#60;b&#62;&#38;"),
        ("1. first", "&#49;. first"),
        ("https://x", "https&#58;//x"),
        ("why: so", "why: so"),
        ("##[error]x", "&#35; &#35;&#91;error&#93;x"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b*c", "`a_b*c`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("`", "<code>&#96;</code>"),
        ("", ""),
        ("back\\", "<code>back&#92;</code>"),
    ],
)
def test_code(text: str, shown: str) -> None:
    assert code(text) == shown


# --- limits ----------------------------------------------------------------------------------------------


def _many(number: int, **more: Any) -> list[Reason]:
    """Reasons with long cells, each with a name of its own."""
    long = {"detail": "ü" * 300, "case": "softmax/" + "x" * 200, "answer": answer("1" * 100)} | more
    return [reason(implementation=f"i{i}", **long) for i in range(number)]


@pytest.mark.parametrize("number", [1, 100, 2_000, 20_000])
def test_no_row_that_blocks_ever_vanishes(number: int) -> None:
    warnings = [reason(Kind.DRIFTED, blocking=False, detail="w" * 200) for _ in range(5_000)]
    text = summary(gate(*_many(number), *warnings))
    assert len(text.encode()) <= SUMMARY_BYTES
    names = re.findall(r"^\|(?:`?must clause broken`?\|)?`?(i\d+)`?\|", text, re.MULTILINE)
    assert names == [f"i{i}" for i in range(number)]
    if number == 20_000:
        assert "so that every row fits; `--json FILE` holds all" in text
    if number >= 2_000:
        assert (
            re.search(r"[\d,]+ more lines \(warnings, waivers, changes\) are cut here", text)
            or "5,000" in text
        )


def test_what_was_cut_is_counted() -> None:
    warnings = [reason(Kind.DRIFTED, blocking=False) for _ in range(100)]
    whole = summary(gate(reason(), *warnings))
    text = summary(gate(reason(), *warnings), limit=4_000)
    assert len(text.encode()) <= 4_000 < len(whole.encode())
    (cut,) = re.findall(r"(\d+) more lines", text)
    assert whole.count("\n|`drifted`") - text.count("\n|`drifted`") in (int(cut), int(cut) - 1)


def test_a_reason_of_many_implementations_blames_no_single_one() -> None:
    """As the title of it says in a terminal."""
    findings = tuple(
        Finding("softmax", "torch", "2.13.0", name, output, "2.2", "NaN")
        for name in ("torch.softmax", "torch.log_softmax", "torch.other")
        for output in ("value", "grad_logits")
    )
    row = "|`torch.softmax and 2 more`|`grad_logits and value`|"
    for text in (summary(gate(reason(findings=findings))), comment(gate(reason(findings=findings)))):
        assert row in text
    assert "|`torch.softmax`|`value`|" in summary(gate(reason(findings=findings[:1])))
    assert "|`torch.softmax`|`value`|" in summary(gate(reason()))


def test_what_was_not_run_is_one_line() -> None:
    """In a terminal too; what was run and says nothing has a line each."""
    waivers = [
        waiver(
            f"{name}-{n}", State.NOT_EVALUATED, framework=name, message=f"{name} was not run", not_run=True
        )
        for name in ("optax", "executorch", "jax")
        for n in range(9)
    ]
    waivers.append(waiver("torch-old", State.NOT_EVALUATED, message="torch 2.13.0 is not in its range <2"))
    told = gate(waivers=tuple(waivers), changes=changes(fixed=1))
    for text in (summary(told), comment(told)):
        assert [line for line in text.splitlines() if line.startswith("- ")] == [
            "- not evaluated: 27 of what was not run (executorch, jax, optax)",
            "- 1 not evaluated: torch 2.13.0 is not in its range &#60;2",
        ]


@pytest.mark.parametrize("limit", [-5, 0, 100, 600, 1_500, 3_000, 20_000])
def test_every_limit_is_kept(limit: int) -> None:
    """What other commands of the step have written leaves less room, or none."""
    assert len(summary(gate(*_many(50)), limit=limit).encode()) <= max(limit, 0)


def test_where_not_even_names_fit() -> None:
    text = summary(gate(*_many(400)), limit=2_000)
    assert "400 blocking reasons do not fit here; `--json FILE` holds all" in text


@pytest.mark.parametrize("number", [1, 20, 21, 20_000])
def test_a_comment_is_bounded(number: int) -> None:
    text = comment(
        gate(*_many(number, title="t" * 5_000), waivers=(waiver(state=State.STALE, message="m" * 300),) * 300)
    )
    assert 0 < len(text) <= COMMENT_CHARACTERS and text.startswith(MARK)
    if number > 20:
        assert f"… {number - 20:,} more blocking reasons: the summary of the job has all" in text


@pytest.mark.parametrize(
    ("told", "silent"),
    [
        (gate(), True),
        (gate(changes=changes(same=100)), True),
        (gate(changes=changes(same=100, regressed=0)), True),
        (gate(reason(blocking=False), changes=changes(same=100)), True),
        (gate(changes=changes(same=99, bits=1)), False),
        (gate(changes=changes(fixed=1)), False),
        (gate(changes=changes(added=1)), False),
        (gate(reason()), False),
        (gate(reason(), changes=changes(same=100)), False),
    ],
)
def test_a_comment_is_silent_where_nothing_changed(told: Gate, silent: bool) -> None:
    assert (comment(told) == "") is silent


# --- annotations -----------------------------------------------------------------------------------------


def test_annotations_by_the_rules_of_workflow_commands() -> None:
    lines = workflow_commands(gate(reason(title="100% wrong: a, b"), reason(Kind.DRIFTED, blocking=False)))
    assert lines[0] == (
        "::error title=conformance%3A must clause broken::100%25 wrong: a, b%0Areturned NaN, right 0.5%0A"
        "conformance explain softmax/x/y/float32/n2/r0 --implementation torch.softmax"
    )
    assert lines[1].startswith("::warning title=conformance%3A drifted::")


def test_what_was_so_before_is_no_annotation() -> None:
    lines = workflow_commands(
        gate(reason(Kind.AS_BEFORE, blocking=False), reason(Kind.DRIFTED, blocking=False))
    )
    assert [line.partition("::")[2].partition("::")[0] for line in lines] == [
        "warning title=conformance%3A drifted"
    ]


def test_ten_of_a_type_and_how_many_more() -> None:
    lines = workflow_commands(gate(*_many(25), *(reason(blocking=False) for _ in range(11))))
    assert sum(line.startswith("::error ") for line in lines) == ANNOTATIONS
    assert sum(line.startswith("::warning ") for line in lines) == ANNOTATIONS
    notices = [line for line in lines if line.startswith("::notice ")]
    assert "15 more of this kind" in notices[0] and "1 more of this kind" in notices[1]


def test_foreign_text_is_one_annotation() -> None:
    lines = workflow_commands(HOSTILE_GATE)
    assert len(lines) == 3
    for line in lines:
        assert re.match(r"::(error|warning) title=[^:,\n]*::", line)
        assert "\n" not in line and "\r" not in line and "\x1b" not in line
        assert "%0A::" not in line


def test_the_hostile_text_is_hostile() -> None:
    for trap in ("<script>", "|", "`", "::error", "\n", "@all", "\x1b", "\x00"):
        assert trap in HOSTILE
